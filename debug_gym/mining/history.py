"""Bugs from a repository's history: commits that change code and tests, which fail on the code before."""

import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from debug_gym.errors import ConfigError
from debug_gym.mining.base import Candidate, Draft, FallenError, Story, is_source, is_test
from debug_gym.mining.grounds import GroundMaker
from debug_gym.mining.trees import clone, commit_tree, git, slug, tree

MOST_FILES = 8
"""Source files of a commit beyond which it is no fix."""
_FIX = re.compile(
    r"\b(?:fix|bug|regress|wrong|incorrect|crash|error|broken|handle|correct|issue)", re.IGNORECASE
)
_FORMAT = "%x1e%H%x1f%P%x1f%cI%x1f%s%x1f%b%x1f"


@dataclass
class History:
    """Commits of a git repository.

    Args:
        repository: its folder, or an address to clone.
        grounds: makes the places where tests run.
        work: a folder of the session.
        since: only commits after a date, in any form that git understands; empty: all.
        until: only commits before.
    """

    repository: str
    grounds: GroundMaker
    work: Path
    since: str = ""
    until: str = ""
    kind = "git"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._root: Path | None = None

    @property
    def root(self) -> Path:
        """The repository on this machine."""
        with self._lock:
            self._root = self._root or clone(self.repository, self.work / "repository")
            return self._root

    @property
    def name(self) -> str:
        """What tasks are called after."""
        return slug(
            re.sub(r"\.git$", "", str(self.repository).rstrip("/").rpartition("/")[2] or self.root.name)
        )

    def find(self) -> Iterator[Candidate]:
        """See ``Miner``. Those that call themselves fixes come first, then the newest."""
        window = [
            f"--{name}={value}" for name, value in (("since", self.since), ("until", self.until)) if value
        ]
        log = git(self.root, "log", "--no-merges", "--name-only", f"--format={_FORMAT}", *window)
        commits = [found for entry in log.split("\x1e")[1:] if (found := self._candidate(entry))]
        if not commits:
            raise ConfigError(f"no commit of {self.repository} changes both code and tests: widen --since")
        yield from sorted(commits, key=lambda item: not _FIX.search(item.facts["subject"]))

    def _candidate(self, entry: str) -> Candidate | None:
        commit, parents, date, subject, body, names = entry.split("\x1f")
        paths = [name for name in names.split("\n") if name.strip()]
        sources = [path for path in paths if is_source(path)]
        tests = [path for path in paths if is_test(path) and path.endswith(".py")]
        if not sources or not tests or len(sources) > MOST_FILES or len(parents.split()) != 1:
            return None
        facts = {"commit": commit, "parent": parents, "date": date, "subject": subject, "body": body}
        return Candidate(f"{self.name}-{commit[:10]}", facts)

    def draft(self, candidate: Candidate) -> Draft:
        """See ``Miner``."""
        facts = candidate.facts
        commit, parent = facts["commit"], facts["parent"]
        folder = tree(self.work / "trees" / commit[:12], lambda path: commit_tree(self.root, parent, path))
        month = facts["date"][:7]
        version = self._version(parent)
        ground = self.grounds.make(
            self.name, folder, until=f"{month}-28T23:59:59Z", version=version, temporary=True
        )
        changed = [path for path in self._changed(parent, commit) if is_source(path) or is_test(path)]
        sources = [path for path in changed if is_source(path)]
        tests = [path for path in changed if not is_source(path)]
        return Draft(
            ground=ground,
            broken={path: self._text(parent, path) for path in sources},
            fixed={path: self._text(commit, path) for path in sources},
            tests={path: self._content(commit, path) for path in tests},
            story=Story(facts["subject"], facts["body"]),
            metadata={"origin": self._origin(), "commit": commit, "date": facts["date"]},
        )

    def _origin(self) -> str:
        """An address, but nothing of this machine's folders."""
        return self.name if Path(self.repository).expanduser().is_dir() else self.repository

    def _version(self, commit: str) -> str:
        try:
            found = re.search(r"\d+(?:\.\d+)+", git(self.root, "describe", "--tags", "--abbrev=0", commit))
        except ConfigError:
            found = None
        return found[0] if found else "1.0"

    def _changed(self, parent: str, commit: str) -> list[str]:
        names = git(self.root, "diff", "--name-only", "--no-renames", "-z", parent, commit)
        return [name for name in names.split("\0") if name]

    def _text(self, commit: str, path: str) -> str | None:
        content = self._content(commit, path)
        try:
            return None if content is None else content.decode()
        except UnicodeDecodeError:
            raise FallenError("find", "a source file is not UTF-8", path) from None

    def _content(self, commit: str, path: str) -> bytes | None:
        return content_of(self.root, commit, path)


def content_of(root: Path, commit: str, path: str) -> bytes | None:
    """The content of a file in a commit; None: it has none, or a link or a submodule in its place."""
    listed = git(root, "ls-tree", "-z", commit, "--", f":(literal){path}").split("\0")[0]
    if not listed.startswith("100"):
        return None
    blob = listed.split("\t")[0].split()[2]
    command = ["git", "-C", str(root), "cat-file", "blob", blob]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=True).stdout
