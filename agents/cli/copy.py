"""A copy of the workspace on the host, and what was changed in it."""

import io
import os
import posixpath
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from debug_gym.errors import ConfigError
from debug_gym.sandbox.fetch import git

_GIT = ("git", "-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "-c", "core.quotepath=true")


class WorkingCopy:
    """A folder whose changes are taken as patches, one after the other.

    Args:
        folder: an empty one; the program works in ``folder/workspace``.
        archive: the workspace as a tar archive.

    Raises:
        ConfigError: git is not installed.
    """

    def __init__(self, folder: Path, archive: bytes) -> None:
        self.path = folder / "workspace"
        self._records = folder / "records.git"
        self.path.mkdir()
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extraction_filter = staticmethod(lambda member, path: member)
            files.extractall(self.path, list(_harmless(files)))
        try:
            self._git("init", "--quiet")
        except FileNotFoundError:
            raise ConfigError("git is needed to see what a program has changed: install it") from None
        (self._records / "info").mkdir(exist_ok=True)
        (self._records / "info/attributes").write_text("* -text -filter -ident\n")
        self._seen = self._tree()

    def take_patch(self) -> str:
        """What was changed since the last patch was taken, in git's form; empty: nothing. Files that the
        repository ignores do not count."""
        before, self._seen = self._seen, self._tree()
        if before == self._seen:
            return ""
        options = ("--binary", "--no-color", "--no-ext-diff", "--no-renames", "--full-index")
        return self._git("diff", *options, before, self._seen)

    def _tree(self) -> str:
        self._git("add", "--all")
        return self._git("write-tree").strip()

    def _git(self, *words: str) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        env |= {"GIT_DIR": str(self._records), "GIT_WORK_TREE": str(self.path)}
        done = subprocess.run([*_GIT, *words], env=env, cwd=self.path, capture_output=True, check=True)
        return done.stdout.decode(errors="surrogateescape")


def _harmless(members: Iterable[tarfile.TarInfo]) -> Iterator[tarfile.TarInfo]:
    """A sandbox is not to be trusted with what it has packed: devices and what leads out are left out."""
    for member in members:
        place = posixpath.normpath(member.name)
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(place), member.linkname))
        out = place.startswith(("/", "../")) or (member.issym() and leads.startswith(("/", "..")))
        if not out and (member.isreg() or member.isdir() or member.issym()):
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
            yield member


def begin_repository(folder: Path) -> None:
    """Make a git repository of a folder, with all files in its one commit: many programs want one.

    Raises:
        TaskError: git fails.
    """
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "As found")
