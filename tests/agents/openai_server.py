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
    """Seconds before the answer."""
    lost: int = 0
    """Bytes that are announced and never sent; -1: nothing at all is sent."""
    linger: float = 0.0
    """Seconds that the connection stays open after the answer."""
    content_type: str = "application/json"


class ScriptedServer:
    """Answers each request with the next line of its script, whatever was asked; use it in a ``with``."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.peak = 0
        """The most requests that were under way at a time."""
        self.models: Answer = Answer(b'{"error": {"message": "no such page"}}', 404)
        """The answer to ``GET /models``; such requests do not count as ``requests``."""
        self._busy = 0
        self._lock = threading.Lock()
        self._script: deque[Answer] = deque()
        self._released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server._serve(self)

            def do_GET(self) -> None:
                server._list(self)

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

    def respond(
        self, *output: dict[str, Any], status: str = "completed", stream: bool = False, **extra: Any
    ) -> None:
        """Script a response of the Responses API with output items."""
        usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
        body = {"id": "r", "object": "response", "status": status, "output": list(output), "usage": usage}
        body |= extra
        if not stream:
            self.raw(json.dumps(body))
            return
        start = {"type": "response.created", "response": {**body, "status": "in_progress", "output": []}}
        self.stream(start, {"type": f"response.{status}", "response": body}, done=False)

    def stream(self, *events: dict[str, Any] | str, done: bool = True, lost: int = 0) -> None:
        """Script a stream of events; it breaks off after them if ``lost`` is positive."""
        texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
        body = "".join(f"data: {text}\n\n" for text in [*texts, *(["[DONE]"] if done else [])])
        self._script.append(Answer(body.encode(), content_type="text/event-stream", lost=lost))

    def slow(self, seconds: float) -> None:
        """Let the answer that was scripted last take so long."""
        self._script[-1].delay = seconds

    def linger(self, seconds: float) -> None:
        """Keep the connection open for so long after the answer that was scripted last."""
        self._script[-1].linger = seconds

    def truncate(self, bytes_: int) -> None:
        """Do not send the last bytes of the answer that was scripted last."""
        answer = self._script[-1]
        answer.body, answer.lost = answer.body[:-bytes_], bytes_

    def fail(self, status: int, message: str, *, code: str | None = None, **headers: str) -> None:
        """Script an error; headers are keywords (``retry_after="1"``)."""
        body = json.dumps({"error": {"message": message, "type": "error", "code": code}}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._script.append(Answer(body, status, named))

    def raw(self, body: str | bytes, content_type: str = "application/json") -> None:
        """Script a body that need not be a completion."""
        data = body.encode() if isinstance(body, str) else body
        self._script.append(Answer(data, content_type=content_type))

    def hang(self, seconds: float = 60.0) -> None:
        """Script a request that is not answered; it ends when the server does."""
        self._script.append(Answer(delay=seconds, lost=-1))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        return self.requests[-1].body["messages"]  # type: ignore[no-any-return]

    def _list(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.models.status)
        handler.send_header("Content-Type", self.models.content_type)
        handler.send_header("Content-Length", str(len(self.models.body)))
        handler.end_headers()
        handler.wfile.write(self.models.body)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append(Request(handler.path, headers, body, time.monotonic()))
            if not self._script:
                self.fail(400, "the script of this server is at its end")
            answer = self._script.popleft()
            self._busy += 1
            self.peak = max(self.peak, self._busy)
        self._released.wait(answer.delay)
        with self._lock:
            self._busy -= 1
        if answer.lost < 0:
            return
        handler.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body) + answer.lost))
        handler.end_headers()
        handler.wfile.write(answer.body)
        handler.wfile.flush()
        self._released.wait(answer.linger)
