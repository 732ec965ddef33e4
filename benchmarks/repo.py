"""Your own repository as a benchmark: one task from any folder that has a test command."""

import hashlib
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from debug_gym.benchmarks.base import Benchmark, first_problem, read_controls
from debug_gym.benchmarks.layout import editable_folders, ignored, installed_copies, package_folders, packages
from debug_gym.errors import ConfigError, TaskError
from debug_gym.task import DirectorySource, Environment, Task, Tests

PROBLEM = "The tests of this repository fail. Find out why, and fix the code so that they pass."


class Repo(Benchmark):
    """One task: a folder, how to test it, and what is wrong.

    The folder is copied and never changed. All tests that its test command collects must pass, unless
    ``fail_to_pass`` and ``pass_to_pass`` name the ones that decide.
    """

    name = "repo"
    description = "One task from any folder of yours; options: path, test_command, problem, and more."

    def __init__(
        self,
        path: str | Path,
        test_command: str | Sequence[str] = "python -m pytest",
        problem: str = PROBLEM,
        *,
        id: str | None = None,  # noqa: A002 - the name of the task's field
        python: str | Path | None = None,
        variables: Mapping[str, str] | None = None,
        setup: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        gitignore: bool = True,
        untracked: bool = True,
        history: bool = False,
        fail_to_pass: str | Sequence[str] = (),
        pass_to_pass: str | Sequence[str] = (),
        unstable: str | Sequence[str] = (),
        share_sandbox: bool = False,
        controls: str | Path | None = None,
        editable: str | Sequence[str] = (),
        gold_patch: str | Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        """Describe the task.

        Args:
            path: the repository's folder.
            test_command: ``pytest ...`` and ``python -m pytest ...`` run warm and tell test by test; another
                command passes or fails as a whole, by its exit code. What stands before pytest (``env``,
                ``timeout 60``, ``coverage run``) goes. It is no shell: for pipes write ``bash -c "..."``.
            problem: what the agent is told.
            id: the task's id; None: made from the folder's name.
            python: a virtual environment or an interpreter, relative to ``path``; None: ``.venv`` or
                ``venv`` in the folder if there is one, else the interpreter that runs the gym.
            variables: environment variables of the sandbox, e.g. ``variables.PYTHONPATH=src``. Unless they
                name another ``PYTHONPATH``, it is the folders that hold the repository's packages, where
                that is not the folder itself, or to which editable installs of it lead: they are tested, not
                a copy that is installed.
            setup: commands of bash that run once in the sandbox's copy before the task begins, with no
                network: to build an extension or to generate a file. They are shell, not like
                ``test_command``; a list of them, or one.
            exclude: names or paths of files and folders that do not go into the sandbox; ``*`` and ``?`` are
                wildcards.
            gitignore: leave out what git ignores.
            history: let git's log and blame tell of the repository's past in the sandbox, which may hold the
                fix. If not, there is one commit of the files as they are.
            untracked: take what git neither tracks nor ignores; if not, only what it tracks.
            fail_to_pass: ids of the tests that fail now and must pass.
            pass_to_pass: ids of the tests that pass now and must still pass.
            unstable: ids of tests that pass and fail at random: they do not count.
            share_sandbox: the judge runs the tests of ``pass_to_pass`` in one sandbox, not each in its own.
            controls: a JSON file of negative controls, which ``debug-gym validate repo ... --write-controls``
                makes.
            editable: globs (gitignore's syntax) of the files whose changes count; empty: all Python files
                but tests and their configuration.
            gold_patch: a file with a unified diff that fixes the problem, for ``debug-gym validate``.
            timeout: seconds for one run of the tests.

        Raises:
            ConfigError: the folder does not exist, or the test command is empty or has an open quote.
        """
        self.path = Path(path).expanduser().resolve()
        if not self.path.is_dir():
            raise ConfigError(f"path: {path} is not a folder")
        self.command = _words(test_command)
        self.problem, self.id, self.timeout = problem, id or _id(self.path), timeout
        self.python, self.variables = python, dict(variables or {})
        self.exclude, self.gitignore, self.untracked = _several(exclude), gitignore, untracked
        self.history, self.setup = history, _several(setup)
        self.fail_to_pass, self.pass_to_pass = _several(fail_to_pass), _several(pass_to_pass)
        self.unstable, self.share_sandbox, self.controls = _several(unstable), share_sandbox, controls
        self.editable, self.gold_patch = _several(editable), gold_patch

    @cached_property
    def version(self) -> str:  # type: ignore[override]
        """A digest of the folder's content, so that results of different states are never mixed."""
        parts = [f"{path}\0{digest}\0" for path, digest in self.files.items()]
        return _digest("".join([*parts, *(f"\0{command}" for command in self.setup)]).encode())

    @cached_property
    def files(self) -> Mapping[str, str]:  # type: ignore[override]
        """A digest of each file that goes into the sandbox."""
        found = {}
        for folder, folders, names in os.walk(self.path):
            left_out = self.source.left_out(folder, [*folders, *names])
            folders[:] = sorted(set(folders) - left_out)
            for file in (Path(folder, name) for name in sorted(set(names) - left_out)):
                if file.is_file():
                    name = os.fsencode(file.relative_to(self.path)).decode("utf-8", "backslashreplace")
                    found[name] = _digest(file.read_bytes())
        return found

    @cached_property
    def source(self) -> DirectorySource:
        """What of the folder goes into the sandbox."""
        left_out = ignored(self.path, untracked=not self.untracked) if self.gitignore else []
        names = (*DirectorySource.model_fields["exclude"].default, *self.exclude)
        paths = [name for name in self.exclude if "/" in name.rstrip("/")]
        matched = [
            path.relative_to(self.path).as_posix()
            for pattern in paths
            for path in self.path.glob(pattern.strip("/"))
        ]
        return DirectorySource(
            path=self.path,
            exclude=tuple(name.rstrip("/") for name in names if name not in paths),
            without=tuple(sorted({*left_out, *matched})),
            history=self.history,
        )

    @cached_property
    def own_modules(self) -> Sequence[str]:  # type: ignore[override]
        """What lies in the folders that hold packages, or the packages in the folder itself."""
        if folders := package_folders(self.path):
            return [name for folder in folders for name in packages(self.path / folder)]
        return [name for name in packages(self.path) if (self.path / name / "__init__.py").exists()]

    def ids(self) -> Sequence[str]:
        """The one id."""
        return (self.id,)

    def load(self, name: str) -> Task:
        """Make the task.

        Raises:
            TaskError: the gold patch or the controls cannot be read, or an option does not fit.
        """
        try:
            return Task(
                id=self.id,
                benchmark=self.name,
                problem=self.problem,
                source=self.source.model_copy(update={"state": self.version}),
                tests=Tests(
                    command=self.command,
                    fail_to_pass=self.fail_to_pass,
                    pass_to_pass=self.pass_to_pass,
                    unstable=self.unstable,
                    share_sandbox=self.share_sandbox,
                    controls=read_controls(self.controls_file(name)) if self.controls is not None else (),
                    timeout=self.timeout,
                ),
                environment=Environment(python=self._python(), variables=self._variables(), setup=self.setup),
                editable=self.editable or Task.model_fields["editable"].default,
                gold_patch=self._gold_patch(),
            )
        except ValidationError as error:
            raise TaskError(f"the benchmark 'repo': {first_problem(error)}") from None

    def controls_file(self, task: str) -> Path:
        """The file that the option ``controls`` names, else one in the cache."""
        return super().controls_file(task) if self.controls is None else Path(self.controls).expanduser()

    def _variables(self) -> dict[str, str]:
        python = Path(self._python() or sys.prefix)
        folders = [*package_folders(self.path), *editable_folders(self.path, python)]
        if "-m" in self.command:
            folders = [folder for folder in folders if folder != "."]  # Python itself looks there first
        elif installed_copies(self.own_modules, python):
            folders.append(".")
        folders = list(dict.fromkeys(folders))
        path = {"PYTHONPATH": ":".join(folders)} if folders else {}
        return {**path, **{name: str(value) for name, value in self.variables.items()}}

    def _python(self) -> str | None:
        if self.python is not None:
            return str(self.path / Path(self.python).expanduser())
        found = (self.path / name for name in (".venv", "venv"))
        return next((str(folder) for folder in found if (folder / "bin/python").exists()), None)

    def _gold_patch(self) -> str | None:
        if self.gold_patch is None:
            return None
        try:
            return Path(self.gold_patch).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TaskError(f"gold_patch: {self.gold_patch} cannot be read: {error}") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _words(command: str | Sequence[str]) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)
    except ValueError as error:
        raise ConfigError(f"test_command: {command!r}: {error}") from None
    if not words:
        raise ConfigError("test_command is empty: give a command such as  python -m pytest")
    return words


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _id(path: Path) -> str:
    """The folder's name with the characters that an id may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).lstrip("._-") or "repo"
