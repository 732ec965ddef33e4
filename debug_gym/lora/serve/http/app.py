"""The endpoint: ``/v1/models``, ``/v1/chat/completions``, ``/health`` and ``/metrics``."""

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import ValidationError

from debug_gym.addresses import may_ask
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.lora.serve import request as engine
from debug_gym.lora.serve.assistant import Assistant, Question
from debug_gym.lora.serve.http.answers import Answer, error, finish_reason, tool_calls
from debug_gym.lora.serve.http.deltas import Deltas
from debug_gym.lora.serve.http.metrics import Metrics
from debug_gym.lora.serve.http.protocol import ChatRequest
from debug_gym.lora.serve.request import EngineBusyError, EngineError, Generated, PromptTooLongError
from debug_gym.lora.serve.sampling import Token
from debug_gym.lora.serve.served import BASE

MAX_BODY = 32 * 1024**2
"""Bytes of a request."""
LOOK = 0.5
"""Seconds between two looks whether a client is still there."""
LONGEST_WAIT = 60
"""Seconds that a refused client is told to wait at most."""


class RefusedError(Exception):
    """A request that is not answered, with the status and the body that say why."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        kind = "server_error" if status >= 500 else "invalid_request_error"
        content = error(message, "rate_limit_error" if status == 429 else kind, code)
        self.body = json.dumps(content)
        self.response = JSONResponse(
            content,
            status,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


class Endpoint:
    """The handlers, around one assistant."""

    def __init__(self, assistant: Assistant, name: str, key: str | None = None) -> None:
        """Serve an assistant; ``name`` is the base's, ``key`` what clients must send as a bearer token."""
        self.assistant, self.metrics = assistant, Metrics(assistant.engine)
        self._name, self._key, self._began = name, key, int(time.time())

    @property
    def names(self) -> list[str]:
        """What can be asked for as ``model``."""
        served = self.assistant.engine.served
        return [self._name, *served.experts, *served.routers]

    async def models(self, request: Request) -> JSONResponse:
        """``GET /v1/models``."""
        self._authorise(request)
        length = self.assistant.engine.max_length
        entries = [
            {
                "id": name,
                "object": "model",
                "created": self._began,
                "owned_by": "debug-gym",
                "root": self._name,
                "max_model_len": length,
            }
            for name in self.names
        ]
        return JSONResponse({"object": "list", "data": entries})

    async def health(self) -> JSONResponse:
        """``GET /health``."""
        return JSONResponse({"status": "ok", **self.assistant.engine.load})

    async def figures(self) -> PlainTextResponse:
        """``GET /metrics``."""
        return PlainTextResponse(self.metrics.page(), media_type="text/plain; version=0.0.4")

    async def chat(self, request: Request) -> Any:
        """``POST /v1/chat/completions``."""
        try:
            self._authorise(request)
            body = await self._body(request)
            exchange = Exchange(self, body, self._model(body.model))
            await exchange.begin()
        except RefusedError as refused:
            self.metrics.answered(refused.response.status_code)
            return refused.response
        if body.stream:
            self.metrics.answered(200)
            return StreamingResponse(exchange.events(), media_type="text/event-stream")
        try:
            answer = JSONResponse(await exchange.whole(request))
        except RefusedError as refused:
            answer = refused.response
        self.metrics.answered(answer.status_code)
        return answer

    def busy(self, message: str) -> RefusedError:
        """Too much to do, and when there may be less."""
        waves = self.assistant.engine.load["waiting"] / self.assistant.engine.settings.max_batch
        seconds = min(LONGEST_WAIT, max(1, math.ceil(waves * self.metrics.mean_seconds)))
        return RefusedError(429, message, "rate_limit_exceeded", retry_after=str(seconds))

    def _authorise(self, request: Request) -> None:
        if not may_ask(request.headers.get("authorization", ""), self._key):
            raise RefusedError(401, "this server needs its key as a bearer token", "invalid_api_key")

    def _model(self, name: str) -> str:
        if name not in (*self.names, BASE):
            known = ", ".join(self.names)
            raise RefusedError(404, f"there is no model {name!r} here; there are: {known}", "model_not_found")
        return BASE if name == self._name else name

    async def _body(self, request: Request) -> ChatRequest:
        if "json" not in request.headers.get("content-type", "application/json"):
            raise RefusedError(415, "the body must be JSON, and its content type application/json")
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise RefusedError(413, f"the request is larger than {MAX_BODY // 1024**2} MiB")
            parts.append(part)
        try:
            return ChatRequest.model_validate_json(b"".join(parts))
        except ValidationError as invalid:
            first = invalid.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the body"
            raise RefusedError(400, f"{where}: {first['msg']}") from None


