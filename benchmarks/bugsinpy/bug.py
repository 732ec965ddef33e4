"""One bug of BugsInPy, as the files of its folder describe it."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.data import read_text
from debug_gym.errors import TaskError
from debug_gym.task import FilesSource, Task

_LINE = re.compile(r"^\s*(\w+)\s*=\s*\"?([^\"\r\n]*)\"?", re.MULTILINE)
_PYTEST = re.compile(r"(?:python3? -m )?(?:pytest|py\.test|tox)$")
_UNITTEST = re.compile(r"python3? -m unittest$")
_COUNTS = Task(id="any", problem="", source=FilesSource(files={}))
"""Any task, to ask which files of a fix count."""


@dataclass(frozen=True)
class BugTests:
    """The tests that show a bug, and how they run."""

    command: tuple[str, ...]
    names: tuple[str, ...]
    """Ids, or paths of files of which all tests count. An id may stand for all parameters of a test."""


class Bug:
    """One bug.

    Args:
        folder: ``projects/PROJECT/bugs/NUMBER``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder.parent.parent.name
        self.id = f"{self.project}-{folder.name}"

    @cached_property
    def info(self) -> dict[str, str]:
        """``bug.info``: ``python_version``, ``buggy_commit_id``, ``fixed_commit_id``, ``test_file``.

        Raises:
            TaskError: one of them is missing.
        """
        found = dict(_LINE.findall(read_text(self.folder / "bug.info")))
        if missing := {"python_version", "fixed_commit_id"} - found.keys():
            raise TaskError(f"{self.folder / 'bug.info'} does not say {min(missing)}")
        return found

    @cached_property
    def url(self) -> str:
        """The address of the project's repository."""
        path = self.folder.parent.parent / "project.info"
        found: str = dict(_LINE.findall(read_text(path))).get("github_url", "")
        if not found.startswith("https://"):
            raise TaskError(f"{path} does not say github_url")
        return found.rstrip("/")

    @cached_property
    def fix(self) -> str:
        """The part of the fix that changes the program, as a unified diff; without that of its tests."""
        path = self.folder / "bug_patch.txt"
        # a carriage return at the end of a line belongs to the file that is patched
        parts = re.split(r"^(?=diff --git )", read_text(path), flags=re.MULTILINE)
        fix = "".join(part for part in parts if _COUNTS.is_editable(_patched(part)))
        if not fix:
            raise TaskError(f"{path} changes no file of the program")
        return fix if fix.endswith("\n") else f"{fix}\n"

    @cached_property
    def tests(self) -> BugTests:
        """The tests of ``run_test.sh``.

        Raises:
            TaskError: it runs them in a way that is not known.
        """
        runs = list(self._runs())
        commands = dict.fromkeys(command for command, _ in runs)
        names = tuple(dict.fromkeys(name for _, several in runs for name in several))
        if len(commands) != 1 or not names:
            raise TaskError(f"{self.folder / 'run_test.sh'} is no list of runs of pytest or of unittest")
        command = next(iter(commands))
        return BugTests(command, names)

    def _runs(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """A command and the tests that it is given, for each line."""
        for line in re.split(r"[;\r\n]+", read_text(self.folder / "run_test.sh")):
            words = shlex.split(line)
            for length in (1, 3):
                program = " ".join(words[:length])
                module = (
                    "pytest" if _PYTEST.match(program) else "unittest" if _UNITTEST.match(program) else ""
                )
                if module:
                    break
            if not words:
                continue
            rest = words[length:]
            options = tuple(word for word in rest if word.startswith("-") and word != "-q")
            names = tuple(word for word in rest if not word.startswith("-"))
            yield ("python", "-m", module or program, *options), names if module else ()


def _patched(part: str) -> str:
    """The file that a part of a patch changes."""
    found = re.match(r"diff --git a/(\S+) b/(\S+)", part)
    return found[2] if found else ""
