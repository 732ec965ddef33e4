"""Who may ask a server that has no guard of its own."""

from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from debug_gym.addresses import is_local, may_ask

LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")


def guarded(app: ASGIApp, token: str | None) -> ASGIApp:
    """The same application, for those who may ask.

    Args:
        app: over HTTP and WebSockets.
        token: clients must send ``Authorization: Bearer <token>``. None: they must be on this machine, and
            name it, as a page in a browser could lead here by a name of its own.
    """
    inside = _Guarded(app, token)
    return inside if token is not None else TrustedHostMiddleware(inside, allowed_hosts=LOCAL)


class _Guarded:
    """Turns away requests without the token, or from other machines where there is none."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and not self._may(scope):
            await _refuse(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        if self._token is None:
            client = scope.get("client")  # None: a socket of this machine
            return client is None or is_local(client[0])
        given: bytes = dict(scope["headers"]).get(b"authorization", b"")
        return may_ask(given.decode("latin-1"), self._token)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":  # before it is accepted: the client sees status 403
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": "a bearer token is needed"})
    else:
        await PlainTextResponse("a bearer token is needed", status_code=401)(scope, receive, send)
