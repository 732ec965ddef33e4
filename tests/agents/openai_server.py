"""A real HTTP server on 127.0.0.1 that plays a script of chat completions and keeps what it was asked."""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


@dataclass
class Request:
    """What a client sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
    """Seconds on the monotonic clock."""


@dataclass
class Answer:
    """One line of the script."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    content_type: str = "application/json"


class ScriptedServer:
    """Answers each request with the next line of its script, whatever was asked; use it in a ``with``."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._script: deque[Answer] = deque()
        self._released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server._serve(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "ScriptedServer":
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def call(self, name: str, arguments: dict[str, Any] | str | None = None, key: str = "") -> dict[str, Any]:
        """A tool call for ``say``; arguments given as a string go out as they are."""
        text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
        return {"id": key, "type": "function", "function": {"name": name, "arguments": text}}

    def say(
        self,
        text: str | None = None,
        *calls: dict[str, Any],
        usage: dict[str, Any] | None = USAGE,
        finish_reason: str | None = None,
        **extra: Any,
    ) -> None:
        """Script a proper completion with a text and tool calls."""
        message = {"role": "assistant", "content": text, **extra}
        if calls:
            message["tool_calls"] = list(calls)
        reason = finish_reason or ("tool_calls" if calls else "stop")
        choice = {"index": 0, "message": message, "finish_reason": reason}
        body = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        self.raw(json.dumps(body if usage is None else {**body, "usage": usage}))

    def fail(self, status: int, message: str, *, code: str | None = None, **headers: str) -> None:
        """Script an error; headers are keywords (``retry_after="1"``)."""
        body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._script.append(Answer(body, status, named))

    def raw(self, body: str, content_type: str = "application/json") -> None:
        """Script a body that need not be a completion."""
        self._script.append(Answer(body.encode(), content_type=content_type))

    def hang(self, seconds: float = 60.0) -> None:
        """Script a request that is not answered; it ends when the server does."""
        self._script.append(Answer(delay=seconds))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        return self.requests[-1].body["messages"]  # type: ignore[no-any-return]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append(Request(handler.path, headers, body, time.monotonic()))
        if not self._script:
            self.fail(400, "the script of this server is at its end")
        answer = self._script.popleft()
        if answer.delay:
            self._released.wait(answer.delay)
            return
        handler.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)
