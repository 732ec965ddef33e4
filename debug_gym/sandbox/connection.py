"""The host's end of the protocol: requests go out, replies come in; whoever breaks the rules is killed.

The host distrusts the runtime: a reply is bounded in size and time.
"""

import contextlib
import os
import select
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxTimeoutError
from debug_gym.sandbox import replies
from debug_gym.sandbox.server import wire

GRACE = 10.0
"""Seconds that the runtime gets beyond the limit of what it was asked to do."""
WARM_LIMIT = 120.0
"""Seconds for a runtime to start and import everything that it keeps warm."""
MAX_REPLY = 128 << 20

T = TypeVar("T")

_live: "weakref.WeakSet[Connection]" = weakref.WeakSet()


class Connection:
    """A runtime's socket, and what is held for it.

    Args:
        channel: the socket.
        pidfd: a descriptor of the runtime's process.
        held: descriptors to close at the end.
        kill: killing that process ends all others of the sandbox.
    """

    def __init__(
        self, channel: socket.socket, *, pidfd: int, held: Sequence[int] = (), kill: bool = True
    ) -> None:
        self.pidfd = pidfd
        self.lock = threading.RLock()
        """Whoever has it may ask, or use what is held."""
        self._sending = threading.Lock()
        self._channel: socket.socket | None = channel
        self._kill = kill
        self._release = weakref.finalize(self, _close_all, (pidfd, *held))
        """Closes the descriptors, also those of a sandbox that is forgotten and not closed."""
        self._release.atexit = False
        self._died = ""
        channel.setblocking(False)
        _live.add(self)

    @property
    def alive(self) -> bool:
        """The runtime can be asked."""
        return self._channel is not None

    def request(
        self, op: str, blob: bytes = b"", *, within: float = 0.0, **arguments: Any
    ) -> tuple[dict[str, Any], bytes]:
        """Send one request and wait for its reply, at most ``within`` seconds and a grace.

        Raises:
            SandboxDiedError, SandboxTimeoutError, ProtocolError: the sandbox is of no more use.
            OSError, ValueError: what the runtime said is wrong with the request.
        """
        reply, payload = self._exchange({"op": op, **arguments}, blob, within)
        if "error" in reply:
            raise self.checked(replies.error, reply)
        return reply, payload

    def checked(self, parse: Callable[[dict[str, Any]], T], reply: dict[str, Any]) -> T:
        """A reply that must be of a certain form.

        Raises:
            ProtocolError: it is not.
        """
        try:
            return parse(reply)
        except ProtocolError as error:
            self.fail(f"the sandbox sent an invalid reply and was killed: {error}")
            raise ProtocolError(self._died) from None

    def greet(self, config: dict[str, Any]) -> dict[str, Any]:
        """Hand its configuration to a runtime that was started as a plain program; return what it says of
        itself."""
        return self._exchange(config, b"", WARM_LIMIT)[0]

    def _exchange(self, message: dict[str, Any], blob: bytes, within: float) -> tuple[dict[str, Any], bytes]:
        with self.lock:
            if self._channel is None:
                raise SandboxDiedError(self._died or "the sandbox is closed")
            data = wire.encode(message, blob)
            deadline = time.monotonic() + within + GRACE
            try:
                self._send(data, deadline)
                text_size, blob_size = wire.HEADER.unpack(self._receive(wire.HEADER.size, deadline))
                if text_size + blob_size > MAX_REPLY:
                    raise ProtocolError(f"the runtime announced a reply of {text_size + blob_size} bytes")
                reply = wire.decode(self._receive(text_size, deadline))
                return reply, self._receive(blob_size, deadline)
            except (ConnectionError, EOFError):
                self.fail("the sandbox died: its first process was killed or ran out of memory")
                raise SandboxDiedError(self._died) from None
            except TimeoutError:
                what = message.get("op", "its first request")
                self.fail(f"the sandbox did not answer {what!r} within {within + GRACE:.0f} s and was killed")
                raise SandboxTimeoutError(self._died) from None
            except (ProtocolError, ValueError, RecursionError) as error:
                self.fail(f"the sandbox sent an invalid reply and was killed: {error}")
                raise ProtocolError(self._died) from None
            except BaseException:  # e.g. Ctrl-C: what is answered later would be taken for the next reply
                self.fail("the sandbox was killed, since a request to it was interrupted")
                raise

    def interrupt(self) -> None:
        """End the request that another thread has under way as if its time were over."""
        channel = self._channel
        if channel is not None:
            with self._sending, contextlib.suppress(OSError):
                channel.send(wire.encode({"op": "interrupt"}))

    def _send(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        with self._sending:
            while view:
                try:
                    view = view[self._channel.send(view) :]  # type: ignore[union-attr]
                except BlockingIOError:
                    self._wait(select.POLLOUT, deadline)

    def _receive(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                part = self._channel.recv(min(size - len(data), 1 << 20))  # type: ignore[union-attr]
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _wait(self, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._channel, event)  # type: ignore[arg-type]
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError

    # -- the end -------------------------------------------------------------------------------

    def fail(self, reason: str) -> None:
        """Kill the runtime; whoever asks it again is told why."""
        self._died = self._died or reason
        self._end()

    def close(self) -> bool:
        """End the runtime and close what is held; say whether this was the first time. From another thread
        it ends a request that is under way."""
        channel = self._channel
        if channel is not None:
            self._died = self._died or "the sandbox is closed"
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
        with self.lock:
            self._end()
            return bool(self._release())

    def demand_held(self) -> None:
        """Raise ``SandboxDiedError`` if what was held is closed: its numbers may be somebody else's now."""
        if not self._release.alive:
            raise SandboxDiedError(self._died or "the sandbox is closed")

    def _end(self) -> None:
        """Kill the first process, and with it everything, and let go of the channel."""
        if self._channel is None:
            return
        self._channel.close()  # at which a runtime ends its children
        self._channel = None
        if self._kill:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def forget(self) -> None:
        """In a forked copy of the gym's process: let go of the descriptors, do nothing else."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._release()
        self._died = "this sandbox belongs to the process that this one was forked from"
        self.lock = threading.RLock()


def _close_all(descriptors: Sequence[int]) -> bool:
    for fd in descriptors:
        os.close(fd)
    return True


def _forget_all() -> None:
    for connection in list(_live):
        connection.forget()


os.register_at_fork(after_in_child=_forget_all)
