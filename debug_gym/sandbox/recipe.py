"""What is done to an image before sandboxes start from it, whoever runs it.

The repository comes out without its history, owned by the sandbox's user, with our runtime beside it.
"""

import hashlib
import io
import json
import re
import shlex
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.interpreters import BOOT, OLDEST_PYTHON, RUNTIME
from debug_gym.task import ImageSource, Task, opened

RUNTIME_FOLDER = "/opt/debug-gym"
WORKSPACE = "/workspace"
"""Where a repository lies that does not come in an image."""
HOME = "/home/agent"
FACTS = "/tmp/.debug-gym-facts"
"""The file that the script leaves; see ``facts``."""
_PATCH = "/tmp/.debug-gym-patch"
_COMPILE = "import debug_gym_runtime.server.main, debug_gym_runtime.server.record"
"""Leaves the bytecode of all that a sandbox imports first, pytest's too."""
_NOT_OURS = {"_", "HOME", "HOSTNAME", "OLDPWD", "PWD", "SHLVL", "TERM", "USER"}
"""Variables that a set-up does not decide."""

# Root runs this in the repository's folder: its Python is isolated, or it would import what lies there.
_SCRIPT = """
set -e
cd {folder}
{setup}
command -v {python} >/dev/null || {{ echo "there is no Python called {python}" >&2; exit 3; }}
python=$(command -v {python})
"$python" -I -c 'import sys; sys.exit(sys.version_info < {oldest!r})' || {{
    echo "its Python is $("$python" -V 2>&1), but a sandbox needs {oldest_name} or newer:" \
        "ImageSource.python can name another one of the image" >&2; exit 3; }}
"$python" -I -c {compile} {runtime}
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
"$python" -I -c 'import json, os, sys
print(json.dumps({{"python": sys.argv[1], "variables": dict(os.environ)}}))' "$python" > {facts}
"""


@dataclass(frozen=True)
class Recipe:
    """How an image is made ready for the sandboxes of a task."""

    image: str
    folder: str
    """The repository's."""
    script: str
    """For bash, as root, after ``archive`` was unpacked at ``/``. It leaves the file ``FACTS``."""
    imports: tuple[str, ...]
    """Third-party modules that the repository's files import, as far as they could be looked at."""
    files: Path | None
    """A repository that does not come in the image."""
    patch: str | None

    @property
    def digest(self) -> str:
        """The same for recipes with the same outcome, as long as the image's name stands for the same."""
        files = self.files.parent.name if self.files else ""
        parts = [self.image, self.script, self.patch, files, _runtime_digest()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]

    def archive(self) -> bytes:
        """A tar of what is laid into the image: the runtime, and a repository that does not come in it."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.add(RUNTIME / "server", f"{RUNTIME_FOLDER}/server"[1:], filter=_plain)
            if self.files is not None:
                archive.add(self.files, self.folder[1:], filter=_no_history)
            if self.patch is not None:
                data = self.patch.encode()
                entry = tarfile.TarInfo(_PATCH[1:])
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return buffer.getvalue()


def recipe(task: Task, default: str, user: int) -> Recipe:
    """How the sandboxes of a task are made ready.

    Args:
        task: whose source is an image, or files to put into one.
        default: name of the image for files.
        user: number of the user and group that everything in a sandbox belongs to.

    Raises:
        TaskError: the files cannot be had.
    """
    whole = opened(task.source)
    if isinstance(whole, ImageSource):
        script = _script(whole.folder, whole.python, whole, user, whole.setup)
        return Recipe(whole.image, whole.folder, script, (), None, whole.bug_patch)
    base = checkout_cache.prepare(whole)
    script = _script(WORKSPACE, task.environment.python or "python3", None, user, task.environment.setup)
    return Recipe(default, WORKSPACE, script, base.imports, base.path, None)


def facts(text: bytes | str) -> tuple[str, dict[str, str]]:
    """The interpreter's path, and the variables that the set-up left, out of the file ``FACTS``."""
    found = json.loads(text)
    kept = {
        name: value
        for name, value in found["variables"].items()
        if name not in _NOT_OURS and not name.startswith(("GIT_", "KUBERNETES_"))
    }
    return found["python"], kept


def _script(folder: str, python: str, source: ImageSource | None, user: int, setup: tuple[str, ...]) -> str:
    direction = "--reverse" if source and source.reverse else ""
    patch = f"git apply --whitespace=nowarn {direction} {_PATCH}\nrm {_PATCH}"
    return _SCRIPT.format(
        folder=shlex.quote(folder),
        setup="\n".join(setup),
        remove=shlex.join(source.remove) if source else "",
        patch=patch if source and source.bug_patch is not None else "",
        python=shlex.quote(python),
        oldest=OLDEST_PYTHON,
        oldest_name=".".join(map(str, OLDEST_PYTHON)),
        compile=shlex.quote(BOOT + _COMPILE),
        runtime=RUNTIME_FOLDER,
        home=HOME,
        user=user,
        facts=FACTS,
    )


@lru_cache(maxsize=1)
def _runtime_digest() -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(RUNTIME / "server", "server", filter=_plain)
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if re.search(r"(^|/)__pycache__(/|$)", entry.name):
        return None
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
    entry.mode |= 0o444
    return entry


def _no_history(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.endswith("/.git") else entry
