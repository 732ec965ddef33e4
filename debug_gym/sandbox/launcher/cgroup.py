"""Memory groups of the kernel (cgroups), one a sandbox, where this process may make any.

They see what nothing else does: shared memory that nobody has mapped, data in flight in sockets, and the
kernel's own memory. Both versions of cgroups will do. Version 2 wants no processes in a group that has groups
below it, so there the new ones come to lie beside our own.
"""

from __future__ import annotations

import os
import time
from typing import Dict, Iterator, List, Optional

_PREFIX = "debug-gym-"
_OWN = 128 << 20
"""Bytes for the runtime itself, beside what the code in the sandbox may use."""
_MOMENT = 0.3
"""Seconds."""


class MemoryGroups:
    """Makes groups, if they are ``wanted``, and removes them when the last process in them is gone."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self._folder: Optional[str] = None
        """Where groups can be made."""
        self._made: Dict[int, str] = {}
        self._number = 0
        for folder in _candidates() if wanted else ():
            _sweep(folder)
            try:
                os.rmdir(self._make(folder, _OWN))
            except OSError:
                continue
            self._folder = folder
            break

    def make(self, limits: Dict[str, int]) -> Optional[str]:
        """A new group for one sandbox, if they are wanted. Its files count there too.

        Raises:
            OSError: there can be none.
        """
        if not self.wanted:
            return None
        if self._folder is None:
            raise PermissionError("no memory cgroup can be made here: start the gym in one that is delegated")
        return self._make(self._folder, limits["memory"] + limits["disk"] + _OWN)

    def _make(self, folder: str, limit: int) -> str:
        self._number += 1
        path = "%s/%s%d-%d" % (folder, _PREFIX, os.getpid(), self._number)
        os.mkdir(path)
        try:
            _limit(path, limit)
        except OSError:
            os.rmdir(path)
            raise
        return path

    def enclose(self, path: Optional[str], pid: int) -> bool:
        """Put a process, and all that it will start, into a group, if it shall have one. It may take the
        kernel 10 ms. False: there is no such process (any more)."""
        if path is None:
            return pid > 0
        try:
            _write(path, "cgroup.procs", pid)
        except OSError:
            _remove(path)
            return False
        self._made[pid] = path
        return True

    def reap(self) -> None:
        """Take leave of the processes that have ended, and all that they had started with them."""
        try:
            while True:
                pid = os.waitpid(-1, os.WNOHANG)[0]
                if pid == 0:
                    return
                path = self._made.pop(pid, None)
                if path is not None:
                    _remove(path)
        except ChildProcessError:
            pass

    def wait(self) -> None:
        """Before this process ends: give those a moment that are about to end, or their groups stay."""
        deadline = time.monotonic() + _MOMENT
        self.reap()
        while self._made and time.monotonic() < deadline:
            time.sleep(0.005)
            self.reap()


def _limit(path: str, limit: int) -> None:
    if os.path.exists(path + "/memory.max"):
        _write(path, "memory.max", limit)
        optional = {"memory.swap.max": 0}
    else:
        _write(path, "memory.limit_in_bytes", limit)
        optional = {"memory.memsw.limit_in_bytes": limit, "memory.kmem.tcp.limit_in_bytes": limit}
    for name, value in optional.items():
        try:
            _write(path, name, value)
        except OSError:
            pass  # a kernel without accounts of swap


def _candidates() -> Iterator[str]:
    """Folders in which groups might be made."""
    with open("/proc/self/cgroup") as file:
        lines = [line.rstrip("\n").split(":", 2) for line in file]
    for _, controllers, path in lines:
        if "memory" in controllers.split(","):
            yield from _places("cgroup", "memory", path)
        elif not controllers:
            for place in _places("cgroup2", "", path):
                yield place
                if not os.path.ismount(place):
                    yield os.path.dirname(place)


def _places(kind: str, option: str, path: str) -> List[str]:
    """Where a group can be seen: mounts of a kind of file system, with an option, that show it."""
    found = []
    with open("/proc/self/mountinfo") as file:
        for line in file:
            mount, _, rest = line.partition(" - ")
            root, point = mount.split()[3:5]
            words = rest.split()
            if words[0] != kind or (option and option not in words[2].split(",")):
                continue
            below = os.path.relpath(path, root)
            if not below.startswith(".."):
                found.append(os.path.normpath(os.path.join(point, below)))
    return found


def _sweep(folder: str) -> None:
    """Remove the groups of those who were killed. (One that has processes in it cannot be removed.)"""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(_PREFIX)]
    except OSError:
        return
    for name in names:
        maker = name[len(_PREFIX) :].partition("-")[0]
        if not os.path.exists("/proc/" + maker):
            _remove(folder + "/" + name)


def _remove(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        pass  # it has a process still: the next sweep tries again


def _write(path: str, name: str, value: int) -> None:
    fd = os.open(path + "/" + name, os.O_WRONLY)
    try:
        os.write(fd, b"%d" % value)
    finally:
        os.close(fd)
