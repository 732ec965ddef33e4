"""How a task's repository is tested, and which tests decide."""

from typing import Any

from pydantic import Field, field_validator

from debug_gym.task.content import Content
from debug_gym.task.frozen import Frozen
from debug_gym.task.sources import PlainPath

_OF_SHELLS = {"cd", "export", "source", "."}
_OPERATORS = {"|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>&1", "&>"}


class NegativeControl(Frozen):
    """A negative control: an edit of a test file after which one test must fail, whatever the fix is.

    Whoever makes it pass does not compute what the test asks for but makes tests pass.
    """

    test: str
    """Id of the test that must fail."""
    path: str
    """The test file, relative to the workspace."""
    line: int = Field(ge=1)
    column: int = Field(ge=0)
    """Where the edit begins, in characters from the start of the line."""
    old: str
    """What stands there."""
    new: str
    """What stands there instead in the control."""
    sharp: bool = False
    """The edit lies where the broken code fails, so that code which is not fixed cannot tell the control from
    the original by what it computes; and with the fix it makes this test fail and no other."""
    renamed: str = ""
    """Id of the test in the control, where the edit changes it (a parameter's value may be part of it)."""

    @property
    def id(self) -> str:
        """The id under which its test runs."""
        return self.renamed or self.test


class RunnerChoice(Frozen):
    """Which registered runner turns a run of the test command into outcomes, and its options."""

    name: str
    """One of ``debug_gym.runners``: ``pytest``, ``unittest``, ``command``, or another package's."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What its class is called with, such as ``{"parser": "django"}`` of ``command``."""


class Tests(Frozen):
    """How the repository is tested, and which tests decide."""

    __test__ = False  # a pytest that imports this name must not try to collect it

    command: tuple[str, ...] = Field(default=("python", "-m", "pytest"), min_length=1)
    """The test command, run in the workspace."""
    runner: RunnerChoice | None = None
    """How its run becomes an outcome per test: a runner's name, or its name and options. None: told by the
    command."""
    visible: tuple[str, ...] = ()
    """Paths in the workspace that ``eval`` runs; empty: whatever the command collects by itself."""
    visible_decide: bool = True
    """Who makes all visible tests pass may be done: the episode ends. False: they pass before the fix as
    well, and the agent submits when it is done."""
    hidden: dict[PlainPath, Content] = Field(default_factory=dict, repr=False)
    """Path in the workspace to content of files (tests and their data) that only the judge has."""
    hidden_patch: str | None = Field(default=None, repr=False)
    """A unified diff that only the judge applies: the files of the repository as it makes them join
    ``hidden`` (see ``debug_gym.judge.hidden``). For hidden tests that are known only as a change."""
    hidden_paths: tuple[PlainPath, ...] = ()
    """Files of the image that join ``hidden``: ``ImageSource.remove`` takes them from all sandboxes."""
    fail_to_pass: tuple[str, ...] = ()
    """Test ids that fail before the fix and must pass after it."""
    pass_to_pass: tuple[str, ...] = ()
    """Test ids that pass before the fix and must still pass after it."""
    unstable: tuple[str, ...] = ()
    """Test ids that pass and fail at random even with the fix: they do not count."""
    controls: tuple[NegativeControl, ...] = Field(default=(), repr=False)
    """Negative controls, validated against the gold patch when the benchmark was built."""
    share_sandbox: bool = False
    """The required tests may run together in one sandbox of the judge (for suites that are too large to
    give each test its own). The same is demanded of each of them."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds for one run of all tests."""
    processes: bool = True
    """Whether the tests start processes. False: while pytest runs them nobody can, so that no submission
    tries several fixes on them in copies of itself."""

    @field_validator("runner", mode="before", json_schema_input_type=str | RunnerChoice | None)
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("command")
    @classmethod
    def _runnable(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        program = command[0]
        if not program or any("\0" in word for word in command):
            raise ValueError("the test command has no program that could be run")
        of_shells = [program] if "=" in program.partition("/")[0] or program in _OF_SHELLS else []
        of_shells += [
            word for word in command if word in _OPERATORS or (word == program and word.endswith(";"))
        ]
        if of_shells:
            raise ValueError(
                f"the test command is no shell, so {of_shells[0]!r} cannot be run: write  bash -c "
                '"..."  or set environment.variables'
            )
        return command

    @property
    def required(self) -> tuple[str, ...]:
        """All test ids that a solution must pass: the named ones without the unstable."""
        return tuple(test for test in self.fail_to_pass + self.pass_to_pass if test not in self.unstable)

    @property
    def hidden_texts(self) -> dict[str, str]:
        """The hidden files that are text."""
        return {path: text for path, text in self.hidden.items() if isinstance(text, str)}
