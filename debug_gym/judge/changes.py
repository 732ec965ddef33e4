"""Which changes of an agent count: source files that the task lets it change, and nothing that could decide
how tests run."""

import posixpath
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePosixPath

import pathspec

from debug_gym.sandbox import Changes, FileEntry
from debug_gym.task import Task

FORBIDDEN = pathspec.GitIgnoreSpec.from_lines(
    [
        "conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        ".pytest.toml",
        "pyvenv.cfg",
        "*.pth",
        "*.pyc",
        "*.so",
        "*.egg-info/",
        "*.dist-info/",
        "__pycache__/",
        ".git/",
    ]
)
"""What never counts, whatever a task's ``editable`` lets through: it runs before or around tests."""

MACHINERY = frozenset(
    {"pytest", "_pytest", "pluggy", "iniconfig", "packaging", "py", "pygments", "exceptiongroup"}
)
"""Modules that a test run needs besides the standard library's."""

IMPORT_ROOTS = ("", "src/", "lib/")
"""Folders of a repository that commonly stand on ``sys.path``."""


def sort_changes(
    task: Task, changes: Changes, protected: Collection[str] = (), known: Collection[str] = ()
) -> tuple[Changes, tuple[str, ...]]:
    """Split into the changes that count and those that do not, each of these with the reason.

    Args:
        task: its ``editable`` globs decide.
        changes: as harvested from the agent's sandbox.
        protected: further files that may not change: those that hold required tests or support them.
        known: paths of the original repository; a new module that takes the name of one of the standard
            library's or pytest's does not count, an old one may change.
    """
    rejected = list(changes.skipped)
    files: dict[str, FileEntry] = {}
    for path, entry in changes.files.items():
        reason = _objection(task, path, protected)
        if not reason and entry.link is not None:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.link))
            reason = "a link to what may not change" if _objection(task, target, protected) else ""
        if not reason and path not in known and shadows(path, known):
            reason = "a new module that hides one which tests need"
        if reason:
            rejected.append(f"{path}: {reason}")
        else:
            files[path] = replace(entry, mode=0o755 if entry.mode & 0o100 else 0o644)
    deleted = tuple(path for path in changes.deleted if not _objection(task, path, protected))
    kept = set(changes.deleted).difference(deleted)
    rejected += [f"{path}: may not be deleted" for path in kept]
    below = {str(folder) for path in kept for folder in PurePosixPath(path).parents}
    for path in [path for path in files if path in below or _lies_below(path, kept)]:
        rejected.append(f"{path}: in its way lies a file that may not be deleted")
        del files[path]
    return Changes(files=files, deleted=deleted), tuple(sorted(rejected))


def _lies_below(path: str, kept: Collection[str]) -> bool:
    """Whether one of the files that stay is where this one needs a folder."""
    return any(str(folder) in kept for folder in PurePosixPath(path).parents)


def shadows(path: str, known: Collection[str] = ()) -> bool:
    """Whether a new file makes an importable top-level module with the name of one that test runs need."""
    for root in IMPORT_ROOTS:
        if not path.startswith(root) or (root and f"{root}__init__.py" in known):
            continue  # a package's own modules hide nothing
        top, inside, _ = path[len(root) :].partition("/")
        name = top if inside else top.partition(".")[0]
        if name not in sys.stdlib_module_names and name not in MACHINERY:
            continue
        if not any(other.startswith((f"{root}{name}/", f"{root}{name}.")) for other in known):
            return True
    return False


def _objection(task: Task, path: str, protected: Collection[str]) -> str:
    """Why a change to this file does not count, or ""."""
    if not _is_plain(path):
        return "not a plain path inside the workspace"
    if path in protected:
        return "it holds tests that decide"
    if FORBIDDEN.match_file(path):
        return "it could decide how tests run"
    return "" if task.is_editable(path) else "not one of the files that may change"


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return "\0" not in path and not any(part in {"", ".", ".."} for part in parts)
