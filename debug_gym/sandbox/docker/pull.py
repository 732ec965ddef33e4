"""Images are pulled from their registries, and whoever waits is told how far it is."""

from typing import Any

from debug_gym.errors import TaskError
from debug_gym.sandbox.docker.client import APIError
from debug_gym.sandbox.docker.daemon import NoRoomError, is_full, short
from debug_gym.sandbox.docker.kept import Progress


def pull(client: Any, name: str, on_progress: Progress = lambda line: None) -> None:
    """Fetch an image from its registry.

    Args:
        client: of the daemon.
        name: as ``docker pull`` takes it.
        on_progress: told how much of what is known to be needed has come.

    Raises:
        TaskError: no registry has it, or none can be reached.
        NoRoomError: the daemon's disk is full.
    """
    repository, tag = _parts(name)
    layers: dict[str, tuple[int, int]] = {}
    on_progress(f"pulling {name}")
    try:
        for line in client.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in line:
                raise _refusal(name, str(line["error"]))
            detail = line.get("progressDetail") or {}
            if line.get("status") == "Downloading" and detail.get("total"):
                layers[line["id"]] = (detail["current"], detail["total"])
            elif line.get("status") in {"Download complete", "Pull complete"} and line.get("id") in layers:
                total = layers[line["id"]][1]
                layers[line["id"]] = (total, total)
            if layers:
                done, total = (sum(part) for part in zip(*layers.values(), strict=True))
                on_progress(f"pulling {name}: {done >> 20} of {total >> 20} MB")
    except APIError as error:
        raise _refusal(name, short(error)) from None


def _parts(name: str) -> tuple[str, str | None]:
    """The repository, and the tag or digest; none in a name that says neither is ``latest``."""
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _refusal(name: str, said: str) -> Exception:
    if is_full(said):
        return NoRoomError(f"the image {name} cannot be pulled")
    return TaskError(f"the image {name} cannot be pulled: {said}")
