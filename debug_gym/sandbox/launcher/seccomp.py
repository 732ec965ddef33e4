"""A seccomp filter that takes away the system calls which code under test never needs and exploits love.

Classic BPF, built by hand for x86-64 and arm64 (see seccomp(2) and the kernel's seccomp_filter.rst). Denied
calls fail with EPERM; those that programs can do without fail with ENOSYS, so that they do: libc falls back
from clone3 to clone, whose flags can be checked.
"""

from __future__ import annotations

import errno
import functools
import platform
from typing import List, Tuple

from ..server import confine
from ..server.confine import (
    ALLOW,
    ANY_BIT,
    ARCHITECTURE,
    ARCHITECTURES,
    AT_LEAST,
    EQUAL,
    FAIL,
    LOAD,
    NUMBER,
    RETURN,
    X32,
    instruction,
)

_KILL_PROCESS = 0x80000000
_ARG0, _ARG1, _ARG2, _ARG5 = 16, 24, 32, 56  # offsets in struct seccomp_data
_NAMESPACE_FLAGS = 0x7E020000  # every CLONE_NEW*
_TERMINAL_TRICKS = (0x5412, 0x541C, 0x5423)  # TIOCSTI and TIOCLINUX type into it, TIOCSETD loads drivers
_RLIMIT_CORE = 4
_F_SETLEASE = 1024  # holds up whoever opens the file, on the host too
_SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink: vsock and the like know no network namespace

_CALLS = {  # name: (x86_64, aarch64)
    "clone": (56, 220),
    "ioctl": (16, 29),
    "socket": (41, 198),
    "prlimit64": (302, 261),
    "setrlimit": (160, 164),
    "fcntl": (72, 25),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
}
_ON_PID_1 = {  # what a process may do to others of its user, and must not do to the runtime
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
_PRIORITIES = {"setpriority": 2, "ioprio_set": 3}
"""Calls that name a process second. This as the first argument means all processes of the user."""
_MISSING = {  # what is asked for about the page cache; three that make memory which no limit sees
    "clone3": (435, 435),
    "mincore": (27, 232),
    "cachestat": (451, 451),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
}
_ADVICE = {"fadvise64": (221, 223), "readahead": (187, 213)}
"""It is taken and not followed: what is in the page cache is seen by all, and files of the system are too."""
_WITH_FLAGS = {"preadv2": (327, 286), "pwritev2": (328, 287)}
"""Their flags can ask whether something is in the page cache."""
_DENIED = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "process_vm_writev": (311, 271),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
    "open_tree_attr": (467, 467),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "fanotify_init": (300, 262),
    # These take what no namespace limits: asynchronous I/O slots of the whole machine, what the user has of
    # message queues, and kernel memory.
    "io_setup": (206, 0),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}


def _fail(number: int) -> bytes:
    return instruction(RETURN, FAIL | number)


def _rule(call: int, conditions: List[Tuple[int, int, int]], verdict: bytes) -> bytes:
    """A verdict on a call whose arguments meet all conditions: (offset of an argument, comparison, value)."""
    size = 2 * len(conditions)
    parts = [instruction(EQUAL, call, if_false=size + 2)]
    for index, (argument, comparison, value) in enumerate(conditions):
        parts.append(instruction(LOAD, argument))
        parts.append(instruction(comparison, value, if_false=size - 2 * index - 1))
    return b"".join([*parts, verdict, instruction(LOAD, NUMBER)])


def _only_sockets(call: int) -> bytes:
    families = [
        instruction(EQUAL, family, if_true=len(_SOCKET_FAMILIES) - index)
        for index, family in enumerate(_SOCKET_FAMILIES)
    ]
    parts = [
        instruction(EQUAL, call, if_false=len(_SOCKET_FAMILIES) + 3),
        instruction(LOAD, _ARG0),
        *families,
    ]
    return b"".join([*parts, _fail(errno.EAFNOSUPPORT), instruction(LOAD, NUMBER)])


@functools.lru_cache(maxsize=None)
def program(machine: str | None = None) -> bytes:
    """The filter for a machine type (default: this one). Raises ``KeyError`` where none is known."""
    machine = machine or platform.machine()
    column = ("x86_64", "aarch64").index(machine) if machine in ARCHITECTURES else -1
    audit = ARCHITECTURES[machine]
    number = {
        name: pair[column]
        for name, pair in {**_CALLS, **_ON_PID_1, **_MISSING, **_ADVICE, **_WITH_FLAGS, **_DENIED}.items()
    }
    # A core dump that is piped to a program of the host is made at a limit of 0 too, but not at 1, which
    # enclosure.lock sets: it stays. Whoever tries to change it is told that it was changed.
    is_core, done = (EQUAL, _RLIMIT_CORE), instruction(RETURN, FAIL)
    return b"".join(
        [
            instruction(LOAD, ARCHITECTURE),
            instruction(EQUAL, audit, if_true=1),
            instruction(RETURN, _KILL_PROCESS),
            instruction(LOAD, NUMBER),
            instruction(AT_LEAST, X32, if_false=1),
            _fail(errno.ENOSYS),
            *(_rule(number[name], [], _fail(errno.ENOSYS)) for name in _MISSING),
            *(_rule(number[name], [], done) for name in _ADVICE),
            *(
                _rule(number[name], [(_ARG5, ANY_BIT, 0xFFFFFFFF)], _fail(errno.EOPNOTSUPP))
                for name in _WITH_FLAGS
            ),
            _rule(number["clone"], [(_ARG0, ANY_BIT, _NAMESPACE_FLAGS)], _fail(errno.EPERM)),
            *(_rule(number["ioctl"], [(_ARG1, EQUAL, do)], _fail(errno.EPERM)) for do in _TERMINAL_TRICKS),
            *(_rule(number[name], [(_ARG0, EQUAL, 1)], _fail(errno.EPERM)) for name in _ON_PID_1),
            *(_rule(number[name], [(_ARG1, EQUAL, 1)], _fail(errno.EPERM)) for name in _PRIORITIES),
            *(
                _rule(number[name], [(_ARG0, EQUAL, whole)], _fail(errno.EPERM))
                for name, whole in _PRIORITIES.items()
            ),
            _rule(number["fcntl"], [(_ARG1, EQUAL, _F_SETLEASE)], _fail(errno.EPERM)),
            _rule(number["prlimit64"], [(_ARG1, *is_core), (_ARG2, ANY_BIT, 0xFFFFFFFF)], done),
            _rule(number["setrlimit"], [(_ARG0, *is_core)], done),
            _only_sockets(number["socket"]),
            *(_rule(number[name], [], _fail(errno.EPERM)) for name in _DENIED),
            instruction(RETURN, ALLOW),
        ]
    )


def install() -> None:
    """Put the filter on this process and all that it starts."""
    confine.install(program())
