"""What ``debug-gym validate`` found out about a benchmark, in ``validation.json`` in a folder of its own."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from debug_gym.episode import SCHEMA_VERSION
from debug_gym.errors import ConfigError, HostError
from debug_gym.store.records import now, versions
from debug_gym.store.writer import write_atomically
from debug_gym.task import Frozen

FILE = "validation.json"


class ValidatedTask(Frozen):
    """What was found out about one task, and a few facts about it."""

    task: str
    problems: tuple[str, ...] = ()
    """Sentences; empty: it is sound. Those of ``leaks`` are among them."""
    leaks: tuple[str, ...] = ()
    """Sentences about files in the agent's reach that hold an answer."""
    searched: bool = False
    """All that the agent's sandbox shows was searched for answers, not only what is its own."""
    unstable: tuple[str, ...] = ()
    """Tests that passed and failed with the gold patch."""
    excluded: tuple[str, ...] = ()
    """Tests that the task itself calls unstable: they do not count."""
    repeats: int = 0
    """How often the gold patch was judged."""
    resolved: int = 0
    """How often it was judged to resolve the task."""
    controls: int = 0
    """Negative controls in a judgement; 0: the task can have none."""
    odds: float = 1.0
    """Upper bound of the chance that forged results get past them; 1 where nothing bounds it."""
    open_ended: bool = False
    """No test scores it."""
    seconds: float = 0.0
    """Wall-clock time of all checks."""
    failing: int = 0
    """Fail-to-pass tests."""
    passing: int = 0
    """Pass-to-pass tests."""
    lines: int = 0
    """Lines that the gold patch adds and takes out."""
    package: str = ""
    """Whose code it is; empty: not known."""
    year: str = ""
    """When the fix was published; empty: not known."""
    kind: str = ""
    """Kind of bug; empty: not known."""
    finished: str = Field(default_factory=now)


class Validations(Frozen):
    """The newest validation of each task of one state of a benchmark."""

    schema_version: int = SCHEMA_VERSION
    benchmark: str
    benchmark_version: str
    tasks: tuple[ValidatedTask, ...] = ()
    versions: dict[str, str] = Field(default_factory=versions)

    def having(self, found: Iterable[ValidatedTask]) -> "Validations":
        """The same with newer validations of some tasks."""
        tasks = {item.task: item for item in self.tasks} | {item.task: item for item in found}
        return self.model_copy(update={"tasks": tuple(tasks.values())})


def read_validations(folder: Path) -> Validations | None:
    """What a folder holds; None if it holds no validation.

    Raises:
        ConfigError: it is damaged, or was stored by a newer debug-gym.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found = Validations.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise ConfigError(f"{path} holds no validation ({said}): remove it, and validate again") from None
    if found.schema_version > SCHEMA_VERSION:
        raise ConfigError(
            f"{path} was stored by a newer debug-gym (format {found.schema_version}): update debug-gym"
        )
    return found


def begin_validations(folder: Path, benchmark: str, version: str) -> Validations:
    """What a folder holds of this state of a benchmark, or else an empty record; the folder is made.

    Raises:
        ConfigError: the folder holds a damaged validation.
        HostError: it cannot be written to.
    """
    stored = read_validations(folder)
    same = stored is not None and (stored.benchmark, stored.benchmark_version) == (benchmark, version)
    record = (
        stored if stored is not None and same else Validations(benchmark=benchmark, benchmark_version=version)
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{folder} cannot be written to: {error.strerror}: choose another by --output"
        ) from None
    return record


def write_validations(folder: Path, record: Validations) -> None:
    """Store a record, in place of the one that is there."""
    write_atomically(folder / FILE, record.model_dump_json(indent=1) + "\n")
