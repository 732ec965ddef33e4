"""The way to a runtime and back, as bytes. What it leads through, nobody above it knows."""

import contextlib
import os
import select
import socket
import threading
import time
from typing import Protocol


class HasDescriptor(Protocol):
    """A file or a socket."""

    def fileno(self) -> int:
        """The number of its descriptor."""
        ...

    def close(self) -> None:
        """Close it. Twice is fine."""
        ...


class Channel(Protocol):
    """Bytes to a runtime and back, in order and whole: a socket, two pipes, the stream of ``docker exec``, a
    websocket.

    At most one thread sends at a time, and at most one receives. A ``deadline`` is a time of
    ``time.monotonic()``.
    """

    def send(self, data: bytes, deadline: float) -> None:
        """Hand over all of it.

        Raises:
            TimeoutError: the other end does not take it in time.
            ConnectionError: the other end is gone, or this one has hung up.
        """
        ...

    def receive(self, limit: int, deadline: float) -> bytes:
        """Wait for what comes next: at least one byte, at most ``limit``; none if nothing more will come.

        Raises:
            TimeoutError: nothing has come in time.
            ConnectionError: the way is broken.
        """
        ...

    def hang_up(self) -> None:
        """Let the other end know that this was all, at which it ends. Any thread may, more than once."""
        ...

    def close(self) -> None:
        """Free what this process holds of it; a copy in the process that this one was forked from stays."""
        ...


class PipeChannel:
    """A channel over two pipes, such as those of a program's stdin and stdout.

    Args:
        reader: where replies come from. It is made non-blocking and read past its buffer.
        writer: where requests go.
    """

    def __init__(self, reader: HasDescriptor, writer: HasDescriptor) -> None:
        self.reader, self.writer = reader, writer
        self._over = False
        self._writing = threading.Lock()
        for end in (reader, writer):
            os.set_blocking(end.fileno(), False)

    def send(self, data: bytes, deadline: float) -> None:
        """See ``Channel.send``."""
        view = memoryview(data)
        while view:
            with self._writing:  # nobody closes it meanwhile: its number could be another's
                if self._over:
                    raise BrokenPipeError
                fd = self.writer.fileno()
                with contextlib.suppress(BlockingIOError):
                    view = view[os.write(fd, view) :]
                    continue
            _wait(fd, select.POLLOUT, deadline)

    def receive(self, limit: int, deadline: float) -> bytes:
        """See ``Channel.receive``."""
        fd = self.reader.fileno()
        while True:
            try:
                return os.read(fd, limit)
            except BlockingIOError:
                _wait(fd, select.POLLIN, deadline)

    def hang_up(self) -> None:
        """See ``Channel.hang_up``."""
        with self._writing:
            self._over = True
            self._shut()

    def _shut(self) -> None:
        self.writer.close()

    def close(self) -> None:
        """See ``Channel.close``."""
        self._over = True
        self.writer.close()
        self.reader.close()


class SocketChannel(PipeChannel):
    """A channel over a connected stream socket."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(connected, connected)
        self._socket = connected

    def _shut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _wait(fd: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(fd, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
