"""Bases: read-only copies of tasks' repositories that every sandbox of the task lies on.

A base is made once and kept in the user's cache, named by a digest of its content, so that it can be shared
by processes and used again tomorrow. It holds one synthetic git commit (a real history may hold the fix; that
of one's own repository can be asked for) and hash-checked bytecode (which is never stale).
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from debug_gym.cache import cache_folder
from debug_gym.errors import CacheError, TaskError
from debug_gym.sandbox.fetch import fetch, git
from debug_gym.sandbox.history import History, history
from debug_gym.sandbox.pinning import pin
from debug_gym.sandbox.server.files import remove_tree
from debug_gym.sandbox.server.warm import importable_names
from debug_gym.task import Source, opened

FORMAT = 4
"""Part of the digest: a change to how bases are made makes new ones."""
KEPT = 200
"""Bases kept in the cache; beyond that, the ones unused for longest go."""

_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\w[\w.]*)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)


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


def prepare(source: Source, python: str | None = None, owner: int | None = None) -> Base:
    """The base of a source; made if the cache does not have it.

    Within one process a source is looked at once, a folder again when it has changed (see ``pinning``).

    Args:
        source: where the repository is.
        python: the interpreter that compiles the bytecode; None: this one.
        owner: the user id that shall own the files; None: whoever calls.

    Raises:
        TaskError: the source is missing, unreadable, empty, or sealed by another process.
        CacheError: the cache cannot be written.
    """
    source = pin(opened(source))
    key = (source.model_dump_json(), python or sys.executable, owner)
    with _lock:
        base = _memory.get(key)
        if base is None or not base.path.exists():
            base = _memory[key] = _prepare(source, python or sys.executable, owner)
        return base


def hold(source: Source, python: str | None = None, owner: int | None = None) -> tuple[Base, int]:
    """The base of a source (see ``prepare``), and a descriptor of its tree. It stays in the cache as long as
    the descriptor is open."""
    while True:
        base = prepare(source, python, owner)
        try:
            tree = os.open(base.path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # somebody has just removed it
        try:
            fcntl.flock(tree, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(tree), base.path.stat()):
                return base, tree
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(tree)
            raise
        os.close(tree)


def _prepare(source: Source, python: str, owner: int | None) -> Base:
    folder = cache_folder() / "bases"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lock").touch()
    except OSError as error:
        raise _no_cache(folder, error.strerror or str(error)) from None
    try:
        with FileLock(folder / "lock"):
            _sweep(folder)
            staging = Path(tempfile.mkdtemp(prefix="staging-", dir=folder))
            try:
                return _stage(source, staging, python, owner)
            finally:
                _remove(staging)
    except (OSError, TaskError) as error:
        for reason in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            if os.strerror(reason) in str(error):  # copying a tree tells its errors as text
                raise _no_cache(folder, os.strerror(reason)) from None
        if isinstance(error, TaskError):
            raise
        raise TaskError(f"cannot prepare a repository in {folder}: {error}; set DEBUG_GYM_CACHE") from None


def _no_cache(folder: Path, reason: str) -> CacheError:
    return CacheError(
        f"the cache cannot be written: {folder}: {reason}: make room there, or set DEBUG_GYM_CACHE to a "
        "folder elsewhere"
    )


def _stage(source: Source, staging: Path, python: str, owner: int | None) -> Base:
    tree = staging / "tree"
    fetch(source, tree)
    past = history(source)
    final = staging.parent / _digest(tree, python, owner, past)
    if not (final / "base.json").exists():
        _remove(final)
        _finish(tree, python, owner, past)
        staging.rename(final)
    os.utime(final)
    facts = json.loads((final / "base.json").read_text())
    return Base(final / "tree", tuple(facts["names"]), tuple(facts["imports"]))


def _sweep(folder: Path) -> None:
    """Remove what a killed process left half-made, and the bases unused for longest that nobody holds."""
    entries = [entry for entry in folder.iterdir() if entry.is_dir()]
    finished = sorted((entry for entry in entries if not entry.name.startswith("staging-")), key=_last_use)
    for entry in entries:
        if entry.name.startswith("staging-"):
            _remove(entry)
    for entry in finished[: max(0, len(finished) - KEPT)]:
        with contextlib.suppress(OSError):  # somebody holds it
            tree = os.open(entry / "tree", os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(tree, fcntl.LOCK_EX | fcntl.LOCK_NB)
                entry.rename(folder / f"staging-{entry.name}")
            finally:
                os.close(tree)
            _remove(folder / f"staging-{entry.name}")


def _last_use(entry: Path) -> float:
    return entry.stat().st_mtime


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it is gone, or the next sweep tries again
        remove_tree(str(folder))


def _digest(tree: Path, python: str, owner: int | None, past: History | None) -> str:
    digest = hashlib.sha256(f"{FORMAT} {python} {owner} {past.commit if past else ''}".encode())
    for path in sorted(tree.rglob("*")):
        if path.is_symlink():
            facts = ["link", os.fspath(path.readlink())]
        elif path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            facts = ["file", f"{path.stat().st_mode & 0o777:o}", content]
        else:
            facts = ["folder"]
        for fact in (os.fspath(path.relative_to(tree)), *facts):
            digest.update(os.fsencode(fact) + b"\0")
        digest.update(b"\0")
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


def _finish(tree: Path, python: str, owner: int | None, past: History | None) -> None:
    """Add bytecode, the commit, and the facts that sandboxes need to know."""
    names = importable_names(str(tree))
    imports: set[str] = set()
    modules = [path for path in tree.rglob("*.py") if path.is_file() and not path.is_symlink()]
    for path in modules:
        imports |= imported_modules(path.read_bytes())
    facts = {"names": sorted(names), "imports": sorted(imports - names - sys.stdlib_module_names)}
    if shutil.which("git"):
        git(tree, "init", "-q", "-b", "main")
        (tree / ".git/info").mkdir(exist_ok=True)
        (tree / ".git/info/exclude").write_text("__pycache__/\n.pytest_cache/\n")
        shutil.rmtree(tree / ".git/hooks", ignore_errors=True)
        if past is not None:
            past.bring_into(tree)
        git(tree, "add", "-A", "-f")
        git(tree, "commit", "-q", "--allow-empty", "-m", "The repository as it was found", "--no-gpg-sign")
    _compile(tree, python, workers=0 if len(modules) > 200 else 1)
    if owner is not None:
        for path in [tree, *tree.rglob("*")]:
            os.chown(path, owner, owner, follow_symlinks=False)
        tree.parent.chmod(0o755)
    (tree.parent / "base.json").write_text(json.dumps(facts))


def _compile(tree: Path, python: str, workers: int) -> None:
    """Add bytecode (workers: 0: one a CPU, which take a while to start). Not of links: what they point to may
    be no part of the repository, nor even a file that ends."""
    links = "|".join(
        re.escape(str(path.relative_to(tree))) for path in tree.rglob("*.py") if path.is_symlink()
    )
    if len(links) > 100_000:
        return  # more than a command line holds; Python compiles by itself
    command = [python, "-m", "compileall", "-q", "-j", str(workers), "--invalidation-mode", "checked-hash"]
    subprocess.run(
        [*command, "-x", rf"^\./({links})$" if links else "$^", "."],
        cwd=tree,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1"},
    )


def _renew_lock() -> None:
    """In a forked copy of the process: the thread that held the lock is not here."""
    global _lock  # noqa: PLW0603 - the one place where it can be done
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
