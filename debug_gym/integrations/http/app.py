"""The endpoints. ``docs/http.md`` describes them for clients in other languages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.to_thread
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from debug_gym.addresses import demand_secret, may_ask
from debug_gym.errors import ConfigError, DebugGymError, UnknownNameError
from debug_gym.integrations.http.sessions import (
    BusyError,
    ClosedError,
    FullError,
    OutOfTurnError,
    Sessions,
    UnknownSessionError,
)
from debug_gym.session import EpisodeOverError
from debug_gym.version import VERSION

VARIABLE = "DEBUG_GYM_HTTP_TOKEN"
"""Of the environment: the token that clients must send."""
MAX_BODY = 4 * 1024**2
"""Bytes of a request."""
GRACE = 5
"""Seconds that calls under way may take once the server is told to stop."""
RETRY_AFTER = 1
"""Seconds that a client is told to wait where there is no place."""
STATUS: dict[type[Exception], int] = {
    FullError: 429,
    ClosedError: 503,
    BusyError: 409,
    OutOfTurnError: 409,
    UnknownSessionError: 404,
    EpisodeOverError: 410,
    UnknownNameError: 400,
    ConfigError: 400,
}
"""What is wrong with a request. Every other error is the infrastructure's: 503."""


class Episode(BaseModel):
    """Which episode to begin."""

    model_config = ConfigDict(extra="forbid")
    task: str | None = None
    seed: int | None = Field(default=None, ge=0)


class Move(BaseModel):
    """A step to play."""

    model_config = ConfigDict(extra="forbid")
    action: dict[str, Any] | str
    number: int | None = Field(default=None, ge=0)
    thought: str = ""


def make_app(sessions: Sessions, token: str | None = None, workers: int = 32) -> FastAPI:
    """The server's ASGI application; it closes the sessions when it ends.

    Args:
        sessions: what it serves.
        token: clients must send ``Authorization: Bearer <token>``. None: no one is asked.
        workers: calls that are played at the same time; others wait.
    """
    places = anyio.CapacityLimiter(workers)

    async def play(call: Callable[..., Any], *arguments: Any) -> Any:
        # A client that goes away does not break off a step: it may come back and ask for its reply.
        with anyio.CancelScope(shield=True):
            return await anyio.to_thread.run_sync(call, *arguments, limiter=places)

    async def sweep() -> None:
        while True:
            await asyncio.sleep(min(sessions.lease / 4, 5.0))
            await anyio.to_thread.run_sync(sessions.sweep)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(sweep())
        try:
            yield
        finally:
            sweeping.cancel()
            await anyio.to_thread.run_sync(sessions.close_all)

    app = FastAPI(title="debug-gym", version=VERSION, lifespan=lifespan)
    app.add_exception_handler(DebugGymError, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)
    if token is None:  # or a page in a browser could lead here by a name of its own
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "::1"])

    @app.middleware("http")
    async def guard(request: Request, proceed: Callable[[Request], Any]) -> Any:
        if request.url.path != "/health" and not may_ask(request.headers.get("authorization", ""), token):
            return _error(
                401, "UnauthorizedError", f"this server needs its token ({VARIABLE}) as a bearer token"
            )
        if "transfer-encoding" in request.headers:
            return _error(411, "NoLengthError", "a request names its length in Content-Length")
        if (
            int(request.headers.get("content-length", "0")) > MAX_BODY
        ):  # the server has seen that it is a number
            return _error(413, "TooLongError", f"a request has at most {MAX_BODY // 1024**2} MiB")
        return await proceed(request)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the server is up, and how full it is."""
        return {"status": "ok", "sessions": sessions.live, "limit": sessions.limit}

    @app.get("/")
    async def served() -> dict[str, Any]:
        """What is served: the benchmark, its tasks, the tools."""
        config = sessions.plan.config
        return {
            "version": VERSION,
            "benchmark": config.benchmark,
            "tasks": list(sessions.plan.tasks.ids),
            "tools": sessions.tools,
            "max_steps": config.max_steps,
            "reward": sessions.reward,
            "lease": sessions.lease,
            "limit": sessions.limit,
        }

    @app.post("/sessions", status_code=201)
    async def begin(wanted: Episode) -> Any:
        """Begin an episode: a task by its id, or one that the seed draws."""
        return await play(sessions.open, wanted.task, wanted.seed)

    @app.get("/sessions/{name}")
    async def look(name: str) -> Any:
        """How a session stands; renews its lease."""
        return sessions.look(name)

    @app.post("/sessions/{name}/reset")
    async def reset(name: str, wanted: Episode) -> Any:
        """Leave the episode, and begin another."""
        return await play(sessions.reset, name, wanted.task, wanted.seed)

    @app.post("/sessions/{name}/step")
    async def step(name: str, move: Move) -> Any:
        """Play a tool call."""
        return await play(sessions.step, name, move.action, move.number, move.thought)

    @app.post("/sessions/{name}/finish")
    async def finish(name: str) -> Any:
        """Judge the episode as it stands."""
        return await play(sessions.finish, name)

    @app.post("/sessions/{name}/fork", status_code=201)
    async def fork(name: str) -> Any:
        """A session of its own that goes on from here."""
        return await play(sessions.fork, name)

    @app.delete("/sessions/{name}", status_code=204)
    async def close(name: str) -> Response:
        """Let go of a session."""
        await anyio.to_thread.run_sync(sessions.close, name)
        return Response(status_code=204)

    return app


def serve(sessions: Sessions, host: str, port: int, token: str | None, workers: int) -> None:
    """Serve at ``http://host:port`` until the process is told to stop.

    Args:
        sessions: what is served; all are closed at the end.
        host: the address to listen on.
        port: 0 lets the system choose one; the log on stderr names it.
        token: see ``make_app``.
        workers: see ``make_app``.

    Raises:
        ConfigError: there is no token although other machines can reach the address.
    """
    demand_secret(host, token, VARIABLE, used="the sandboxes", sent="a bearer token")
    app = make_app(sessions, token, workers)
    uvicorn.run(
        app, host=host, port=port, log_level="info", access_log=False, timeout_graceful_shutdown=GRACE
    )


def _refused(request: Request, error: Exception) -> JSONResponse:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 503)
    return _error(status, type(error).__name__, str(error))


def _failed(request: Request, error: Exception) -> JSONResponse:
    return _error(500, type(error).__name__, f"the server has failed: {error}")


def _unknown(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _error(
        error.status_code, type(error).__name__, f"{request.method} {request.url.path}: {error.detail}"
    )


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return _error(400, "InvalidRequestError", f"{where}: {first['msg']}")


def _error(status: int, kind: str, message: str) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 429 else None
    return JSONResponse({"error": {"type": kind, "message": message}}, status, headers)
