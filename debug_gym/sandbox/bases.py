"""Bases: read-only copies of tasks' repositories that every sandbox of the task lies on.

A base is made once and kept in the user's cache, named by a digest of its content, so that it can be shared
by processes and used again tomorrow. It holds one synthetic git commit (a real history may hold the fix) and
hash-checked bytecode (which is never stale).
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from debug_gym.errors import TaskError
from debug_gym.sandbox.runtime.warm import importable_names
from debug_gym.task import ArchiveSource, DirectorySource, GitSource, Source

FORMAT = 2
"""Part of the digest: a change to how bases are made makes new ones."""
KEPT = 200
"""Bases kept in the cache; beyond that, the ones unused for longest go."""

_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\w[\w.]*)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
_QUIET_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "debug-gym",
    "GIT_AUTHOR_EMAIL": "debug-gym@localhost",
    "GIT_COMMITTER_NAME": "debug-gym",
    "GIT_COMMITTER_EMAIL": "debug-gym@localhost",
    "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z",
}


@dataclass(frozen=True)
class Base:
    """A repository, ready to lie under sandboxes."""

    path: Path
    names: tuple[str, ...]
    """Top-level module names that its files could take."""
    imports: tuple[str, ...]
    """Top-level modules that its files import and that are neither its own nor the standard library's."""


_memory: dict[tuple[str, str, int | None], Base] = {}
_lock = threading.Lock()


def cache_folder() -> Path:
    """``$DEBUG_GYM_CACHE``, or ``debug-gym`` in the user's cache folder."""
    chosen = os.environ.get("DEBUG_GYM_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "debug-gym"


def prepare(source: Source, python: str | None = None, owner: int | None = None) -> Base:
    """The base of a source; made if the cache does not have it.

    Within one process a source is looked at once; changing the folder later does not change its base.

    Args:
        source: where the repository is.
        python: the interpreter that compiles the bytecode; None: this one.
        owner: the user id that shall own the files; None: whoever calls.

    Raises:
        TaskError: the source is missing, unreadable or empty.
    """
    key = (source.model_dump_json(), python or sys.executable, owner)
    with _lock:
        if key not in _memory:
            _memory[key] = _prepare(source, python or sys.executable, owner)
        return _memory[key]


def _prepare(source: Source, python: str, owner: int | None) -> Base:
    folder = cache_folder() / "bases"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TaskError(f"cannot make the cache folder {folder}: {error}; set DEBUG_GYM_CACHE") from None
    with _exclusive(folder / "lock"):
        _sweep(folder)
        staging = Path(tempfile.mkdtemp(prefix="staging-", dir=folder))
        try:
            tree = staging / "tree"
            _fetch(source, tree)
            digest = _digest(tree, python, owner)
            final = folder / digest
            if not (final / "base.json").exists():
                shutil.rmtree(final, ignore_errors=True)
                _finish(tree, python, owner)
                staging.rename(final)
            os.utime(final)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        facts = json.loads((final / "base.json").read_text())
        return Base(final / "tree", tuple(facts["names"]), tuple(facts["imports"]))


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep(folder: Path) -> None:
    """Remove what a killed process left half-made, and the bases unused for longest."""
    entries = [entry for entry in folder.iterdir() if entry.is_dir()]
    finished = sorted((entry for entry in entries if not entry.name.startswith("staging-")), key=_last_use)
    stale = [entry for entry in entries if entry.name.startswith("staging-")]
    for entry in [*stale, *finished[: max(0, len(finished) - KEPT)]]:
        shutil.rmtree(entry, ignore_errors=True)


def _last_use(entry: Path) -> float:
    return entry.stat().st_mtime


def _fetch(source: Source, target: Path) -> None:
    if isinstance(source, DirectorySource):
        _copy(source, target)
    elif isinstance(source, ArchiveSource):
        _unpack(source, target)
    else:
        _clone(source, target)
    if not any(target.iterdir()):
        raise TaskError(f"the repository of the task is empty: {source}")


def _copy(source: DirectorySource, target: Path) -> None:
    if not source.path.is_dir():
        raise TaskError(f"the task's folder {source.path} does not exist or is not a folder")
    try:
        shutil.copytree(
            source.path,
            target,
            symlinks=True,
            ignore=shutil.ignore_patterns(*source.exclude),
            dirs_exist_ok=True,
        )
    except shutil.Error as error:
        path, _, reason = error.args[0][0]
        raise TaskError(f"cannot copy {path}: {reason}") from None


def _unpack(source: ArchiveSource, target: Path) -> None:
    target.mkdir()
    try:
        if zipfile.is_zipfile(source.path):
            with zipfile.ZipFile(source.path) as archive:
                for member in archive.infolist():
                    name = "/".join(member.filename.split("/")[source.strip :])
                    if name and not member.is_dir():
                        member.filename = name
                        archive.extract(member, target)
        else:
            with tarfile.open(source.path) as archive:
                for entry in archive:
                    entry.name = "/".join(entry.name.split("/")[source.strip :])
                    if entry.name:
                        archive.extract(entry, target, filter="data")
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise TaskError(f"cannot unpack {source.path}: {error}") from None


def _clone(source: GitSource, target: Path) -> None:
    target.mkdir()
    _git(target, "init", "-q")
    # A server may refuse to hand out a bare commit hash; then everything is fetched.
    fetched = _git(target, "fetch", "-q", "--depth=1", source.url, source.commit, check=False)
    if fetched:
        _git(target, "fetch", "-q", "--tags", source.url, "+refs/heads/*:refs/remotes/origin/*")
    _git(target, "checkout", "-q", source.commit if fetched else "FETCH_HEAD")
    shutil.rmtree(target / ".git")


def _git(folder: Path, *arguments: str, check: bool = True) -> int:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, **_QUIET_GIT}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise TaskError(
            "git is not installed; it is needed for tasks that come from a git repository"
        ) from None
    if check and done.returncode:
        raise TaskError(f"git {' '.join(arguments[:1])} failed: {done.stderr.strip()}")
    return done.returncode


