"""The template: one warm process per Python environment, of which every sandbox is a fork.

It runs on the host, as the host's user, and only ever imports what is installed in its environment; the code
under test runs in its forks, behind the walls of ``enclosure``.

Requests come as JSON datagrams on a socket; the answer to each is a datagram with two descriptors, a pidfd of
the new sandbox's first process and the host's end of its channel, or with an error. A request for a copy of
this process comes with the socket on which the copy is to take requests; it is warm at once, and shares its
memory.
"""

from __future__ import annotations

import array
import functools
import importlib.util
import json
import os
import pwd
import resource
import select
import signal
import socket
import sys
import sysconfig
import time
from typing import Any, Dict, List, Optional, Tuple

from ..server import linux
from ..server.notes import Notes
from ..server.preload import preload, restart, restarted
from . import enclosure, seccomp
from .cgroup import MemoryGroups
from .start import Start


def main(control_fd: int) -> None:
    """Warm up, then fork sandboxes until the host hangs up."""
    control = socket.socket(fileno=control_fd)
    config = restarted() or json.loads(control.recv(1 << 20))
    linux.set_subreaper()
    _raise_descriptor_limit()
    seccomp.program()  # built once, here
    visible = interpreter_folders()
    notes = Notes(config.get("notes"))
    unfit = config.setdefault("unfit", ["debug_gym", *(notes.get("unfit") or ())])
    more = preload(config["preload"], ["/usr", *visible], unfit, notes)
    if more:
        notes.keep("unfit", sorted({*unfit, *more}))
        restart({**config, "unfit": unfit + more})
    masked = [path for path in (*config["masked"], *_gyms()) if os.path.isdir(path)]
    masked = [path for path in masked if _within(path, ["/usr", *visible])]
    copy: Optional[socket.socket] = control
    while copy is not None:  # in each copy of this process anew
        copy = Template(copy, visible, masked, config["memory_groups"]).take_requests()


_QUIET = 5
"""Milliseconds without a request until a sandbox is started ahead: the last one may be busy at first."""
_LOOK = 10.0
"""Seconds after which the host's folders are looked at again, in case they have changed."""


