"""Walls: turn a fresh fork into pid 1 of a sandbox that sees only the system's programs and a workspace.

User, mount, pid, network, ipc, uts and cgroup namespaces; a root folder on tmpfs with read-only views of
the system and the interpreter; the workspace as an overlay whose upper layer lives on a size-limited tmpfs
that has no name inside; no capabilities, no new privileges, a seccomp filter. Works without privileges; run
by root it changes to an unprivileged user first, so that root's rights never reach the code under test.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
from typing import Any

from ..server import linux
from ..server.linux import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
)
from . import seccomp
from .shown import Shown, mount_points

WORKSPACE, HOME = "/workspace", "/home/agent"
EMPTY = "/run"
"""A folder with nothing in it."""
INSIDE_ID = 1000
"""The user and group id that the sandbox's code sees as its own."""
ROOTS_ID = 64999
"""The real user id of sandboxes that root starts. Nobody on the host should have it."""

NAMESPACES = (
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP
)
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = (
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "mime.types",
    "ssl/certs",
    "ssl/openssl.cnf",
)
_FILES = {
    "/etc/passwd": "root:x:0:0:root:/:/bin/false\nagent:x:%d:%d::%s:/bin/bash\n"
    % (INSIDE_ID, INSIDE_ID, HOME),
    "/etc/group": "root:x:0:\nagent:x:%d:\n" % INSIDE_ID,
    "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_DEVICES = ("null", "zero", "full", "random", "urandom")
_STAGE = "/tmp"
"""Where a new root is put together, out of sight."""
_NEW = _STAGE + "/root"
_TMPFS = linux.MS_NOSUID | linux.MS_NODEV


def write_id_maps(pid: int) -> None:
    """From outside: give the first process of a new user namespace its user ids. Short of memory, the host
    ends sandboxes first."""
    uid, gid = os.getuid(), os.getgid()
    maps = {"uid_map": "%d %d 1" % (INSIDE_ID, uid), "gid_map": "%d %d 1" % (INSIDE_ID, gid)}
    if uid == 0:
        both = "0 0 1\n%d %d 1" % (INSIDE_ID, ROOTS_ID)
        maps = {"uid_map": both, "gid_map": both}
    else:
        maps = {"setgroups": "deny", **maps}
    for name, text in {"oom_score_adj": "1000", **maps}.items():
        _write("/proc/%d/%s" % (pid, name), text)


def look(visible: list[str]) -> tuple[list[Shown], list[Shown]]:
    """What there is on the host to be shown: of its system, and of ``visible``, the interpreter's places."""
    mounts = mount_points()
    system, interpreter = ([Shown(path, mounts) for path in paths] for paths in (_system(), visible))
    return system, interpreter


class Enclosure:
    """The root folder of a new sandbox, in the namespaces of the process that makes it. It is whole but for
    the repository, with which the process enters it.

    Args:
        system, interpreter: what is shown: see ``look``.
        masked: folders in it that appear empty.
        limits: of the sandbox.
    """

    def __init__(
        self, system: list[Shown], interpreter: list[Shown], masked: list[str], limits: dict[str, Any]
    ) -> None:
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        for shown in (*system, *interpreter):
            shown.hold()
        devices = [(name, os.open("/dev/" + name, os.O_PATH)) for name in _DEVICES]
        self._covered = os.open(_STAGE, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        _make_stage(limits)
        linux.mount("tmpfs", _NEW, "tmpfs", _TMPFS, "mode=755,size=4m")
        os.mkdir(_NEW + EMPTY)
        for shown in system:
            shown.show(_NEW, _STAGE, EMPTY)
        for path, text in _FILES.items():
            _write(_NEW + path, text)
        for path in ("/dev", "/dev/pts", "/dev/shm", "/proc", "/tmp", WORKSPACE, os.path.dirname(HOME), HOME):
            os.mkdir(_NEW + path)
        _make_devices(devices)
        for name, target in (("tmp", "/tmp"), ("shm", "/dev/shm"), ("home", HOME)):
            linux.mount("%s/%s" % (_STAGE, name), _NEW + target, None, linux.MS_BIND)
        linux.mount("proc", _NEW + "/proc", "proc", _TMPFS | linux.MS_NOEXEC)
        _limit_the_user(_NEW + "/proc")
        linux.set_hostname("sandbox")
        _loopback_up()
        self._interpreter, self._masked = interpreter, masked
        if not any(shown.path.startswith(WORKSPACE + "/") for shown in interpreter):
            self._show_interpreter()

    def enter(self, base: str) -> list[int]:
        """Lay the workspace over ``base`` (the repository, by its real path) and make this the root folder;
        return descriptors of the upper folder, /tmp and the home folder, by which the host can read them."""
        lower = self._open(base)
        layers = "lowerdir=/proc/self/fd/%d,upperdir=%s/upper,workdir=%s/work,userxattr"
        linux.mount("overlay", _NEW + WORKSPACE, "overlay", _TMPFS, layers % (lower, _STAGE, _STAGE))
        os.close(lower)
        self._show_interpreter()
        kept = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        folders = [os.open("%s/%s" % (_STAGE, name), kept) for name in ("upper", "tmp", "home")]
        os.close(self._covered)
        os.chdir(_NEW)
        linux.pivot_root(".", ".")
        linux.unmount(".")  # and with it the stage: each unmounting by itself waits for all processors
        linux.mount(None, "/", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | _TMPFS)
        os.chdir(WORKSPACE)
        return folders

    def _open(self, path: str) -> int:
        """A folder of the host, which may lie where the stage is now."""
        flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        if path.startswith(_STAGE + "/"):
            return os.open(path[len(_STAGE) + 1 :], flags, dir_fd=self._covered)
        return os.open(path, flags)

    def _show_interpreter(self) -> None:
        """Last, since it may lie below /tmp, the home folder or the workspace."""
        shown, masked = self._interpreter, self._masked
        self._interpreter, self._masked = [], []
        for item in shown:
            item.show(_NEW, _STAGE, EMPTY)
        for path in masked:
            linux.mount("tmpfs", _NEW + path, "tmpfs", _TMPFS | linux.MS_RDONLY, "mode=555,size=4k")


def lock() -> None:
    """Become the unprivileged user for good."""
    linux.drop_bounding_set()
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
        os.setresuid(INSIDE_ID, INSIDE_ID, INSIDE_ID)
    linux.drop_privileges()
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))  # not 0, and before it cannot be changed: see seccomp
    seccomp.install()


