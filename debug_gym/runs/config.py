"""What a run is made of: one frozen model that YAML files, ``key=value`` settings and CLI options fill."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import Field, ValidationError, field_validator

from debug_gym.errors import ConfigError
from debug_gym.runs.secrets import holds_secret, secret_option
from debug_gym.session.setup import AttemptConfig

_LONGEST = 60
"""Characters of a name that a run's folder is called after: an agent may be a command."""
_SETTING = re.compile(r"([A-Za-z_][\w-]*(?:\.[\w-]+)*)=(.*)", re.DOTALL)


class RunConfig(AttemptConfig):
    """A benchmark, an agent, how the agent plays it, and how often."""

    INERT: ClassVar[frozenset[str]] = frozenset(
        ["workers", "processes", "ray", "output"]
        + [f"agent_options.{name}" for name in ("timeout", "retries", "max_wait", "stream")]
        + [f"agent_options.{name}" for name in ("requests_per_minute", "tokens_per_minute", "max_concurrent")]
    )
    """Keys that change no result: a run may be resumed with other values of them."""

    benchmark_options: dict[str, Any] = Field(default_factory=dict)
    """What the benchmark's class is called with, e.g. ``path`` for ``repo``."""
    tasks: tuple[str, ...] = ()
    """Task ids or globs such as ``meter*``; empty: all tasks of the benchmark."""
    split: str | None = None
    """Only the tasks of this part of the benchmark."""
    shuffle: int | None = Field(default=None, ge=0)
    """Seed of a random order of the tasks; None: the benchmark's order."""
    limit: int | None = Field(default=None, gt=0)
    """Only the first so many of them."""
    attempts: int = Field(default=1, gt=0)
    """How many times each task is played (k)."""
    seed: int = Field(default=0, ge=0)
    """Attempt ``i`` is played with the seed ``seed + i``."""
    workers: int | None = Field(default=None, gt=0, le=4096)
    """Episodes at the same time. None: one for each CPU; eight where the agent waits for a model."""
    processes: int = Field(default=1, gt=0, le=1024)
    """Spread the workers over so many processes of this machine, since one keeps only a few CPUs busy. Limits
    of requests to a model hold for each of them."""
    ray: str | None = None
    """Play on a Ray cluster: ``auto`` (the one that this machine belongs to), an address, or ``local`` (one
    that is started for this run, on this machine); None: in threads of this process."""
    output: Path | None = None
    """The run's folder; None: ``runs/<benchmark>-<agent>[-<model>]``."""

    @field_validator("tasks", "tools", mode="before", json_schema_input_type=str | list[str] | None)
    @classmethod
    def _split_at_commas(cls, value: Any) -> Any:
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            return value
        return [part.strip() for item in items for part in item.split(",") if part.strip()]

    @field_validator("agent_options", "benchmark_options")
    @classmethod
    def _no_secrets(cls, options: dict[str, Any]) -> dict[str, Any]:
        if (name := secret_option(options)) is not None:
            raise ValueError(f"{name} would be stored in config.json: set an environment variable instead")
        return options

    @field_validator("base_url", "mcp")
    @classmethod
    def _no_password(cls, value: Any) -> Any:
        for address in (value,) if isinstance(value, str) else value or ():
            if holds_secret(address):
                raise ValueError(
                    "the password or token in it would be stored in config.json: leave it out, or set an "
                    "environment variable that the program reads"
                )
        return value

    @property
    def folder(self) -> Path:
        """Where the run is stored."""
        if self.output is not None:
            return self.output
        here = not self.benchmark.strip("./")  # "." says nothing
        benchmark = Path(self.benchmark).resolve().name if here else self.benchmark
        parts = (benchmark, self.agent, self.model)
        return Path("runs") / "-".join(re.sub(r"[^\w.]+", "-", part)[:_LONGEST] for part in parts if part)

    @property
    def label(self) -> str:
        """The agent, and its model if it has one: ``model_name_or_path`` of the predictions."""
        return f"{self.agent}-{self.model}" if self.model else self.agent


def load_config(settings: Iterable[str] = (), options: Mapping[str, Any] | None = None) -> RunConfig:
    """Merge YAML files, ``key=value`` settings and options into a configuration.

    Args:
        settings: paths of YAML files and settings such as ``max_steps=20`` or ``agent_options.retries=3``, in
            the order given; a later one wins.
        options: named options, which win over all settings. None means not given; a mapping is merged key
            by key.

    Raises:
        ConfigError: a file cannot be read, a key is not known, or a value is wrong.
    """
    merged: dict[str, Any] = {}
    for setting in settings:
        match = _SETTING.fullmatch(setting)
        _merge(merged, _nest(match[1], parse_value(match[2])) if match else _read_yaml(Path(setting)))
    _merge(merged, {key: value for key, value in (options or {}).items() if value is not None})
    for key in merged:
        if key not in RunConfig.model_fields:
            raise ConfigError(_unknown(key))
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from None


def parse_value(text: str) -> Any:
    """The value of a ``key=value`` setting.

    That is JSON (``3``, ``1e-4``, ``true``, ``null``, ``"3"``), a YAML list or mapping in brackets
    (``[view, eval]``), or else the text as it stands.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    if text.startswith(("[", "{")):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError:
            pass
    return text


def parse_options(pairs: Iterable[str], flag: str) -> dict[str, Any]:
    """Options given as ``key=value`` or ``key.part=value``; ``flag`` is how the command line calls them.

    Raises:
        ConfigError: one of them has no ``=``.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"{flag} takes key=value, not {pair!r}")
        _merge(options, _nest(key, parse_value(value)))
    return options


def _nest(path: str, value: Any) -> dict[str, Any]:
    """``a.b`` and a value as a mapping in a mapping."""
    for part in reversed(path.replace("-", "_").split(".")):
        value = {part: value}
    return dict(value)


def _merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}: --config takes a YAML file or a setting such as max_steps=20"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a mapping of settings, such as  benchmark: nightmares")
    return {str(key): value for key, value in content.items()}


def _unknown(key: str) -> str:
    close = difflib.get_close_matches(key, RunConfig.model_fields, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(RunConfig.model_fields)}"
    return f"there is no setting named {key!r}: {hint}"


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return (
            f"{where} is not set: give one on the command line or in a --config file; "
            f"debug-gym list {where}s shows them"
        )
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":  # our own checks: the value may be a secret
        return f"{where}: {message}"
    return f"{where}: {message[:1].lower()}{message[1:]}, not {problem['input']!r}"
