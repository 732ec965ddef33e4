"""A clock that stands still, for code that asks for the date: ``$DEBUG_GYM_CLOCK`` names the moment.

Done below Python, in the C library's ``clock_gettime``, since objects such as ``datetime.datetime`` cannot be
replaced unnoticed. One self-contained file: a cold test run gets its source handed over as text.
"""

import contextlib
import ctypes
import datetime
import functools
import mmap
import os
import platform
import struct
import time
from typing import Any

VARIABLE = "DEBUG_GYM_CLOCK"
"""ISO 8601; UTC unless it says otherwise."""
_LATER = {"localtime": 0, "gmtime": 0, "ctime": 0}
"""Functions of ``time`` that ask the C library for the time in another way, and where it can be given."""
_PAGE = 4096


def _read(moment: str) -> datetime.datetime:
    if hasattr(datetime.datetime, "fromisoformat"):
        return datetime.datetime.fromisoformat(moment)
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%z"):  # Python 3.6
        with contextlib.suppress(ValueError):
            return datetime.datetime.strptime(moment.replace("T", " ").replace("+00:00", "+0000"), form)
    raise ValueError("Invalid isoformat string: %r" % moment)


def stop_clock() -> None:
    """Let the wall clock stand still in this process and those that it forks; clocks that measure run on.

    Raises:
        ValueError: the variable's value is no date.
        OSError: this machine cannot do it.
    """
    moment = os.environ.get(VARIABLE)
    if not moment:
        return
    at = _read(moment)
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.timezone.utc)
    if platform.machine() != "x86_64":
        raise OSError("%s needs an x86-64 processor" % VARIABLE)
    _jump(_answer(int(at.timestamp()), at.microsecond * 1000))
    for name, index in _LATER.items():
        setattr(time, name, _given_now(getattr(time, name), index))
    time.strftime = _given_now(time.strftime, 1, time.localtime)
    time.asctime = _given_now(time.asctime, 0, time.localtime)


def _given_now(function: Any, index: int, now: Any = time.time) -> Any:
    """The function, called with the present where it is called without a time."""

    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        if len(arguments) == index or arguments[index:] == (None,):
            arguments = (*arguments[:index], now())
        return function(*arguments)

    return called


def _answer(seconds: int, nanoseconds: int) -> bytes:
    """Machine code of ``clock_gettime``: CLOCK_REALTIME is a constant, others are asked of the kernel."""
    return b"".join(
        [
            b"\x85\xff\x75\x1e",  # test edi, edi; jnz to the system call
            b"\x48\xb8" + struct.pack("<q", seconds) + b"\x48\x89\x06",  # mov [rsi], seconds
            b"\x48\xb8" + struct.pack("<q", nanoseconds) + b"\x48\x89\x46\x08",  # mov [rsi + 8], nanoseconds
            b"\x31\xc0\xc3",  # xor eax, eax; ret
            b"\xb8\xe4\x00\x00\x00\x0f\x05\xc3",  # mov eax, SYS_clock_gettime; syscall; ret
        ]
    )


def _jump(code: bytes) -> None:
    """Put a jump to this code where ``clock_gettime`` begins."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    page = libc.mmap(None, ctypes.c_size_t(_PAGE), 3, private, -1, ctypes.c_long(0))  # read and write
    ctypes.memmove(page, code, len(code))
    place = ctypes.cast(libc.clock_gettime, ctypes.c_void_p).value or 0
    jump = b"\xff\x25\0\0\0\0" + struct.pack("<Q", page)  # jmp [rip]
    for start, size, rights in ((page, _PAGE, 5), (place & -_PAGE, 2 * _PAGE, 7)):
        if libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(size), rights):
            raise OSError(ctypes.get_errno(), "%s: code cannot be changed here" % VARIABLE)
    ctypes.memmove(place, jump, len(jump))
    libc.mprotect(ctypes.c_void_p(place & -_PAGE), ctypes.c_size_t(2 * _PAGE), 5)
