"""From a repository's files to a place where its tests run: environment, licence, a command that works."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from debug_gym.mining.base import FallenError, Ground
from debug_gym.mining.environment import build, variables
from debug_gym.mining.licence import licence_of
from debug_gym.mining.trees import write_files
from debug_gym.sandbox import Backend
from debug_gym.task import Environment, Tests

COMMANDS = (
    Tests().command,
    ("python", "-m", "pytest", "-o", "addopts="),
    ("python", "-m", "pytest", "-o", "addopts=", "-o", "filterwarnings="),
)
"""Tried in turn: what a repository adds may need plugins that are not there, or refuse warnings of newer
packages."""


@dataclass(frozen=True)
class GroundMaker:
    """What all repositories of one mining session share.

    Args:
        backend: where tests run.
        python: an environment to use as it is; empty: one is built of the packages that a repository needs.
        also: requirements beside those that a repository names.
        licence: what to take where a repository does not tell; empty: it is refused.
        timeout: seconds for one run of all tests.
    """

    backend: Backend
    python: str = ""
    also: Sequence[str] = ()
    licence: str = ""
    timeout: float = 120.0
    _commands: dict[str, tuple[tuple[str, ...], float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make(
        self, name: str, folder: Path, *, until: str = "", version: str = "1.0", temporary: bool = False
    ) -> Ground:
        """Prepare the repository in a folder, which gets what only its build makes.

        Raises:
            FallenError: its licence is unknown, its packages cannot be had, or its tests do not run.
        """
        licence = licence_of(folder) or self.licence
        if not licence:
            raise FallenError("environment", "its licence is unknown: name it by --licence")
        if self.python:
            environment = Environment(python=self.python, variables=variables(folder))
        else:
            built = build(folder, until=until, also=self.also, version=version)
            write_files(folder, built.additions)
            environment = built.environment(folder)
        ground = Ground(name, folder, environment, self.backend, timeout=self.timeout, licence=licence)
        command, seconds = self._command(ground)
        return replace(ground, command=command, seconds=seconds, temporary=temporary)

    def _command(self, ground: Ground) -> tuple[tuple[str, ...], float]:
        """The first of ``COMMANDS`` with which most tests pass, and how long that takes."""
        key = f"{ground.name} {ground.environment.model_dump_json()}"
        with self._lock:
            known = self._commands.get(key)
        if known:
            return known
        said = ""
        for command in COMMANDS:
            began = time.monotonic()
            run = replace(ground, command=command).run({})
            if run.timed_out:
                raise FallenError("environment", f"its tests take longer than {self.timeout:g} seconds")
            if len(run.passed) > len(run.failed):
                with self._lock:
                    self._commands[key] = command, time.monotonic() - began
                    return self._commands[key]
            said = run.messages.get(next(iter(run.failed), ""), "") or run.output.strip().rpartition("\n")[2]
        raise FallenError("environment", "its tests do not pass", said)
