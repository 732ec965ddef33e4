"""Images that sandboxes start from: what a task names, made ready once and kept by the daemon.

A prepared image has the repository without its history, owned by the sandbox's user, and our runtime. So a
sandbox is one ``docker create`` and one ``docker start``, with nothing copied.
"""

import base64
import io
import tarfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from debug_gym.errors import TaskError
from debug_gym.sandbox.docker import kept
from debug_gym.sandbox.docker.client import ImageNotFound, LogConfig
from debug_gym.sandbox.docker.daemon import LABEL, OWNER, NoRoomError, asking, is_full
from debug_gym.sandbox.docker.kept import FROM, MADE_FROM, PULLED, Progress
from debug_gym.sandbox.docker.pull import pull
from debug_gym.sandbox.docker.stream import AttachedChannel
from debug_gym.sandbox.owners import owner
from debug_gym.sandbox.recipe import FACTS, Recipe, facts, recipe
from debug_gym.sandbox.requests import MAX_SECONDS
from debug_gym.task import Task

PREPARED = "debug-gym/prepared"
"""Name of all prepared images; the tag is a digest of what was done to the image that they were made from."""
USER = 1000
"""User and group of everything in a sandbox."""
_FORMAT = 4
"""Of what is kept in a prepared image; those of another one are not used."""
_FACTS = "debug-gym.facts"
"""Label of a prepared image: what its script left, in base64, which no parser of labels changes."""

_TAIL = 4096
"""Bytes of what a set-up says that are kept, from its end."""


@dataclass(frozen=True)
class PreparedImage:
    """What a sandbox starts from."""

    id: str
    workspace: str
    python: str
    variables: dict[str, str]
    """What the set-up left in the environment."""
    imports: tuple[str, ...] = ()
    """Third-party modules that the repository's files import, as far as they could be looked at."""


_locks: dict[str, threading.Lock] = {}
_known: dict[str, PreparedImage] = {}


def prepared(
    client: Any, task: Task, default: str, on_progress: Progress = lambda line: None
) -> PreparedImage:
    """The image for the sandboxes of a task, made if the daemon does not have it.

    Args:
        client: of the daemon.
        task: whose source is an image, or files to put into one.
        default: name of the image for files.
        on_progress: told in a line what is being done, where it takes long.

    Raises:
        TaskError: the image cannot be had, or has no Python that serves.
        DaemonError: the daemon refuses or is gone.
    """
    wanted = recipe(task, default, USER)
    digest = f"{wanted.digest}-{_FORMAT}"
    with _locks.setdefault(digest, threading.Lock()):
        if digest in _known:
            return _known[digest]
        with asking(f"the image {wanted.image}"):
            image = _find(client, f"{PREPARED}:{digest}")
            base = _find(client, wanted.image)
        if image is not None and base is not None and image.labels.get(MADE_FROM) != base.id:
            image = None  # the name stands for another image by now
        if image is None:
            make = partial(_make, client, wanted, digest, wanted.archive(), on_progress=on_progress)
            try:
                image = make()
            except NoRoomError:
                if not kept.remove_prepared(client):  # those that no sandbox uses now
                    raise
                image = make()
        python, variables = facts(base64.b64decode(image.labels[_FACTS]))
        made = PreparedImage(image.id, wanted.folder, python, variables, wanted.imports)
        _known[digest] = made
        return made


def forget(image: PreparedImage) -> None:
    """The daemon no longer has it: the next sandbox makes it again."""
    for digest, known in list(_known.items()):
        if known == image:
            del _known[digest]


def _find(client: Any, name: str) -> Any | None:
    try:
        return client.images.get(name)
    except ImageNotFound:
        return None


def _make(client: Any, wanted: Recipe, digest: str, files: bytes, *, on_progress: Progress) -> Any:
    """Make a prepared image. Raises as ``prepared`` does."""
    name = wanted.image
    with asking(f"the image {name}"):
        base = _find(client, name)
        pulled = base is None
        if base is None:
            pull(client, name, on_progress)
            base = client.images.get(name)
        on_progress(f"preparing {name}")
        return _run_script(client, wanted, digest, files, base=base.id, pulled=pulled)


def _run_script(client: Any, wanted: Recipe, digest: str, files: bytes, *, base: str, pulled: bool) -> Any:
    """Run the script in a container of the image of id ``base``, with no network, and keep what comes out."""
    name = wanted.image
    container = client.containers.create(
        base,
        ["-c", wanted.script],
        entrypoint="/bin/bash",
        user="0",
        network_mode="none",
        labels={LABEL: "preparing", OWNER: owner()},
        log_config=LogConfig(type="none"),
    )
    try:
        container.put_archive("/", files)
        attached = client.api.attach_socket(container.id, {"stdout": 1, "stderr": 1, "stream": 1})
        with closing(attached), closing(AttachedChannel(attached._sock)) as output:
            container.start()
            tail = _tail(output)  # there is no log: a full disk could not keep it
        if container.wait()["StatusCode"]:
            said = tail.decode(errors="replace").strip().rpartition("\n")[2]
            if is_full(said):
                raise NoRoomError(f"the image {name}")
            raise TaskError(f"the image {name} cannot be used: {said[:300]}")
        told = base64.b64encode(_one_file(container, FACTS)).decode()
        labels = {LABEL: "prepared", _FACTS: told, FROM: name, MADE_FROM: base, PULLED: str(pulled).lower()}
        changes = [f"LABEL {key}={value}" for key, value in labels.items()]  # Podman heeds no configuration
        return container.commit(PREPARED, digest, changes=changes, conf={"Cmd": None})
    finally:
        container.remove(force=True)


def _tail(output: AttachedChannel) -> bytes:
    """The end of what a program says until it ends."""
    tail = b""
    while part := output.receive(1 << 16, time.monotonic() + MAX_SECONDS):
        tail = (tail + part)[-_TAIL:]
    return tail


def _one_file(container: Any, path: str) -> bytes:
    parts, _ = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(parts))) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        assert file is not None  # it was written just now, as a regular file
        return file.read()
