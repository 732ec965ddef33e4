"""Filters of system calls, and the one for tests that start no process: neither can code under test.

Used by the warm test run, and by the cold one, which gets its source as text: it imports nothing of ours.
"""

import ctypes
import errno
import platform
import struct

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
_CLONE_THREAD = 0x10000
_CLONE3 = 435
_CLONE = {"x86_64": 56, "aarch64": 220}
_STARTING = {"x86_64": (57, 58, 59, 322), "aarch64": (221, 281)}
"""fork, vfork, execve, execveat."""


def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One of classic BPF."""
    return struct.pack("HBBI", code, if_true, if_false, value)


def install(program: bytes) -> None:
    """Put a filter on this thread and all that it starts, for good.

    Raises:
        OSError: the kernel refuses it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    packed = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)))
    nothing = ctypes.c_ulong(0)
    for words in ((_NO_NEW_PRIVS, 1, 0), (_SECCOMP, _FILTER, ctypes.addressof(packed))):
        option, *arguments = [ctypes.c_ulong(word) for word in words]
        if libc.prctl(ctypes.c_int(option.value), *arguments, nothing, nothing) != 0:
            raise OSError(ctypes.get_errno(), "the kernel refused the seccomp filter")


def forbid_processes() -> None:
    """From now on this process can start threads, and no process and no other program. On a machine whose
    system calls are not known here, nothing is forbidden."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return
    refused = instruction(RETURN, FAIL | errno.EPERM)
    missing = instruction(RETURN, FAIL | errno.ENOSYS)  # libc then tries clone, whose flags can be seen
    parts = [
        instruction(LOAD, ARCHITECTURE),
        instruction(EQUAL, ARCHITECTURES[machine], if_true=1),
        refused,
        instruction(LOAD, NUMBER),
        instruction(AT_LEAST, X32, if_false=1),
        missing,
        instruction(EQUAL, _CLONE3, if_false=1),
        missing,
    ]
    for call in _STARTING[machine]:
        parts += [instruction(EQUAL, call, if_false=1), refused]
    parts += [
        instruction(EQUAL, _CLONE[machine], if_false=3),
        instruction(LOAD, FIRST_ARGUMENT),
        instruction(ANY_BIT, _CLONE_THREAD, if_true=1),
        refused,
        instruction(RETURN, ALLOW),
    ]
    install(b"".join(parts))
