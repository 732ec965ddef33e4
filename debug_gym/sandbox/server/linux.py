"""The few Linux system calls that Python's standard library lacks, by ctypes."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
from collections import deque
from functools import partial
from itertools import chain, starmap, tee

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SUBREAPER = 1, 4, 36
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR = 24, 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_AT_RECURSIVE, _AT_FDCWD, _ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 0x8000, -100, 1, 2, 4
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_MOUNT_SETATTR = 442  # the same on every architecture
_CLONE_PIDFD, _CLONE_PARENT = 0x1000, 0x8000

_SIGSET = 128
_KILL, _ZERO = ctypes.c_ulong(signal.SIGKILL), ctypes.c_ulong(0)
_libc = ctypes.CDLL(None, use_errno=True)
_holding_the_gil = ctypes.PyDLL(None, use_errno=True)
_python = ctypes.pythonapi
_before_fork, _in_parent, _in_child = (
    (_python.PyOS_BeforeFork, _python.PyOS_AfterFork_Parent, _python.PyOS_AfterFork_Child)
    if sys.version_info >= (3, 7)
    else (_python._PyImport_AcquireLock, _python._PyImport_ReleaseLock, _python.PyOS_AfterFork)
)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def mount(
    source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str | None = None
) -> None:
    """mount(2)."""
    result = _libc.mount(_bytes(source), _bytes(target), _bytes(kind), flags, _bytes(data))
    _check(result, "mount %s on %s" % (kind or source, target))


def bind_read_only(source: str, target: str) -> None:
    """Show ``source`` and what is mounted below it at ``target``: read-only, no setuid, no devices."""
    mount(source, target, None, MS_BIND | MS_REC)
    attributes = struct.pack("QQQQ", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, len(attributes)
    )
    _check(result, "mount_setattr %s" % target)


def unmount(target: str) -> None:
    """umount2(2) with MNT_DETACH."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), "umount %s" % target)


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    result = _libc.syscall(_SYS_PIVOT_ROOT[platform.machine()], os.fsencode(new), os.fsencode(old))
    _check(result, "pivot_root")


def fork_into(namespaces: int) -> tuple[int, int]:
    """``os.fork`` whose child is the first process of new namespaces: (pid, pidfd) in the parent, (0, -1) in
    the child. This process must have one thread.

    One clone(2) in place of fork, unshare and fork again: copying the page tables of a warm interpreter is
    what a start costs most. Neither Python nor libc is told of the fork: what modules do after one (seed
    ``random``, make new locks) touches, and so copies, a megabyte of memory. It only harms code that uses
    this very thread's id in libc, or random numbers that its siblings must not have. Grandchildren are
    forked as usual, with all that belongs to it.
    """
    pidfd = ctypes.c_int(-1)
    flags = namespaces | _CLONE_PIDFD | signal.SIGCHLD
    number = _SYS_CLONE[platform.machine()]
    pid = _holding_the_gil.syscall(number, ctypes.c_ulong(flags), None, ctypes.byref(pidfd), None, None)
    if pid == 0:
        return 0, -1
    _check_fork(pid, ctypes.get_errno())
    return int(pid), pidfd.value


def fork_frozen(wake: int) -> int:
    """``os.fork`` whose child is a child of our parent: a sibling, in a process group of its own, that ends
    with the parent and sleeps until the parent sends it the signal ``wake``. Other signals it never gets.

    Python is told of the fork only when the child wakes, so that one that sleeps has hardly any memory to
    itself. See ``fork_into`` for what libc knows.
    """
    libc, number = _holding_the_gil, _SYS_CLONE[platform.machine()]
    every, before, awaited, sender = (ctypes.create_string_buffer(_SIGSET) for _ in range(4))
    libc.sigfillset(every)
    libc.sigemptyset(awaited)
    libc.sigaddset(awaited, wake)
    libc.pthread_sigmask(signal.SIG_SETMASK, every, before)
    in_child = [
        partial(libc.prctl, _PR_SET_PDEATHSIG, _KILL, _ZERO, _ZERO, _ZERO),
        partial(libc.setpgid, 0, 0),
        partial(libc.sigwaitinfo, awaited, sender),
        partial(_in_child),
    ]
    in_parent = [partial(_in_parent)]
    flags = ctypes.c_ulong(_CLONE_PARENT | signal.SIGCHLD)
    try:
        _before_fork()
        forks, result = tee(starmap(libc.syscall, [(number, flags, None, None, None, None)]))
        # From here on all is called from C. Between two bytecodes, the child's interpreter could wait for a
        # thread that had asked for its lock, and that is not there.
        deque(map(partial.__call__, chain.from_iterable(map({0: in_child}.get, forks, [in_parent]))), 0)
        pid = int(next(result))
        while pid == 0 and _pid_in(sender) != os.getppid():
            libc.sigwaitinfo(awaited, sender)
        while pid == 0 and libc.sigtimedwait(every, None, bytes(16)) > 0:
            pass
    finally:
        libc.pthread_sigmask(signal.SIG_SETMASK, before, None)
    _check_fork(pid, ctypes.get_errno())
    return pid


def _pid_in(information: ctypes.Array[ctypes.c_char]) -> int:
    """Who sent a signal, from a siginfo_t of 64-bit Linux."""
    return int.from_bytes(information.raw[16:20], sys.byteorder)


def _check_fork(pid: int, error: int) -> None:
    if pid < 0:
        raise OSError(error, "clone: " + os.strerror(error))


def wake_by_signals(fd: int) -> None:
    """``signal.set_wakeup_fd``; one that is full wakes as well."""
    if sys.version_info >= (3, 7):
        signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
    else:
        signal.set_wakeup_fd(fd)


def set_hostname(name: str) -> None:
    """sethostname(2)."""
    _check(_libc.sethostname(name.encode(), len(name)), "sethostname")


def prctl(option: int, first: int = 0, second: int = 0) -> int:
    """prctl(2); returns its result, negative on error."""
    return int(
        _libc.prctl(
            option, ctypes.c_ulong(first), ctypes.c_ulong(second), ctypes.c_ulong(0), ctypes.c_ulong(0)
        )
    )


def set_subreaper() -> None:
    """Orphans below this process become its children. Harmless where it is not supported."""
    prctl(_PR_SET_SUBREAPER, 1)


def set_dumpable(on: bool) -> None:
    """Whether processes of the same user may trace this one and look at its memory and descriptors."""
    prctl(_PR_SET_DUMPABLE, int(on))


def drop_bounding_set() -> None:
    """Capabilities can never come back, not through any program. Needs CAP_SETPCAP."""
    capability = 0
    while prctl(_PR_CAPBSET_DROP, capability) == 0:
        capability += 1


def drop_privileges() -> None:
    """Give up every capability that the process holds; no new privileges for it and all that it starts."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "capset")
    _check(prctl(_PR_SET_NO_NEW_PRIVS, 1), "prctl no_new_privs")


def proportional_memory(pid: int) -> int:
    """Bytes of memory of a process, where a page shared by n processes counts as 1/n."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    return 0
