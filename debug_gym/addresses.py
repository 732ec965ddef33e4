"""Where servers listen, and who may ask them."""

import hmac
from ipaddress import ip_address

from debug_gym.errors import ConfigError


def parse_address(text: str, option: str) -> tuple[str, int]:
    """Host and port of ``[HOST:]PORT``; without a host this machine alone.

    Raises:
        ConfigError: it is something else; the message names the option.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{option} takes a port or HOST:PORT, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def demand_secret(host: str, secret: str | None, variable: str, *, used: str, sent: str) -> None:
    """See that not everybody can use a server that other machines reach.

    Args:
        host: what it listens on.
        secret: what clients must send; None: nobody is asked.
        variable: of the environment, where the secret is read from.
        used: what a stranger could use: ``the sandboxes``.
        sent: how clients send it: ``a bearer token``.

    Raises:
        ConfigError: it needs a secret, and there is none.
    """
    if secret is None and not is_local(host):
        raise ConfigError(
            f"whoever reaches {host} could use {used}: set {variable} to a secret that clients must send as "
            f"{sent}, or listen on 127.0.0.1"
        )


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_ask(authorization: str, secret: str | None) -> bool:
    """Whether a request with this header ``Authorization`` has the secret as bearer token, if one is set."""
    return secret is None or hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode())
