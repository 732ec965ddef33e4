"""Who may ask a server that has no guard of its own."""

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from debug_gym.addresses import may_ask

LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")


def guarded(app: ASGIApp, token: str | None) -> ASGIApp:
    """The same application, for those who may ask.

    Args:
        app: over HTTP and WebSockets.
        token: clients must send ``Authorization: Bearer <token>``. None: they must name this machine, as a
            page in a browser could lead here by a name of its own.
    """
    return _Guarded(app, token) if token is not None else TrustedHostMiddleware(app, allowed_hosts=LOCAL)


class _Guarded:
    """Turns away requests without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not may_ask(given.decode("latin-1"), self._token):
                await _refuse(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":  # before it is accepted: the client sees status 403
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "a bearer token is needed"})
    else:
        await PlainTextResponse("a bearer token is needed", status_code=401)(scope, receive, send)
