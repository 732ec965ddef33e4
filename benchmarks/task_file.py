"""A repository that says itself how it is played: ``debug-gym.yaml`` in its folder, which ``debug-gym init``
writes. It holds the options of the benchmark ``repo``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark
from debug_gym.errors import ConfigError

TASK_FILE = "debug-gym.yaml"
"""The file that makes a folder a task."""


def is_task(path: str | Path) -> bool:
    """Whether a folder holds such a file."""
    return (Path(path).expanduser() / TASK_FILE).is_file()


def read_task(path: str | Path, options: Mapping[str, Any] | None = None) -> Benchmark:
    """The benchmark of the one task that a folder is.

    Args:
        path: the folder.
        options: further ones of ``repo``, which win over the file's.

    Raises:
        ConfigError: the file cannot be read, or an option does not exist or does not fit.
    """
    file = Path(path).expanduser() / TASK_FILE
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    if said is None:
        said = {}
    if not isinstance(said, dict):
        raise ConfigError(f"{file} holds no options: write  name: value")
    if "path" in said:
        raise ConfigError(f"{file}: the path is the folder that it lies in: leave it out")
    excluded = said.get("exclude", ())
    several = [excluded] if isinstance(excluded, str) else list(excluded)
    return plugins.make(
        "benchmarks",
        "repo",
        {**said, "exclude": [*several, TASK_FILE], **(options or {}), "path": str(file.parent)},
    )