def _system() -> list[str]:
    etc = ["/etc/" + name for name in _ETC]
    return [path for path in [*_SYSTEM, *etc] if os.path.lexists(path)]


def _make_stage(limits: dict[str, Any]) -> None:
    """One tmpfs, one quota: the overlay's upper layer, /tmp, /dev/shm and the home folder lie on it. It is
    also where the new root is put together; it has no name inside."""
    owner = INSIDE_ID if os.getuid() == 0 else -1
    options = "mode=755,size=%d,nr_inodes=%d" % (limits["disk"], limits["files"])
    linux.mount("tmpfs", _STAGE, "tmpfs", _TMPFS, options)
    for name, mode in (("upper", 0o755), ("work", 0o755), ("tmp", 0o1777), ("shm", 0o1777), ("home", 0o755)):
        folder = "%s/%s" % (_STAGE, name)
        os.mkdir(folder)
        os.chmod(folder, mode)
        os.chown(folder, owner, owner)
    os.mkdir(_NEW)


def _make_devices(devices: list[tuple[str, int]]) -> None:
    for name, fd in devices:
        os.close(os.open("%s/dev/%s" % (_NEW, name), os.O_CREAT))
        linux.mount("/proc/self/fd/%d" % fd, "%s/dev/%s" % (_NEW, name), None, linux.MS_BIND)
        os.close(fd)
    terminals = "newinstance,ptmxmode=0666,max=64"  # the machine has 4096 in all
    linux.mount("devpts", _NEW + "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, terminals)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, "%s/dev/%s" % (_NEW, name))
    os.symlink("pts/ptmx", _NEW + "/dev/ptmx")


def _limit_the_user(proc: str) -> None:
    """What is counted for the host's user, whoever uses it: leave some for others."""
    limits = {
        "sys/user/max_inotify_instances": "64",
        "sys/user/max_inotify_watches": "8192",
        "sys/user/max_user_namespaces": "0",
    }
    for name, value in limits.items():
        try:
            _write("%s/%s" % (proc, name), value)
        except OSError:
            pass  # an older kernel: the other walls stand


def _write(path: str, text: str) -> None:
    """Write a short file without Python's own files: each page of memory that they touch is copied."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _loopback_up() -> None:
    """Bring up ``lo``, alone in its network: tests talk to servers of their own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up_and_running = 1 | 64
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", up_and_running))  # SIOCSIFFLAGS
