"""The way to the daemon: one client a process, and one sentence for each way in which it can be missing."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from debug_gym.errors import SandboxError, SandboxUnavailableError, TaskError
from debug_gym.sandbox.docker.client import APIError, DockerException, ImageNotFound, RequestException, docker

TIMEOUT = 120
"""Seconds for one answer of the daemon: a commit of a large repository takes long."""
OLDEST = (1, 41)
"""Version of the interface that we speak: Docker 20.10."""
LABEL = "debug-gym"
"""Marks everything of ours: ``sandbox`` or ``prepared``."""
OWNER = "debug-gym.owner"
"""The process that a container was made for: see ``debug_gym.sandbox.docker.orphans``."""
_FULL = ("no space left on device", "disk quota exceeded", "not enough disk space")


class DaemonError(SandboxError):
    """The daemon refused something, or is gone."""


class NoRoomError(DaemonError):
    """The daemon's disk is full."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}: the daemon's disk is full: remove what is not needed, e.g.  debug-gym images --keep 20"
        )


def is_full(said: str) -> bool:
    """Whether these words are about a disk that is full."""
    return any(words in said.lower() for words in _FULL)


def connect() -> Any:
    """A client of the daemon that ``$DOCKER_HOST`` names, or the local one. Podman's socket serves as well.

    Raises:
        SandboxUnavailableError: there is no daemon, or it is too old.
    """
    where = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not where.startswith(("unix://", "tcp://")):
        raise SandboxUnavailableError(f"DOCKER_HOST is {where}, but only unix:// and tcp:// can be used")
    try:
        if where.startswith("unix://"):  # the docker package would leave a socket open where nobody listens
            with socket.socket(socket.AF_UNIX) as tried:
                tried.connect(where.removeprefix("unix://"))
        client = docker.DockerClient.from_env(timeout=TIMEOUT, version=".".join(map(str, OLDEST)))
        try:
            client.ping()
        except (DockerException, RequestException):
            client.close()
            raise
    except (OSError, DockerException) as error:
        raise SandboxUnavailableError(
            f"no Docker daemon of version 20.10 or newer answers at {where} ({short(error)}): start one, or "
            "set DOCKER_HOST"
        ) from None
    return client


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Around calls of the daemon: its errors become ours.

    Raises:
        TaskError: an image does not exist.
        NoRoomError: the daemon's disk is full.
        DaemonError: anything else.
    """
    try:
        yield
    except ImageNotFound as error:
        raise TaskError(f"{what}: there is no such image ({short(error)})") from None
    except (APIError, DockerException) as error:
        if is_full(str(error)):
            raise NoRoomError(what) from None
        raise DaemonError(f"{what}: the Docker daemon says: {short(error)}") from None
    except RequestException as error:
        raise DaemonError(f"{what}: the Docker daemon does not answer ({short(error)})") from None


def short(error: Exception) -> str:
    """The essence of an error, in one line."""
    said = getattr(error, "explanation", None) or str(error)
    return " ".join(str(said).split())[:300]
