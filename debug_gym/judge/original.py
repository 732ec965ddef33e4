"""What the judge asks the untouched repository: which tests it has, which files, and what they say."""

import ast
import re
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

from debug_gym.errors import SandboxError, TaskError
from debug_gym.judge.controls.test_source import Function
from debug_gym.judge.facts import facts_of
from debug_gym.judge.support import is_test
from debug_gym.runners.pytest import is_pytest
from debug_gym.sandbox import Backend, Changes, FileEntry, Sandbox, Snapshot, TestRun
from debug_gym.sandbox.results import NO_PROGRAM, DirEntry
from debug_gym.task import Task, as_bytes

_KEPT = {"skipped", "xfailed"}
"""Outcomes that a test may keep where the task names no tests."""
_STUBBORN = (
    (),
    ("--continue-on-collection-errors",),
    ("--continue-on-collection-errors", "--noconftest"),
)
"""Options with which the tests are collected: the next ones where broken code kept the last from doing so."""
_MOST_DATA = 100_000
"""Bytes of a data file at most that is looked at."""
_MOST_MATCHES = 10_000
"""Lines at most that are found in a search."""
_UNCOLLECTED = {2, 3, 4}
"""pytest's exit codes for runs that ended before the tests: interrupted, internal error, wrong usage."""


class Original:
    """The repository as it was before any change. A sandbox is started only if something is asked that an
    earlier verdict on this task has not found out."""

    def __init__(self, task: Task, backend: Backend) -> None:
        self.task, self.backend = task, backend
        self._facts = facts_of(task, backend)
        self._stack = ExitStack()
        self._started: Sandbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def expected(self) -> dict[str, str]:
        """Test id to the outcome that it must have. Runs the tests, the hidden ones too, if the task names
        none.

        Of a test file that the broken code keeps from being imported, all tests must pass that its text shows
        (under their id without parameters).

        Raises:
            TaskError: there is no program with the name that the test command begins with.
        """
        if self.task.tests.required:
            return dict.fromkeys(self.task.tests.required, "passed")
        run = self._run_all()
        if run.exit_code == NO_PROGRAM:
            raise TaskError(run.output.strip())
        tests = dict.fromkeys(run.collected)
        broken = [test for test in run.outcomes if test not in tests and test.endswith(".py")]
        for path, text in self.texts(broken).items():
            tests.update(dict.fromkeys(_tests_in(path, text)))
        stable = [test for test in tests if test not in self.task.tests.unstable]
        outcomes = {test: run.outcomes.get(test, "missing") for test in stable}
        return {test: outcome if outcome in _KEPT else "passed" for test, outcome in outcomes.items()}

    def _run_all(self) -> TestRun:
        if self._facts.run is not None:
            return self._facts.run
        hidden = self.task.tests.hidden
        laid = {path: FileEntry(data=as_bytes(content)) for path, content in hidden.items()}
        with self.backend.start(
            self.task.for_agent()
        ) as sandbox:  # tests may write: what is read is untouched
            if laid:
                sandbox.restore(Snapshot(changes=Changes(files=laid)))
            for options in _STUBBORN:
                run = sandbox.run_tests(options=options, timeout=self.task.tests.timeout)
                if run.timed_out or run.exit_code not in _UNCOLLECTED or not is_pytest(self.task.tests):
                    break
        if run.complete:
            self._facts.run = run
        return run

    def paths(self) -> frozenset[str]:
        """Files near the top, where new modules could hide others."""
        return frozenset(path for path, kind, _ in self._listed(3) if kind != "dir")

    def sources(self) -> list[str]:
        """The Python files that an agent may change: what it reads in them, code under test knows."""
        return [
            path
            for path, kind, _ in self._listed(20)
            if kind == "file" and path.endswith(".py") and self.task.is_editable(path)
        ]

    def support(self) -> list[str]:
        """The Python files, hidden ones included, that an agent may not change and that hold no tests."""
        found = (entry.path for entry in self._listed(20) if entry.kind == "file")
        paths = {*found, *self.task.tests.hidden}
        changeable = {path for path in paths if self.task.is_editable(path)} - {*self.task.tests.hidden}
        return [path for path in paths - changeable if path.endswith(".py") and not is_test(path)]

    def data_files(self) -> set[str]:
        """Files that are no Python and small enough to be what tests compare with."""
        found = self._listed(20)
        paths = {path for path, kind, size in found if kind == "file" and size <= _MOST_DATA}
        return {path for path in {*paths, *self.task.tests.hidden} if not path.endswith(".py")}

    def texts(self, paths: Collection[str]) -> dict[str, str]:
        """Text of test files: the hidden ones from the task, the others from the repository. What cannot be
        read is left out."""
        texts = {path: text for path, text in self.task.tests.hidden_texts.items() if path in paths}
        for path in paths:
            if path not in {*texts, *self.task.tests.hidden}:
                text = self._read(path)
                if text is not None:
                    texts[path] = text
        return texts

    def text(self, path: str) -> str | None:
        """The text of a file, as ``texts`` gives it; None if there is none that can be read."""
        return self.texts([path]).get(path)

    def mentions(self, word: str) -> set[str]:
        """Paths of the Python files, hidden tests included, that hold a word."""
        pattern = rf"\b{re.escape(word)}\b"
        hidden = {path for path, text in self.task.tests.hidden_texts.items() if re.search(pattern, text)}
        known = self._facts.mentions
        if pattern not in known:
            found = self._sandbox().grep(pattern, "*.py", limit=_MOST_MATCHES).matches
            known[pattern] = frozenset(match.path for match in found)
        return {path for path in {*hidden, *known[pattern]} if path.endswith(".py")}

    def _read(self, path: str) -> str | None:
        """The text of a file of the repository; None if there is none that can be read."""
        if path in self._facts.texts:
            return self._facts.texts[path]
        text = None
        try:
            text = self._sandbox().read(path).decode()
        except (OSError, ValueError) as error:
            if isinstance(error, SandboxError):  # that says nothing about the file
                return None
        self._facts.keep_text(path, text)
        return text

    def _listed(self, depth: int) -> list[DirEntry]:
        """What lies in the workspace, down to a depth."""
        found = self._facts.listings.get(depth)
        if found is None:
            found = self._sandbox().listdir(depth=depth, limit=100_000)
            self._facts.keep_listing(depth, found)
        return found

    def _sandbox(self) -> Sandbox:
        if self._started is None:
            self._started = self._stack.enter_context(self.backend.start(self.task.for_agent()))
        return self._started


def _tests_in(path: str, text: str) -> Iterator[str]:
    """Ids, without parameters, of the tests that a file's text shows and no mark leaves out."""
    with suppress(SyntaxError, ValueError):
        yield from _tests_below(path, ast.parse(text).body)


def _tests_below(prefix: str, body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if (node.name.startswith("Test") or "TestCase" in bases) and _is_plain(node):
                yield from _tests_below(f"{prefix}::{node.name}", node.body)
        elif isinstance(node, Function) and node.name.startswith("test") and _is_plain(node):
            yield f"{prefix}::{node.name}"


def _is_plain(node: ast.ClassDef | Function) -> bool:
    marks = " ".join(map(ast.unparse, node.decorator_list))
    return "skip" not in marks and "xfail" not in marks
