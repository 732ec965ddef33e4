"""Images that sandboxes start from: what a task names, made ready once and kept by the daemon.

A prepared image has the repository without its history, owned by the sandbox's user, and our runtime. So a
sandbox is one ``docker create`` and one ``docker start``, with nothing copied.
"""

import base64
import hashlib
import io
import json
import re
import shlex
import tarfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from debug_gym.errors import TaskError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.docker import kept
from debug_gym.sandbox.docker.client import ImageNotFound, LogConfig
from debug_gym.sandbox.docker.daemon import LABEL, OWNER, NoRoomError, asking, is_full
from debug_gym.sandbox.docker.kept import FROM, PULLED, Progress
from debug_gym.sandbox.docker.orphans import owner
from debug_gym.sandbox.docker.pull import pull
from debug_gym.sandbox.docker.stream import AttachedChannel
from debug_gym.sandbox.interpreters import BOOT, OLDEST_PYTHON, RUNTIME
from debug_gym.sandbox.requests import MAX_SECONDS
from debug_gym.task import ImageSource, Task, opened

PREPARED = "debug-gym/prepared"
"""Name of all prepared images; the tag is a digest of what they were made from."""
RUNTIME_FOLDER = "/opt/debug-gym"
WORKSPACE = "/workspace"
"""Where a repository lies that does not come in an image."""
HOME = "/home/agent"
USER = 1000
"""User and group of everything in a sandbox."""
_COMPILE = "import debug_gym_runtime.server.main, debug_gym_runtime.server.record"
"""Leaves the bytecode of all that a sandbox imports first, pytest's too."""
_FORMAT = 2
"""Of what is kept in a prepared image; those of another one are not used."""
_FACTS = "debug-gym.facts"
"""Label of a prepared image: what the set-up left, as JSON in base64, which no parser of labels changes."""
_FACTS_FILE = "/tmp/.debug-gym-facts"
_PATCH = "/tmp/.debug-gym-patch"
_NOT_OURS = {"_", "HOME", "HOSTNAME", "OLDPWD", "PWD", "SHLVL", "TERM", "USER"}
"""Variables that a set-up does not decide."""

_TAIL = 4096
"""Bytes of what a set-up says that are kept, from its end."""

_PREPARE = """
set -e
cd {folder}
{setup}
command -v {python} >/dev/null || {{ echo "there is no Python called {python}" >&2; exit 3; }}
python=$(command -v {python})
"$python" -c 'import sys; sys.exit(sys.version_info < {oldest!r})' || {{
    echo "its Python is $("$python" -V 2>&1), but a sandbox needs {oldest_name} or newer" >&2; exit 3; }}
env -u PYTHONDONTWRITEBYTECODE "$python" -c {compile} {runtime}
rm -rf /root/.cache /root/.gitconfig {remove}
find . -name .git -prune -exec rm -rf {{}} +
{patch}
if command -v git >/dev/null; then
    export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=debug-gym GIT_AUTHOR_EMAIL=debug-gym@localhost
    export GIT_COMMITTER_NAME=debug-gym GIT_COMMITTER_EMAIL=debug-gym@localhost
    export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z
    git init -q . && git add -A && git commit -q --allow-empty -m 'The repository'
fi
mkdir -p {home}
chown -R {user}:{user} {folder} {home}
"$python" -c 'import json, os, sys
print(json.dumps({{"python": sys.argv[1], "variables": dict(os.environ)}}))' "$python" > {facts}
"""


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
    whole = opened(task.source)
    source = whole if isinstance(whole, ImageSource) else None
    name = source.image if source else default
    base = None if source else checkout_cache.prepare(whole)
    folder, python = (
        (source.folder, source.python) if source else (WORKSPACE, task.environment.python or "python3")
    )
    script, patch = _script(folder, python, source), source.bug_patch if source else None
    recipe = [_FORMAT, name, script, patch, base.path.parent.name if base else "", _runtime_digest()]
    digest = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:24]
    with _locks.setdefault(digest, threading.Lock()):
        if digest in _known:
            return _known[digest]
        with asking(f"the image {name}"):
            image = _find(client, f"{PREPARED}:{digest}")
        if image is None:
            make = partial(_make, client, name, digest, script, on_progress=on_progress)
            files = _archive(str(base.path), folder) if base else b""
            if patch is not None:
                files = _one_file_archive(_PATCH, patch.encode())
            try:
                image = make(files)
            except NoRoomError:
                if not kept.remove_prepared(client):  # those that no sandbox uses now
                    raise
                image = make(files)
        facts = json.loads(base64.b64decode(image.labels[_FACTS]))
        made = PreparedImage(
            image.id, folder, facts["python"], facts["variables"], base.imports if base else ()
        )
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


def _script(folder: str, python: str, source: ImageSource | None) -> str:
    direction = "--reverse" if source and source.reverse else ""
    patch = f"git apply --whitespace=nowarn {direction} {_PATCH}\nrm {_PATCH}"
    return _PREPARE.format(
        folder=shlex.quote(folder),
        setup="\n".join(source.setup) if source else "",
        remove=shlex.join(source.remove) if source else "",
        patch=patch if source and source.bug_patch is not None else "",
        python=shlex.quote(python),
        oldest=OLDEST_PYTHON,
        oldest_name=".".join(map(str, OLDEST_PYTHON)),
        compile=shlex.quote(BOOT + _COMPILE),
        runtime=RUNTIME_FOLDER,
        home=HOME,
        user=USER,
        facts=_FACTS_FILE,
    )


def _make(client: Any, name: str, digest: str, script: str, files: bytes, *, on_progress: Progress) -> Any:
    """Make a prepared image. Raises as ``prepared`` does."""
    with asking(f"the image {name}"):
        pulled = _find(client, name) is None
        if pulled:
            pull(client, name, on_progress)
        on_progress(f"preparing {name}")
        return _run_script(client, name, digest, script, files, pulled=pulled)


def _run_script(client: Any, name: str, digest: str, script: str, files: bytes, *, pulled: bool) -> Any:
    """Run the script in a container of the image, with no network, and keep what comes out."""
    container = client.containers.create(
        name,
        ["-c", script],
        entrypoint="/bin/bash",
        user="0",
        network_mode="none",
        labels={LABEL: "preparing", OWNER: owner()},
        log_config=LogConfig(type="none"),
    )
    try:
        container.put_archive("/", _runtime_archive())
        if files:
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
        facts = json.loads(_one_file(container, _FACTS_FILE))
        facts["variables"] = {
            key: value
            for key, value in facts["variables"].items()
            if key not in _NOT_OURS and "GIT_" not in key
        }
        told = base64.b64encode(json.dumps(facts).encode()).decode()
        labels = {LABEL: "prepared", _FACTS: told, FROM: name, PULLED: str(pulled).lower()}
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


@lru_cache(maxsize=1)
def _runtime_archive() -> bytes:
    """The runtime as it has to lie in an image."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(RUNTIME / "server", f"{RUNTIME_FOLDER}/server"[1:], filter=_plain)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _runtime_digest() -> str:
    return hashlib.sha256(_runtime_archive()).hexdigest()


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if re.search(r"(^|/)__pycache__(/|$)", entry.name):
        return None
    return entry.replace(mtime=0, uid=0, gid=0, uname="", gname="", mode=entry.mode | 0o444, deep=False)


def _one_file_archive(path: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(path[1:])
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _archive(folder: str, target: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, target[1:], filter=lambda entry: None if entry.name.endswith("/.git") else entry)
    return buffer.getvalue()
