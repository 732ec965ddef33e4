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
        with open("/proc/%d/%s" % (pid, name), "w") as file:
            file.write(text)


def build(base: str, visible: list[str], masked: list[str], limits: dict[str, Any]) -> list[int]:
    """Build the root folder around ``base`` (the repository) and enter it; return descriptors of the upper
    folder, /tmp and the home folder, by which the host can read them.

    ``visible``: host paths shown read-only; ``masked``: folders in them that appear empty.
    """
    owner = INSIDE_ID if os.getuid() == 0 else -1
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    new = "/tmp"
    mounts = _mount_points()
    system, interpreter = ([_Shown(path, mounts) for path in paths] for paths in (_system(), visible))
    lower = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    devices = [
        (name, os.open("/dev/" + name, os.O_PATH)) for name in ("null", "zero", "full", "random", "urandom")
    ]
    linux.mount("tmpfs", new, "tmpfs", _TMPFS, "mode=755,size=4m")
    os.mkdir(new + EMPTY)
    for shown in system:
        shown.show(new)
    for path, text in _FILES.items():
        with open(new + path, "w") as file:
            file.write(text)
    for name in ("dev/pts", "proc", "tmp", WORKSPACE[1:], HOME[1:], ".scratch"):
        os.makedirs("%s/%s" % (new, name))
    for name, fd in devices:
        os.close(os.open("%s/dev/%s" % (new, name), os.O_CREAT))
        linux.mount("/proc/self/fd/%d" % fd, "%s/dev/%s" % (new, name), None, linux.MS_BIND)
        os.close(fd)
    terminals = "newinstance,ptmxmode=0666,max=64"  # the machine has 4096 in all
    linux.mount("devpts", new + "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, terminals)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, "%s/dev/%s" % (new, name))
    os.symlink("pts/ptmx", new + "/dev/ptmx")
    folders = _workspace(new, lower, limits, owner)
    for shown in interpreter:  # only now: it may lie below /tmp or the home folder
        shown.show(new)
    for path in masked:
        linux.mount("tmpfs", new + path, "tmpfs", _TMPFS | linux.MS_RDONLY, "mode=555,size=4k")
    linux.mount("proc", new + "/proc", "proc", _TMPFS | linux.MS_NOEXEC)
    _limit_the_user(new + "/proc")
    os.chdir(new)
    linux.pivot_root(".", ".")
    linux.unmount(".")
    linux.mount(None, "/", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY | _TMPFS)
    os.chdir(WORKSPACE)
    linux.set_hostname("sandbox")
    _loopback_up()
    return folders


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


class _Shown:
    """A file or folder of the host that sandboxes see, read-only.

    It is seen through an overlay of the sandbox's own: a lock on an inode of the host's would be seen by
    other sandboxes and by the host. Where an overlay would hide what is mounted below it, or cannot be laid
    over the host's file system, the host's own inodes are shown.

    Args:
        path: on the host. It is opened now, since the new root hides it.
        mounts: mount points of the host.
    """

    def __init__(self, path: str, mounts: list[str]) -> None:
        self.path = path
        self.link = os.readlink(path) if os.path.islink(path) else ""
        self.is_folder = os.path.isdir(path)
        real = os.path.realpath(path)
        self.folder, self.name = (real, "") if self.is_folder else os.path.split(real)
        self.whole = not any(mount.startswith(real + "/") for mount in mounts)
        """Nothing is mounted below it."""
        self.fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def show(self, new: str) -> None:
        """Show it at the same path below the new root."""
        target, source = new + self.path, "/proc/self/fd/%d" % self.fd
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if self.link and "/" not in self.link.lstrip("/").replace("usr/", "", 1):
            os.symlink(self.link, target)  # /bin -> usr/bin and the like
        elif self.is_folder:
            os.makedirs(target, exist_ok=True)
            if not (self.whole and _overlay(source, target, new + EMPTY)):
                linux.bind_read_only(source, target)
        else:
            os.close(os.open(target, os.O_CREAT))
            if _overlay(source, new + EMPTY, new + EMPTY):
                linux.mount("%s/%s" % (new + EMPTY, self.name), target, None, linux.MS_BIND)
                linux.unmount(new + EMPTY)
            else:
                linux.bind_read_only("%s/%s" % (source, self.name), target)
        os.close(self.fd)


def _overlay(lower: str, target: str, empty: str) -> bool:
    """Lay a read-only overlay of a folder (and nothing) over the target; False if that cannot be done."""
    try:
        flags = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
        linux.mount("overlay", target, "overlay", flags, "lowerdir=%s:%s,userxattr" % (lower, empty))
    except OSError:
        return False
    return True


def _mount_points() -> list[str]:
    with open("/proc/self/mountinfo") as file:
        return [line.split(" ", 5)[4] for line in file]


def _workspace(new: str, lower: int, limits: dict[str, Any], owner: int) -> list[int]:
    """One tmpfs, one quota: the overlay's upper layer, /tmp, /dev/shm and the home folder lie on it."""
    scratch = new + "/.scratch"
    options = "mode=755,size=%d,nr_inodes=%d" % (limits["disk"], limits["files"])
    linux.mount("tmpfs", scratch, "tmpfs", _TMPFS, options)
    for name, mode in (("upper", 0o755), ("work", 0o755), ("tmp", 0o1777), ("shm", 0o1777), ("home", 0o755)):
        os.mkdir("%s/%s" % (scratch, name))
        os.chmod("%s/%s" % (scratch, name), mode)
        os.chown("%s/%s" % (scratch, name), owner, owner)
    layers = "lowerdir=/proc/self/fd/%d,upperdir=%s/upper,workdir=%s/work,userxattr" % (
        lower,
        scratch,
        scratch,
    )
    linux.mount("overlay", new + WORKSPACE, "overlay", _TMPFS, layers)
    os.mkdir(new + "/dev/shm")
    for name, target in (("tmp", "/tmp"), ("shm", "/dev/shm"), ("home", HOME)):
        linux.mount("%s/%s" % (scratch, name), new + target, None, linux.MS_BIND)
    kept = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folders = [os.open("%s/%s" % (scratch, name), kept) for name in ("upper", "tmp", "home")]
    os.close(lower)
    linux.unmount(scratch)
    os.rmdir(scratch)
    return folders


def _limit_the_user(proc: str) -> None:
    """What is counted for the host's user, whoever uses it: leave some for others."""
    limits = {
        "sys/user/max_inotify_instances": "64",
        "sys/user/max_inotify_watches": "8192",
        "sys/user/max_user_namespaces": "0",
    }
    for name, value in limits.items():
        try:
            with open("%s/%s" % (proc, name), "w") as file:
                file.write(value)
        except OSError:
            pass  # an older kernel: the other walls stand


def _loopback_up() -> None:
    """Bring up ``lo``, alone in its network: tests talk to servers of their own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up_and_running = 1 | 64
        fcntl.ioctl(control, 0x8914, struct.pack("16sH14x", b"lo", up_and_running))  # SIOCSIFFLAGS
