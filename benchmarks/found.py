"""The tests that decide, as ``debug-gym validate --write-tests`` has found them."""

from pathlib import Path

from pydantic import ValidationError

from debug_gym.errors import TaskError
from debug_gym.task import Frozen


class FoundTests(Frozen):
    """Ids of one task's tests. See ``debug_gym.task.Tests``."""

    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()


def read_found(path: Path) -> FoundTests:
    """What a JSON file holds; nothing if there is no such file.

    Raises:
        TaskError: it cannot be read, or holds something else.
    """
    try:
        return FoundTests.model_validate_json(path.read_bytes()) if path.exists() else FoundTests()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError:
        raise TaskError(f"{path} does not hold ids of tests: make it anew by  --write-tests") from None


def dump_found(found: FoundTests) -> str:
    """The text of the file."""
    return found.model_dump_json(indent=1) + "\n"
