"""The host's end of the protocol: requests go out, replies come in; whoever breaks the rules is killed.

The host distrusts the runtime: a reply is bounded in size and time.
"""

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxTimeoutError
from debug_gym.sandbox import replies
from debug_gym.sandbox.channel import Channel
from debug_gym.sandbox.server import wire

GRACE = 10.0
"""Seconds that the runtime gets beyond the limit of what it was asked to do."""
WARM_LIMIT = 120.0
"""Seconds for a runtime to start and import everything that it keeps warm."""
_FIRST = 1 << 14
"""Bytes that are asked for at least: what is left over of a reply is an error, as one request has one."""
MAX_REPLY = 128 << 20

T = TypeVar("T")

_live: "weakref.WeakSet[Connection]" = weakref.WeakSet()


class Connection:
    """The host's end of a channel to a runtime, and what is held for it.

    Args:
        channel: leads to the runtime.
        kill: ends every process of the sandbox; called once, and never in a forked copy of this process.
        held: descriptors to close at the end, also of a sandbox that is forgotten and not closed.
    """

    def __init__(self, channel: Channel, *, kill: Callable[[], None], held: Sequence[int] = ()) -> None:
        self.lock = threading.RLock()
        """Whoever has it may ask, or use what is held."""
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._channel: Channel | None = channel
        self._kill: Callable[[], None] | None = kill
        self._release = weakref.finalize(self, _close_all, tuple(held))
        self._release.atexit = False
        self._died = ""
        _live.add(self)

    @property
    def alive(self) -> bool:
        """The runtime can be asked."""
        return self._channel is not None

    def is_silent(self) -> bool:
        """Whether the runtime is still there and says nothing, as it should while it is asked nothing."""
        with self.lock:
            if self._channel is None:
                return False
            try:
                self._channel.receive(1, 0.0)
            except TimeoutError:
                return True
            except OSError:
                pass
            self.fail("the sandbox died while it waited")
            return False

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
            raise self.checked(replies.parse_error, reply)
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
            channel = self._channel
            if channel is None:
                raise SandboxDiedError(self._died or "the sandbox is closed")
            data = wire.encode(message, blob)
            deadline = time.monotonic() + within + GRACE
            try:
                with self._sending:
                    channel.send(data, deadline)
                return _receive(channel, deadline)
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
            with self._sending, contextlib.suppress(OSError, ValueError):
                channel.send(wire.encode({"op": "interrupt"}), time.monotonic() + GRACE)

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
            channel.hang_up()
            self._kill_once()
        with self.lock:
            self._end()
            return bool(self._release())

    def demand_held(self) -> None:
        """Raise ``SandboxDiedError`` if what was held is closed: its numbers may be somebody else's now."""
        if not self._release.alive:
            raise SandboxDiedError(self._died or "the sandbox is closed")

    def _end(self) -> None:
        """Hang up, end every process, and let go of the channel."""
        if self._channel is None:
            return
        self._channel.hang_up()  # at which a runtime ends its children
        try:
            self._kill_once()
        finally:
            self._channel.close()
            self._channel = None

    def _kill_once(self) -> None:
        with self._ending:
            kill, self._kill = self._kill, None
            if kill is not None:
                kill()

    def forget(self) -> None:
        """In a forked copy of the gym's process: let go of the descriptors, do nothing else."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._release()
        self._kill = None
        self._died = "this sandbox belongs to the process that this one was forked from"
        self.lock = threading.RLock()


def _receive(channel: Channel, deadline: float) -> tuple[dict[str, Any], bytes]:
    """One frame; small ones, which are most, are read at once.

    Raises:
        EOFError: it will not come.
        ProtocolError: it is too large, or more than one.
    """
    data, size, text_end = bytearray(), wire.HEADER.size, 0
    while len(data) < size:
        part = channel.receive(min(max(size - len(data), _FIRST), 1 << 20), deadline)
        if not part:
            raise EOFError
        data += part
        if not text_end and len(data) >= wire.HEADER.size:
            text_size, blob_size = wire.HEADER.unpack_from(data)
            if text_size + blob_size > MAX_REPLY:
                raise ProtocolError(f"the runtime announced a reply of {text_size + blob_size} bytes")
            text_end = wire.HEADER.size + text_size
            size = text_end + blob_size
    if len(data) > size:
        raise ProtocolError("the runtime sent more than a reply")
    return wire.decode(bytes(data[wire.HEADER.size : text_end])), bytes(data[text_end:])


def _close_all(descriptors: Sequence[int]) -> bool:
    for fd in descriptors:
        os.close(fd)
    return True


def _forget_all() -> None:
    for connection in list(_live):
        connection.forget()


os.register_at_fork(after_in_child=_forget_all)
