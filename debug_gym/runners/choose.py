"""The runner of a task's tests."""

from functools import lru_cache

from debug_gym import plugins
from debug_gym.errors import TaskError
from debug_gym.runners.base import Runner
from debug_gym.task import Tests

_TOLD_BY_COMMAND = ("pytest", "unittest", "django", "sympy", "command")
"""Runners that are tried, in this order, where a task names none. The last one takes any command."""


def runner_of(tests: Tests) -> Runner:
    """The runner that a task names, or else the one that its test command is for.

    Raises:
        UnknownNameError: nobody registered the runner that is named.
        ConfigError: it does not take one of its options.
        TaskError: one of its options has a wrong value.
    """
    choice = tests.runner
    if choice is None:
        return _by_command(tests.command)(tests)
    try:
        return plugins.make("runners", choice.name, {"tests": tests, **choice.options})
    except (TypeError, ValueError) as error:
        if type(error) in {TypeError, ValueError}:
            raise TaskError(f"the runner {choice.name!r}: {error}") from None
        raise


@lru_cache(maxsize=256)
def _by_command(command: tuple[str, ...]) -> type[Runner]:
    kinds = (plugins.load("runners", name) for name in _TOLD_BY_COMMAND)
    return next(kind for kind in kinds if kind.fits(command))
