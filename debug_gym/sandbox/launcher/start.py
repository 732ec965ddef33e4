"""Starting a sandbox: a fork of the template that builds its walls, and then waits for its repository.

Most of a start has nothing to do with the repository, so that it can be done ahead, while nobody waits.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
from typing import Any, Dict, NoReturn, Sequence

from ..server import linux
from ..server.limits import set_limits
from ..server.runtime import Runtime
from ..server.wire import Channel
from . import enclosure

_SIZE = struct.Struct(">I")


class Start:
    """The first process of a new sandbox, from outside.

    It gets a word when it has its user ids, then its repository, and another word when it is in its memory
    group: that takes long, and it has its walls to finish meanwhile.

    Args:
        shown: the arguments ``system``, ``interpreter`` and ``masked`` of ``Enclosure``.
        limits: of the sandbox.
        control: the template's socket; not the new process's business, and neither are the descriptors
            ``private``.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, shown: Dict[str, Any], limits: Dict[str, int], control: socket.socket, private: Sequence[int]
    ) -> None:
        self.limits = limits
        word, self._word = os.pipe()
        self._ours, theirs = socket.socketpair()
        self.pid, self._pidfd = -1, -1
        try:
            self.pid, self._pidfd = linux.fork_into(enclosure.NAMESPACES)
            if self.pid == 0:
                self._ours.close()
                control.close()
                _become(theirs, word, {**shown, "limits": limits}, (*private, self._word))
            enclosure.write_id_maps(self.pid)
            os.write(self._word, b"!")
        except OSError:
            self.close()
            raise
        finally:
            os.close(word)
            theirs.close()

    @property
    def alive(self) -> bool:
        """The process has not ended."""
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return not poll.poll(0)

    def lay(self, base: str, names: bytes) -> None:
        """Give it its repository. If it has ended, the host will hear why on its channel.

        ``base``: a folder, by its real path; ``names``: of the modules in it, as a JSON list.
        """
        path = os.fsencode(base)
        rest = memoryview(b"".join([_SIZE.pack(len(path)), path, _SIZE.pack(len(names)), names]))
        with contextlib.suppress(BrokenPipeError):
            while rest:
                rest = rest[os.write(self._word, rest) :]

    @property
    def rights(self) -> "array.array[int]":
        """For the host: a pidfd of the process, and the other end of its channel."""
        return array.array("i", [self._pidfd, self._ours.fileno()])

    def admit(self) -> None:
        """It is in its memory group, or needs none."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._word, b"!")

    def close(self) -> None:
        """Let go of it. It ends, unless it was admitted."""
        self._ours.close()
        for fd in (self._word, self._pidfd):
            if fd >= 0:
                os.close(fd)


def _become(sock: socket.socket, word: int, wanted: Dict[str, Any], others: Sequence[int]) -> NoReturn:
    """In the new process: build the walls, wait for a repository, serve. Never returns."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            os.close(other)
        if os.read(word, 1):
            _serve(sock, word, **wanted)
    finally:
        os._exit(1)


def _serve(sock: socket.socket, word: int, limits: dict[str, Any], **shown: Any) -> None:
    """In pid 1: build the walls, send the descriptors of its folders to the host, serve.

    They are sent while this process is still the gym's user: what other sandboxes keep in flight between
    sockets counts against theirs, and at the limit nobody can send any.
    """
    try:
        walls = enclosure.Enclosure(limits=limits, **shown)
        base, names = _read_frame(word), _read_frame(word)
        folders = walls.enter(os.fsdecode(base))
        sock.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", folders))])
        enclosure.lock()
        if not (os.access(sys.executable, os.X_OK) and os.access(os.__file__, os.R_OK)):
            raise PermissionError("ordinary users may not run %s: its folder is private" % sys.executable)
    except EOFError:
        return  # nobody needs it any more
    except Exception as error:
        sock.send(b"!" + str(error).encode())
        raise
    sock.send(b"+")
    for folder in folders[1:]:
        os.close(folder)
    os.umask(0o022)
    set_limits(limits)
    fd = sock.fileno()
    runtime = Runtime(Channel(fd, fd), enclosure.WORKSPACE, limits, json.loads(names))
    runtime.upper = folders[0]
    if os.read(word, 1):  # else the memory group is not to be had
        os.close(word)
        runtime.serve()


def _read_frame(fd: int) -> bytes:
    """Raises ``EOFError`` if there is none."""
    (size,) = _SIZE.unpack(_read_exactly(fd, _SIZE.size))
    return _read_exactly(fd, size)


def _read_exactly(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            raise EOFError
        data += part
    return data