class Template:
    """Does what it is asked for on a socket. While nobody asks, one sandbox is started ahead, with the last
    one's limits: it only lacks its repository.

    Args:
        control: the socket.
        visible: paths of the host that sandboxes see, beside its system.
        masked: folders in them that they do not.
        memory_groups: each sandbox gets a memory cgroup.
    """

    def __init__(
        self, control: socket.socket, visible: List[str], masked: List[str], memory_groups: bool
    ) -> None:
        linux.set_subreaper()
        self.control, self.visible, self.masked = control, visible, masked
        self.groups = MemoryGroups(wanted=memory_groups)
        control.send(b"{}")
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        linux.wake_by_signals(self.wake_write)
        self._mounts = open("/proc/self/mountinfo")
        self._mounted = select.poll()
        self._mounted.register(self._mounts, select.POLLPRI)
        self._shown: Dict[str, Any] = {}
        self._until = 0.0
        self._ahead: Optional[Start] = None
        self._wanted: Optional[Dict[str, int]] = None
        """The limits with which a sandbox is to be started ahead."""

    def take_requests(self) -> Optional[socket.socket]:
        """Do so until the host hangs up. Gives, in a copy of this process that was asked for, the socket on
        which the copy is to take requests."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.wake_read, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll(None if self._wanted is None else _QUIET)]
            if not ready:
                self._start_ahead()
            if self.wake_read in ready:
                os.read(self.wake_read, 4096)
                self.groups.reap()
            if self.control.fileno() not in ready:
                continue
            data, fds = _receive(self.control)
            if not data:
                self._drop_ahead()
                self.groups.wait()
                return None
            request = json.loads(data)
            if request.get("op") != "copy":
                self._start(request)
            elif _copy(self.control):
                self._forget()
                return socket.socket(fileno=fds[0])
            for fd in fds:
                os.close(fd)

    def _start(self, request: Dict[str, Any]) -> None:
        """Have a sandbox of a repository, and tell the host."""
        start, group, answer = None, None, {}
        rights: List[Tuple[int, int, "array.array[int]"]] = []
        try:
            group = self.groups.make(request["limits"])
            start = self._take_ahead(request["limits"]) or self._fork(request["limits"])
            start.lay(os.path.realpath(request["base"]), _names(request["base"]))
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, start.rights)]
        except OSError as error:
            answer = {"error": str(error)}
        self.control.sendmsg([json.dumps(answer).encode()], rights)
        admitted = self.groups.enclose(group, start.pid if start is not None and rights else -1)
        if start is not None:
            if admitted:
                start.admit()
            start.close()
        self._wanted = request["limits"]

    def _fork(self, limits: Dict[str, int]) -> Start:
        private = (self.wake_read, self.wake_write, self._mounts.fileno())
        return Start(self._look(), limits, self.control, private)

    def _look(self) -> Dict[str, Any]:
        """What there is to be shown of the host."""
        if self._mounted.poll(0) or time.monotonic() > self._until:
            system, interpreter = enclosure.look(self.visible)
            self._shown = {"system": system, "interpreter": interpreter, "masked": self.masked}
            self._until = time.monotonic() + _LOOK
        return self._shown

    def _start_ahead(self) -> None:
        limits, self._wanted = self._wanted, None
        if self._ahead is None and limits is not None:
            try:
                self._ahead = self._fork(limits)
            except OSError:
                pass  # whoever asks for one will be told

    def _take_ahead(self, limits: Dict[str, int]) -> Optional[Start]:
        """The one that was started ahead, if it is as a new one would be."""
        if self._mounted.poll(0):
            self._until = 0.0
            self._drop_ahead()
        ahead = self._ahead
        if ahead is not None and ahead.alive and ahead.limits == limits:
            self._ahead = None
            return ahead
        self._drop_ahead()
        return None

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _forget(self) -> None:
        """In a copy of this process: let go of what is not its own."""
        signal.set_wakeup_fd(-1)
        self._drop_ahead()
        self._mounts.close()
        for fd in (self.control.detach(), self.wake_read, self.wake_write):
            os.close(fd)


def _receive(control: socket.socket) -> Tuple[bytes, List[int]]:
    """A request, and the descriptor that came with it, if one did."""
    data, sent, _, _ = control.recvmsg(1 << 20, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, content in sent:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return data, list(fds)


def _copy(control: socket.socket) -> bool:
    """Fork this process, and answer with a pidfd of the copy; whether this is the copy."""
    try:
        pid, pidfd = linux.fork_into(0)
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        return False
    if pid == 0:
        return True
    control.sendmsg([b"{}"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [pidfd]))])
    os.close(pidfd)
    return False


def _raise_descriptor_limit() -> None:
    """Code in a sandbox can keep as many descriptors in flight between sockets as it may open; a process of
    the same user that may open no more than that can then send none, and we have to."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@functools.lru_cache(maxsize=64)
def _names(base: str) -> bytes:
    """The module names of a base, which lie in a file beside it: there may be too many for a datagram."""
    with open(os.path.join(os.path.dirname(base), "base.json")) as file:
        return json.dumps(json.load(file)["names"]).encode()


def _gyms() -> List[str]:
    """Where this interpreter has a debug-gym of its own: it holds the solutions of tasks."""
    spec = importlib.util.find_spec("debug_gym")
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def interpreter_folders() -> List[str]:
    """The folders and files outside ``/usr`` that this interpreter and its packages live in."""
    prefixes = {
        os.path.realpath(sys.base_prefix),
        os.path.abspath(sys.prefix),
        os.path.abspath(sys.base_prefix),
    }
    found = {path for path in prefixes if not _is_wide(path)}
    if found != prefixes:  # show what belongs to Python, but not what else lies there
        kinds = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
        found.update(sysconfig.get_paths()[kind] for kind in kinds)
        found.update([os.path.join(sys.prefix, "pyvenv.cfg"), os.path.abspath(sys.executable)])
        library = sysconfig.get_config_var("INSTSONAME") or "."
        found.add(os.path.join(sysconfig.get_config_var("LIBDIR") or "/", library))
    found.add(os.path.realpath(sys.executable))
    chosen: List[str] = []
    for path in sorted(found):
        if os.path.exists(path) and not _is_wide(path) and not _within(path, ["/usr", *chosen]):
            chosen.append(path)
    return chosen


def _is_wide(path: str) -> bool:
    """It is a folder that holds more than an interpreter, e.g. somebody's home."""
    home = _home()
    wide = {
        "/",
        "/home",
        "/mnt",
        "/opt",
        "/root",
        "/srv",
        "/tmp",
        "/var",
        home + "/.local",
        home + "/.local/lib",
    }
    return path in wide or path.endswith("/.") or _within(home, [path])


def _home() -> str:
    """The home folder of the gym's user, who need not be known to the system (in a container, say)."""
    try:
        return os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return "/"


def _within(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