def _digest(tree: Path, python: str, owner: int | None) -> str:
    digest = hashlib.sha256(f"{FORMAT} {python} {owner}".encode())
    for path in sorted(tree.rglob("*")):
        digest.update(os.fsencode(path.relative_to(tree)) + b"\0")
        if path.is_symlink():
            digest.update(b"link " + os.fsencode(path.readlink()))
        elif path.is_file():
            data = path.read_bytes()
            digest.update(b"file %o %d " % (path.stat().st_mode & 0o777, len(data)) + data)
    return digest.hexdigest()[:32]


def imported_modules(source: bytes) -> set[str]:
    """Top-level names of the modules that a file seems to import. By pattern: the file need not parse."""
    found = set()
    for module, several in _IMPORT.findall(source):
        for part in (module or several).split(b","):
            name = part.split()[0].split(b".")[0].decode(errors="replace") if part.split() else ""
            if name.isidentifier():
                found.add(name)
    return found


def _finish(tree: Path, python: str, owner: int | None) -> None:
    """Add bytecode, the commit, and the facts that sandboxes need to know."""
    names = importable_names(str(tree))
    imports: set[str] = set()
    modules = [path for path in tree.rglob("*.py") if path.is_file()]
    for path in modules:
        imports |= imported_modules(path.read_bytes())
    facts = {"names": sorted(names), "imports": sorted(imports - names - sys.stdlib_module_names)}
    if shutil.which("git"):
        _git(tree, "init", "-q", "-b", "main")
        (tree / ".git/info").mkdir(exist_ok=True)
        (tree / ".git/info/exclude").write_text("__pycache__/\n.pytest_cache/\n")
        shutil.rmtree(tree / ".git/hooks", ignore_errors=True)
        _git(tree, "add", "-A", "-f")
        _git(tree, "commit", "-q", "-m", "The repository as it was found", "--no-gpg-sign")
    workers = "0" if len(modules) > 200 else "1"  # 0: one a CPU, which take a while to start
    subprocess.run(
        [python, "-m", "compileall", "-q", "-j", workers, "--invalidation-mode", "checked-hash", "."],
        cwd=tree,
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"},
    )
    if owner is not None:
        for path in [tree, *tree.rglob("*")]:
            os.chown(path, owner, owner, follow_symlinks=False)
        tree.parent.chmod(0o755)
    (tree.parent / "base.json").write_text(json.dumps(facts))
