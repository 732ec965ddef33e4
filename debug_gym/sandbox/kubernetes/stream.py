"""The stdin and stdout of a command in a pod: one WebSocket, its messages marked with the stream's number."""

import json
import select
import threading
import time
from contextlib import suppress
from typing import Any

from kubernetes.stream import stream
from websocket import ABNF, WebSocketException, WebSocketTimeoutException

from debug_gym.sandbox.kubernetes.cluster import Cluster, short

STDIN, STDOUT, STDERR, STATUS, CLOSE = b"\x00", 1, 2, 3, 255
STALL = 60.0
"""Seconds in which a message that has begun must come to its end."""
PIECE = 1 << 18
"""Bytes of a message to the pod."""
KEPT = 4096
"""Bytes of what is said on stderr that are kept, from its end."""


class WebSocketChannel:
    """A channel over ``GET /api/v1/namespaces/{namespace}/pods/{name}/exec``.

    The protocols are ``v4.channel.k8s.io`` and ``v5.channel.k8s.io``: binary messages, the first byte of
    which says which stream they belong to. See https://kubernetes.io/docs/reference/using-api/websocket-protocol/.
    """

    def __init__(self, opened: Any) -> None:
        self._socket: Any = opened.sock
        self._socket.settimeout(STALL)
        self._left = b""
        """What came and was not asked for yet."""
        self._over = False
        self._sending = threading.Lock()
        self.stderr = b""
        """The end of what the command has said there."""
        self.status: dict[str, Any] | None = None
        """How the command ended, once it has."""

    @classmethod
    def run(cls, cluster: Cluster, pod: str, container: str, command: list[str]) -> "WebSocketChannel":
        """Start a command in a pod.

        Raises:
            ClusterError: the cluster refuses.
        """
        asked = cluster.another()
        options = {"stdin": True, "stdout": True, "stderr": True, "tty": False}
        method = asked.core.connect_get_namespaced_pod_exec

        def call(name: str, namespace: str, _request_timeout: Any) -> Any:
            return stream(
                method,
                name,
                namespace,
                command=command,
                container=container,
                _preload_content=False,
                _request_timeout=_request_timeout,
                binary=True,
                **options,
            )

        try:
            return cls(asked.ask(f"a command in the pod {pod}", call, pod))
        finally:
            asked.close()

    def send(self, data: bytes, deadline: float) -> None:
        """See ``Channel.send``."""
        view = memoryview(data)
        while view:
            with self._sending:
                if self._over:
                    raise BrokenPipeError
                _wait(self._socket.sock, select.POLLOUT, deadline)
                with _as_os_errors():
                    self._socket.send(STDIN + bytes(view[:PIECE]), opcode=ABNF.OPCODE_BINARY)
            view = view[PIECE:]

    def receive(self, limit: int, deadline: float) -> bytes:
        """See ``Channel.receive``."""
        while not self._left:
            if self._over or not self._more(deadline):
                return b""
        data, self._left = self._left[:limit], self._left[limit:]
        return data

    def _more(self, deadline: float) -> bool:
        """Read a message; False: there will be no more."""
        connected = self._socket.sock
        if connected is None:
            return False
        if not getattr(connected, "pending", int)():  # bytes that TLS has read already are seen by no poll
            _wait(connected, select.POLLIN, deadline)
        with _as_os_errors():
            code, frame = self._socket.recv_data_frame(True)
        if code == ABNF.OPCODE_CLOSE:
            return False
        data: bytes = frame.data if code in {ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT} else b""
        if not data:
            return True
        number, content = data[0], data[1:]
        if number == STDOUT:
            self._left = content
        elif number == STDERR:
            self.stderr = (self.stderr + content)[-KEPT:]
        elif number == STATUS:
            with suppress(ValueError):
                self.status = json.loads(content)
            return False
        return number != CLOSE or content[:1] != bytes([STDOUT])

    def hang_up(self) -> None:
        """See ``Channel.hang_up``. The node ends the command's stdin, at which the runtime ends."""
        self._over = True
        with suppress(OSError, AttributeError):
            self._socket.sock.shutdown(2)

    def close(self) -> None:
        """See ``Channel.close``."""
        self._over = True
        with suppress(OSError, WebSocketException):
            self._socket.shutdown()


class _as_os_errors:  # noqa: N801 - reads as a function
    """Around calls of the WebSocket package: its errors become those of a channel."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, WebSocketTimeoutException):
            raise TimeoutError from error
        if isinstance(error, WebSocketException | AttributeError):  # closed in the middle of it
            raise ConnectionResetError(short(error)) from error


def _wait(connected: Any, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(connected, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
