"""Options by name, as a command line or a YAML file gives them, into validated settings."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from debug_gym.errors import ConfigError, UnknownNameError

SettingsT = TypeVar("SettingsT", bound=BaseModel)


def check_names(options: Iterable[str], known: Iterable[str], owner: str) -> None:
    """Refuse options that nobody knows.

    Raises:
        ConfigError: names the option and the nearest known one.
    """
    known = list(known)
    for name in options:
        if name not in known:
            raise ConfigError(str(UnknownNameError(f"option of {owner}", name, known)))


def configure(kind: type[SettingsT], options: Mapping[str, Any], owner: str) -> SettingsT:
    """Fill a settings model; strings are converted (``"3"`` to 3), so options from a command line will do.

    Raises:
        ConfigError: an unknown option, or a value that does not fit; ``owner`` says whose option it is.
    """
    check_names(options, kind.model_fields, owner)
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"option {where!r} of {owner}: {message}") from None
