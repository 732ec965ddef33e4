"""The images that are kept for sandboxes: what they need of the daemon's disk, and how they go."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from debug_gym.sandbox.docker.client import APIError, ImageNotFound
from debug_gym.sandbox.docker.daemon import LABEL, asking

FROM = "debug-gym.image"
"""Label of a prepared image: the name of the one that it was made from."""
MADE_FROM = "debug-gym.image-id"
"""Label of a prepared image: the id that the name stood for."""
PULLED = "debug-gym.pulled"
"""Label of a prepared image: ``true`` if that one was pulled for it, and so goes with it."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Kept:
    """A prepared image."""

    id: str
    made_from: str
    made: str
    """When: ISO 8601."""
    own: int
    """Bytes beyond the image that it was made from."""
    base: int
    """Bytes of that one, with what it shares with others; 0: it is not here, and all are ``own``."""
    pulled: bool


def list_prepared(client: Any) -> list[Kept]:
    """All prepared images, the newest first."""
    with asking("the list of images"):
        images = client.images.list(filters={"label": f"{LABEL}=prepared"})
        bases = {name: _size(client, name) for name in {image.labels.get(FROM, "") for image in images}}
    kept = []
    for image in images:
        name, size = image.labels.get(FROM, ""), int(image.attrs["Size"])
        base = min(bases[name], size)
        pulled = image.labels.get(PULLED) == "true"
        kept.append(Kept(image.id, name, str(image.attrs["Created"]), size - base, base, pulled))
    return sorted(kept, key=lambda image: image.made, reverse=True)


def needed(images: list[Kept]) -> int:
    """Bytes that images need together, where each image that several were made from counts once. What the
    latter share with each other is counted for each, so it is rather less."""
    return sum(image.own for image in images) + sum(
        {image.made_from: image.base for image in images}.values()
    )


def remove_prepared(client: Any, *, keep: int = 0) -> int:
    """Remove prepared images, the oldest first, until the others need at most ``keep`` bytes; with the last
    one of an image that was pulled for it, that goes too. Gives the number of prepared ones that were
    removed. Images that a sandbox uses stay."""
    left, removed = list_prepared(client), 0
    for image in reversed(left[:]):
        if needed(left) <= keep:
            break
        if _remove(client, image.id):
            left.remove(image)
            removed += 1
            if image.pulled and all(other.made_from != image.made_from for other in left):
                _remove(client, image.made_from)
    return removed


def _remove(client: Any, name: str) -> bool:
    with asking(f"the image {name}"), suppress(APIError):  # a container uses it
        client.images.remove(name)
        return True
    return False


def _size(client: Any, name: str) -> int:
    try:
        return int(client.images.get(name).attrs["Size"]) if name else 0
    except ImageNotFound:
        return 0
