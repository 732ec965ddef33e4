"""One's own repository as a task: what can be found out by looking at it and by running its tests."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from debug_gym.benchmarks.repo import Repo
from debug_gym.benchmarks.task_file import TASK_FILE
from debug_gym.errors import ConfigError, DebugGymError, TaskError
from debug_gym.runs.first_look import first_look
from debug_gym.sandbox import Backend, TestRun
from debug_gym.store.writer import write_atomically

COMMANDS = ("python -m pytest", "python -m pytest -o addopts=")
"""Test commands that are tried in turn."""
UNITTEST = ("python -m unittest discover", "python -m unittest discover tests")
"""Those for tests that are written for it, where pytest does not run them."""
PATIENCE = 600.0
"""Seconds for one run of all tests."""
LOOKS = 3
"""Runs of the tests: what does not do the same in all of them is unstable."""
SHOWN = 5
"""Failing tests that the statement names."""


@dataclass(frozen=True)
class Found:
    """How a repository is tested, and how its tests go."""

    options: dict[str, Any]
    """Of the benchmark ``repo``, where they are not its defaults."""
    python: str
    """The interpreter, for people."""
    command: str
    passing: int
    failing: tuple[str, ...]
    unstable: tuple[str, ...]
    seconds: float
    """Of one run."""


def look(path: Path, backend: Backend) -> Found:
    """Find out how a repository is tested: every interpreter and every command that may fit is tried.

    Args:
        path: its folder. It is not changed.
        backend: where its tests run.

    Raises:
        ConfigError: there is no such folder.
        TaskError: its tests do not run in any way; the message says how the most promising one ended.
    """
    problem: DebugGymError | None = None
    for options in _ways(path):
        repo = Repo(path, timeout=PATIENCE, **options)
        task = repo.task(repo.id)
        try:
            first_look(task, backend, repo.own_modules)
            began = time.monotonic()
            with backend.start(task.for_agent()) as sandbox:
                runs = [sandbox.run_tests(timeout=PATIENCE)]
            seconds = time.monotonic() - began
            for _ in range(LOOKS - 1):
                with backend.start(task.for_agent()) as sandbox:
                    runs.append(sandbox.run_tests(timeout=PATIENCE))
        except TaskError as error:
            if options.get("test_command") not in UNITTEST:
                problem = error
            continue
        return _found(repo, options, runs, seconds)
    raise TaskError(f"the tests of {path} do not run. {problem}")


def _ways(path: Path) -> Iterator[dict[str, Any]]:
    """Options of ``repo``: interpreters, the repository's own first, with commands."""
    pythons: dict[str, None] = {"": None}  # its own .venv or venv, else the gym's
    for name in ("env", ".env"):
        if (path / name / "bin/python").is_file():
            pythons[name] = None
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        place = os.environ.get(variable, "")
        if place and Path(place).resolve() != Path(sys.prefix).resolve():
            pythons[place] = None
    files = [*path.glob("test*.py"), *path.glob("tests/**/test*.py")]
    unittest = any("unittest" in file.read_text(encoding="utf-8", errors="replace") for file in files)
    for python in pythons:
        for command in (*COMMANDS, *(UNITTEST if unittest else ())):
            chosen = {"python": python, "test_command": command}
            yield {key: value for key, value in chosen.items() if value not in {"", COMMANDS[0]}}


def _found(repo: Repo, options: dict[str, Any], runs: list[TestRun], seconds: float) -> Found:
    names = list(dict.fromkeys(test for run in runs for test in run.outcomes))
    seen = {name: {run.outcomes.get(name, "missing") for run in runs} for name in names}
    unstable = tuple(name for name, outcomes in seen.items() if len(outcomes) > 1)
    failing = tuple(test for test in runs[0].failed if test not in unstable)
    said = dict(options)
    if failing:
        said["problem"] = _problem(failing, runs[0])
    if unstable:
        said["unstable"] = list(unstable)
    limit = max(60, 10 * round(1 + seconds))
    if limit > 60:
        said["timeout"] = limit
    passing = sum(outcomes == {"passed"} for outcomes in seen.values())
    python = str(repo.task(repo.id).environment.python or sys.executable)
    return Found(said, python, " ".join(repo.command), passing, failing, unstable, seconds)


def _problem(failing: tuple[str, ...], run: TestRun) -> str:
    lines = [
        f"{len(failing)} of the {len(run.outcomes)} tests of this repository fail:"
        if len(failing) > 1
        else "A test of this repository fails:",
        "",
    ]
    for test in failing[:SHOWN]:
        reason = run.messages.get(test, "")
        lines.append(f"- `{test}`" + (f": {reason}" if reason else ""))
    if len(failing) > SHOWN:
        lines.append(f"- and {len(failing) - SHOWN} more")
    return "\n".join([*lines, "", "Find out why, and fix the code so that they pass.", ""])


def write(path: Path, found: Found, *, force: bool = False) -> Path:
    """Write the task file of a repository.

    Raises:
        ConfigError: there is one, and ``force`` is not set; or it cannot be written.
    """
    file = path / TASK_FILE
    if file.exists() and not force:
        raise ConfigError(f"{file} exists: --force writes it anew")
    said = (
        yaml.safe_dump(found.options, sort_keys=False, allow_unicode=True, width=110) if found.options else ""
    )
    head = (
        "# How debug-gym plays this repository: the options of its benchmark `repo`.\n"
        "# debug-gym run .        an agent repairs it\n"
        "# debug-gym play .       you do\n"
    )
    try:
        write_atomically(file, head + said)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return file