class Exchange:
    """One request on its way to its answer."""

    def __init__(self, endpoint: Endpoint, body: ChatRequest, model: str) -> None:
        self._endpoint, self._body = endpoint, body
        self._assistant = endpoint.assistant
        self._questions: list[Question] = body.questions(model)
        self._asked: list[engine.Request] = []
        tokenizer = self._assistant.engine.tokenizer
        self._answer = Answer(body.model, tokenizer, logprobs=body.logprobs, ids=body.return_token_ids)
        self._heard: asyncio.Queue[tuple[int, str, Token | None]] = asyncio.Queue()
        self._began = time.monotonic()
        self._first: float | None = None

    async def begin(self) -> None:
        """Queue the questions; all of them or none.

        Raises:
            RefusedError: they cannot be.
        """
        loop = asyncio.get_running_loop()
        try:
            for number, question in enumerate(self._questions):
                asked = await asyncio.to_thread(self._ask, loop, number, question)
                self._asked.append(asked)
        except DebugGymError as problem:
            self._cancel()
            raise self._refusal(problem) from problem

    async def whole(self, request: Request) -> Any:
        """The answer in one piece.

        Raises:
            RefusedError: there is none.
        """
        try:
            results = [await self._result(request, asked) for asked in self._asked]
        except DebugGymError as problem:
            raise self._refusal(problem) from problem
        finally:
            self._cancel()
        self._endpoint.metrics.took("request", time.monotonic() - self._began)
        pairs = zip(self._questions, results, strict=True)
        found = [(made, self._assistant.read(question, made)) for question, made in pairs]
        return self._answer.whole(found, self._asked[0].prompt)

    async def events(self) -> AsyncIterator[str]:
        """The answer in parts. A client that goes away ends it."""
        try:
            async for chunk in self._chunks():
                yield f"data: {json.dumps(chunk)}\n\n"
            yield "data: [DONE]\n\n"
        except DebugGymError as problem:
            yield f"data: {self._refusal(problem).body}\n\n"
        finally:
            self._cancel()
            self._endpoint.metrics.took("request", time.monotonic() - self._began)

    def _ask(self, loop: asyncio.AbstractEventLoop, number: int, question: Question) -> engine.Request:
        def hear(text: str, token: Token | None) -> None:
            loop.call_soon_threadsafe(self._heard.put_nowait, (number, text, token))

        asked = self._assistant.ask(question, hear)
        asked.result.add_done_callback(lambda _: None if loop.is_closed() else hear("", None))
        return asked

    async def _result(self, request: Request, asked: engine.Request) -> Generated:
        future = asyncio.wrap_future(asked.result)
        while not future.done():
            await asyncio.wait([future], timeout=LOOK)
            if await request.is_disconnected():
                self._cancel()
        return future.result()

    async def _chunks(self) -> AsyncIterator[Any]:
        tools = bool(self._questions[0].offered)
        deltas = [Deltas(tools=tools) for _ in self._asked]
        heard, sent = Counter[int](), Counter[int]()
        for number in range(len(self._asked)):
            yield self._answer.first(number, self._asked[number].prompt)
        left = len(self._asked)
        while left:
            number, text, token = await self._heard.get()
            if token is None:
                left -= 1
                for chunk in self._ended(number, deltas[number], sent[number]):
                    yield chunk
                continue
            self._first_token()
            heard[number] += 1
            if delta := deltas[number].add(text):
                tokens = self._asked[number].tokens[sent[number] : heard[number]]
                yield self._answer.chunk(number, dict(delta), tokens=tokens)
                sent[number] = heard[number]
        if self._body.stream_options and self._body.stream_options.include_usage:
            yield self._answer.last([asked.result.result() for asked in self._asked])

    def _ended(self, number: int, deltas: Deltas, sent: int) -> list[Any]:
        """The chunks after the last token of a choice: the rest of its text, its calls, its end."""
        generated = self._asked[number].result.result()
        found = self._assistant.read(self._questions[number], generated)
        chunks = []
        if rest := deltas.end(found):
            chunks.append(self._answer.chunk(number, dict(rest)))
        for index, call in enumerate(tool_calls(found)):
            chunks.append(self._answer.chunk(number, {"tool_calls": [{"index": index, **call}]}))
        reason = finish_reason(generated, found)
        last = self._answer.chunk(number, {}, tokens=generated.tokens[sent:], finish_reason=reason)
        return [*chunks, last]

    def _first_token(self) -> None:
        if self._first is None:
            self._first = time.monotonic() - self._began
            self._endpoint.metrics.took("first_token", self._first)

    def _cancel(self) -> None:
        for asked in self._asked:
            asked.cancel()

    def _refusal(self, problem: DebugGymError) -> RefusedError:
        if isinstance(problem, EngineBusyError):
            return self._endpoint.busy(str(problem))
        if isinstance(problem, PromptTooLongError):
            return RefusedError(400, str(problem), "context_length_exceeded")
        if isinstance(problem, UnknownNameError):
            return RefusedError(404, str(problem), "model_not_found")
        return RefusedError(500 if isinstance(problem, EngineError) else 400, str(problem))


def make_app(assistant: Assistant, name: str, key: str | None = None) -> FastAPI:
    """The ASGI application; see ``Endpoint``."""
    endpoint = Endpoint(assistant, name, key)
    app = FastAPI(title="debug-gym serve", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/v1/models", endpoint.models, response_model=None)
    app.add_api_route("/v1/chat/completions", endpoint.chat, methods=["POST"], response_model=None)
    app.add_api_route("/health", endpoint.health, response_model=None)
    app.add_api_route("/metrics", endpoint.figures, response_model=None)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, RefusedError)
        return problem.response

    return app
