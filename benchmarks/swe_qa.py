"""SWE-QA: questions about repositories, to be answered in words. ``docs/benchmarks/swe-qa.md`` tells more.

No test can score an answer: these tasks are open-ended, and a model or a person grades what was handed in.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from debug_gym.benchmarks.base import Benchmark, Card
from debug_gym.benchmarks.data import read_text, repository, tree_digest
from debug_gym.benchmarks.data.rows import sha256
from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.task import ANSWER, GitSource, OpenQuestion, Task

URL = "https://github.com/peng-weihan/SWE-QA-Bench"
COMMIT = "d7bf283d65f4bbdc86ead92fc130eee4986355f0"
QUESTIONS, COMMITS = "Benchmark", "repo_commit.txt"
_LINE = re.compile(r"^(https://\S+/([\w.-]+))\s+([0-9a-f]{7,40})\s*$", re.MULTILINE)


class SweQa(Benchmark):
    """A question a task: the agent looks around in the repository and writes its answer into a file."""

    name = "swe-qa"
    description = "720 questions about 15 repositories, open-ended; options: repositories, data_dir."
    card = Card(
        source=URL,
        licence="Apache-2.0",
        citation="W. Peng et al., SWE-QA: Can Language Models Answer Repository-level Code Questions?, 2025",
    )

    def __init__(self, data_dir: str | Path | None = None, repositories: str | Path | None = None) -> None:
        """Say where things are. The repositories are fetched when a task is played.

        Args:
            data_dir: a copy of the benchmark's repository on disk.
            repositories: a folder with clones of the projects by their name (``flask``), which are taken in
                place of those on GitHub.
        """
        self.data_dir = data_dir
        self.repositories = Path(repositories).expanduser() if repositories else None

    @cached_property
    def root(self) -> Path:
        """The benchmark's files.

        Raises:
            ConfigError: the copy on disk has none.
        """
        root = repository(URL, COMMIT, data_dir=self.data_dir).path
        if not (root / QUESTIONS).is_dir() or not (root / COMMITS).is_file():
            raise ConfigError(f"{root} is no copy of {URL}: it lacks the folder {QUESTIONS} or {COMMITS}")
        return root

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of the questions, and one of the commits that they are about."""
        return f"{tree_digest(self.root / QUESTIONS)}-{sha256(self.root / COMMITS)[:8]}"

    @cached_property
    def splits(self) -> tuple[str, ...]:  # type: ignore[override]
        """The projects."""
        return tuple(sorted(path.stem for path in (self.root / QUESTIONS).glob("*.jsonl")))

    def ids(self) -> Sequence[str]:
        """``project-number``, by project and number."""
        return [name for project in self.splits for name in self.split(project)]

    def split(self, name: str) -> Sequence[str]:
        """The questions about a project."""
        if name not in self.splits:
            raise UnknownNameError("split", name, self.splits)
        return [f"{name}-{number}" for number in range(1, len(self._questions(name)) + 1)]

    def load(self, name: str) -> Task:
        """See ``Benchmark.load``."""
        project, _, number = name.rpartition("-")
        asked = self._questions(project)[int(number) - 1]
        if project not in self._commits:
            raise TaskError(f"{self.root / COMMITS} does not say which commit of {project} is meant")
        url, commit = self._commits[project]
        if self.repositories is not None:
            url = str(self.repositories / project)
        return Task(
            id=name,
            benchmark=self.name,
            problem=asked["question"],
            source=GitSource(url=url, commit=commit),
            question=OpenQuestion(reference=asked["answer"]),
            editable=(ANSWER,),
            metadata={"category": project},
        )

    @cached_property
    def _commits(self) -> dict[str, tuple[str, str]]:
        """Project to address and commit."""
        found = _LINE.findall(read_text(self.root / COMMITS))
        return {project: (url, commit) for url, project, commit in found}

    def _questions(self, project: str) -> list[dict[str, str]]:
        path = self.root / QUESTIONS / f"{project}.jsonl"
        try:
            asked = [json.loads(line) for line in read_text(path).splitlines() if line.strip()]
            return [{key: str(row[key]) for key in ("question", "answer")} for row in asked]
        except (ValueError, KeyError, TypeError) as error:
            raise TaskError(f"{path} does not hold questions and answers: {error}") from None
