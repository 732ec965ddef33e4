"""The git history of a repository of one's own, for a sandbox in which log and blame tell of the past."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from debug_gym.errors import TaskError
from debug_gym.sandbox.fetch import git
from debug_gym.task import DirectorySource, Source


@dataclass(frozen=True)
class History:
    """What was committed up to a commit."""

    folder: Path
    commit: str

    def bring_into(self, tree: Path) -> None:
        """Make the commit the last one of a new git repository, whose files stay as they are."""
        git(tree, "fetch", "-q", "--no-tags", "--update-shallow", str(self.folder), "HEAD")
        git(tree, "update-ref", "refs/heads/main", self.commit)
        (tree / ".git" / "FETCH_HEAD").unlink()  # it names a folder of the host


def history(source: Source) -> History | None:
    """The history that a source asks for.

    Raises:
        TaskError: it asks for one, and the folder is no git repository with a commit.
    """
    if not isinstance(source, DirectorySource) or not source.history:
        return None
    command = ["git", "-C", str(source.path), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise TaskError("git is not installed; it is needed for history=true") from None
    if done.returncode or not (source.path / ".git").exists():
        raise TaskError(f"history=true is for a git repository with a commit, which {source.path} is not")
    return History(source.path, done.stdout.strip())
