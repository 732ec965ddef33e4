"""The endpoint as a process."""

import uvicorn

from debug_gym.addresses import demand_secret
from debug_gym.lora.serve.assistant import Assistant
from debug_gym.lora.serve.http.app import make_app

GRACE = 5
"""Seconds that answers under way may take once the server is told to stop."""


def check_address(host: str, key: str | None) -> None:
    """See that not everybody can use the model.

    Raises:
        ConfigError: there is no key although other machines can reach the address.
    """
    demand_secret(host, key, "DEBUG_GYM_SERVE_KEY", used="the model", sent="their API key")


def serve(assistant: Assistant, name: str, host: str, port: int, key: str | None) -> None:
    """Serve at ``http://host:port/v1`` until the process is told to stop.

    Args:
        assistant: what answers; it is closed at the end.
        name: what the base model is called.
        host: the address to listen on.
        port: 0 lets the system choose one; the log on stderr names it.
        key: what clients must send as their API key. None: no one is asked.

    Raises:
        ConfigError: as ``check_address``.
    """
    check_address(host, key)
    app = make_app(assistant, name, key)
    try:
        uvicorn.run(app, host=host, port=port, log_level="info", timeout_graceful_shutdown=GRACE)
    finally:
        assistant.close()
