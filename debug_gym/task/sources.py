"""Where a task's repository comes from. Descriptions only: ``debug_gym.sandbox.fetch`` fetches them."""

import os
import posixpath
import re
from collections.abc import Collection
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from debug_gym.task.content import Content
from debug_gym.task.frozen import Frozen


def _plain(path: str) -> str:
    """A path that stays in the repository, without a slash at its end."""
    parts = path.rstrip("/").split("/") if path else []
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"{path!r} is not a plain path inside the repository")
    return posixpath.join(*parts) if parts else ""


PlainPath = Annotated[str, AfterValidator(_plain)]
"""A path relative to the repository, with ``/`` between its parts, that does not leave it."""


class DirectorySource(Frozen):
    """The repository is a folder on the host. It is copied; the original is never touched."""

    kind: Literal["directory"] = "directory"
    path: Path
    exclude: tuple[str, ...] = (
        ".git",
        ".venv",
        "venv",
        "__pycache__",
        ".pytest_cache",
        "node_modules",
        ".tox",
    )
    """Names of files and folders that are left out, at any depth; ``*`` and ``?`` are wildcards."""
    without: tuple[str, ...] = ()
    """Paths relative to the folder, of files and folders that are left out as well."""
    history: bool = False
    """Keep the history of the git repository that the folder is, up to the commit that is checked out, below
    the one commit of its files. Only for a repository of one's own: that of a benchmark may hold the fix."""
    state: str = ""
    """Which state of the folder is meant, in words of whoever made the source: sources of different states
    are different ones, and each is looked at once. Empty: the folder as it is when a sandbox is started."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return str(self.path)

    def left_out(self, folder: str, names: Collection[str]) -> set[str]:
        """Which of the names in a folder of the repository are left out.

        Those of ``exclude`` and ``without``, and the folders of runs: a run may well be stored in the
        repository that it is about, and holds the fixes of earlier attempts.
        """
        is_excluded = self._excluded.match
        left_out = {name for name in names if is_excluded(name) or _is_run(f"{folder}/{name}")}
        if self._without:
            below = os.path.relpath(folder, self.path)
            left_out.update(name for name in names if os.path.normpath(f"{below}/{name}") in self._without)
        return left_out

    @cached_property
    def _excluded(self) -> re.Pattern[str]:
        """One expression for all patterns: a repository may have tens of thousands of files."""
        return re.compile("|".join(map(translate, map(os.path.normcase, (".git", *self.exclude)))))

    @cached_property
    def _without(self) -> frozenset[str]:
        return frozenset(map(os.path.normpath, self.without))


def _is_run(path: str) -> bool:
    names = "/.lock", "/config.json", "/trajectories"
    return os.access(path + names[0], os.F_OK) and all(os.access(path + name, os.F_OK) for name in names)


class _Published(Frozen):
    """A repository as somebody else published it, of which a part may be wanted, with the bug put in."""

    subfolder: PlainPath = ""
    """The folder of it that becomes the workspace; empty: all."""
    include: tuple[str, ...] = ()
    """Globs in gitignore's syntax, from the subfolder on: only these files are taken; empty: all."""
    exclude: tuple[str, ...] = ()
    """Globs of files that are left out."""
    bug_patch: str | None = Field(default=None, repr=False)
    """A unified diff, from the subfolder on, that puts the bug in."""
    reverse: bool = False
    """``bug_patch`` is the fix: it is applied backwards."""


class ArchiveSource(_Published):
    """The repository is a ``.tar``, ``.tar.gz``, ``.tar.xz`` or ``.zip`` file on the host."""

    kind: Literal["archive"] = "archive"
    path: Path
    strip: int = 1
    """How many leading folders of each member's name to drop (sdists have one)."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return str(self.path)


class GitSource(_Published):
    """The repository is one commit of a git repository. Its history is not shipped: it may hold the fix."""

    kind: Literal["git"] = "git"
    url: str
    """Anything that ``git fetch`` accepts: a URL or a path."""
    commit: str
    """A full commit hash, tag or branch."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return self.url


class FilesSource(Frozen):
    """The repository is a handful of files, given here."""

    kind: Literal["files"] = "files"
    files: dict[PlainPath, Content] = Field(repr=False)
    """Path in the workspace to content."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return "its files"


class ImageSource(Frozen):
    """The repository lies in a container image, with the Python and the packages that it needs.

    Only sandboxes that are containers can play it: nothing is fetched to the host.
    """

    kind: Literal["image"] = "image"
    image: str = Field(min_length=1)
    """Its name, as ``docker pull`` takes it."""
    folder: str = Field(default="/testbed", pattern="^/")
    """Where in the image the repository lies."""
    python: str = "python"
    """The interpreter of the tests: an absolute path, or a name that is looked up after ``setup``."""
    setup: tuple[str, ...] = ()
    """Commands of bash, run in ``folder`` once before anything else, such as the activation of a conda
    environment. They see the network as little as the agent does."""
    remove: tuple[str, ...] = ()
    """Files and folders of the image that no sandbox gets, absolute or relative to ``folder``: hidden tests,
    answers."""
    bug_patch: str | None = Field(default=None, repr=False)
    """A unified diff, from ``folder`` on, that puts the bug in after the set-up."""
    reverse: bool = False
    """``bug_patch`` is the fix: it is applied backwards."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return self.image


class SealedSource(Frozen):
    """Another source, of which nothing is told: a patch in it is the fix, be it forwards or backwards.

    Made by ``debug_gym.task.sealing``, for agents.
    """

    kind: Literal["sealed"] = "sealed"
    where: str
    """What messages call it."""
    key: str
    """By which the process that made it knows the source."""


Source = Annotated[
    DirectorySource | ArchiveSource | GitSource | FilesSource | ImageSource | SealedSource,
    Field(discriminator="kind"),
]
