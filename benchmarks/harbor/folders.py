"""One task folder, of Harbor or of Terminal-Bench."""

import base64
import re
import shlex
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from debug_gym.benchmarks.data import files_in, read_text
from debug_gym.benchmarks.folder import FolderBenchmark, is_benchmark
from debug_gym.benchmarks.harbor.dockerfile import Dockerfile
from debug_gym.errors import TaskError
from debug_gym.task import Limits, Task

OURS = "tests/benchmark"
"""Where ``debug_gym.formats.harbor`` puts the whole task."""
_RUN = re.compile(r"(?:/tests|\$\{?TEST_DIR\}?\"?)/([\w./-]+\.py)")
"""A test file, as the script that runs the tests names it."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_NOT_COPIED = ("solution", "solution.sh", "solution.yaml", "tests", "run-tests.sh", "task.yaml", "task.toml")
"""What no Dockerfile copies from the folder itself, whatever it says."""


class TaskFolder:
    """A task.

    Args:
        path: of its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.id = path, path.name

    @property
    def is_complete(self) -> bool:
        """Whether it is a task of one step whose tests are files of pytest."""
        described = all((self.path / name).exists() for name in ("task.toml", "instruction.md"))
        tested = any(self.path.glob("tests/test_*.py")) or self._is_ours
        return (described or (self.path / "task.yaml").exists()) and tested

    @property
    def whole(self) -> Task | None:
        """The task of the gym that this folder was exported of; None: it is of somebody else.

        Raises:
            TaskError: what lies there is no benchmark of one task.
        """
        if not self._is_ours:
            return None
        held = FolderBenchmark(self.path / OURS)
        if len(held.ids()) != 1:
            raise TaskError(
                f"{self.path / OURS} holds {len(held.ids())} tasks: an exported task has one there"
            )
        return held.task(held.ids()[0])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What ``task.toml`` or ``task.yaml`` says.

        Raises:
            TaskError: it is broken.
        """
        path = self.path / ("task.toml" if self._is_harbor else "task.yaml")
        try:
            said = tomllib.loads(read_text(path)) if self._is_harbor else yaml.safe_load(read_text(path))
        except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
            raise TaskError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
        if not isinstance(said, dict):
            raise TaskError(f"{path} does not describe a task")
        return said

    @property
    def instruction(self) -> str:
        """What the agent is told."""
        if self._is_harbor:
            return read_text(self.path / "instruction.md")
        text = self.settings.get("instruction")
        if not isinstance(text, str) or not text.strip():
            raise TaskError(f"{self.path / 'task.yaml'} has no instruction")
        return text

    @cached_property
    def tests(self) -> dict[str, str | bytes]:
        """Path below ``tests`` to content of the files that the script runs, and of what they may use."""
        files = files_in(self.path / "tests")
        run = set(_RUN.findall("\n".join(map(read_text, filter(Path.exists, self._scripts)))))
        run = run & files.keys() or {path for path in files if Path(path).name.startswith("test_")}
        return {
            path: content
            for path, content in files.items()
            if path in run or not (path.endswith(".sh") or re.search(r"(^|/)test_[^/]*\.py$", path))
        }

    @property
    def solution(self) -> str | None:
        """A script of bash that solves the task; None: it comes without one."""
        script = self.path / ("solution/solve.sh" if self._is_harbor else "solution.sh")
        if not script.exists():
            return None
        more = {} if not self._is_harbor else files_in(script.parent)
        lines = ["mkdir -p /tmp/solution"]
        for path, content in more.items():
            if path != "solve.sh":
                target, data = shlex.quote(f"/tmp/solution/{path}"), base64.b64encode(content).decode()
                lines.append(f"mkdir -p $(dirname {target}); echo {data} | base64 -d > {target}")
        text = re.sub(r"(?<![\w./-])/solution(?![\w-])", "/tmp/solution", read_text(script))
        return "\n".join((*lines, text)) if len(lines) > 1 else text

    @property
    def image(self) -> str:
        """The image that the task names, or nothing."""
        return str(self._environment.get("docker_image") or "")

    @property
    def workdir(self) -> str:
        """The folder in which the agent works."""
        return str(self._environment.get("workdir") or self._dockerfile.workdir)

    @property
    def files(self) -> dict[str, bytes]:
        """Path below ``workdir`` to content of the files that the Dockerfile copies there."""
        return self._dockerfile.copied(self.workdir)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables that the task sets."""
        return {name: str(value) for name, value in (self._environment.get("env") or {}).items()}

    @property
    def limits(self) -> Limits:
        """Memory and disk, as far as the task says."""
        said = self._environment
        memory = said.get("memory_mb", 0) << 20 or _size(said.get("memory"))
        disk = said.get("storage_mb", 0) << 20 or _size(said.get("storage"))
        usual = Limits()
        return Limits(memory=memory or usual.memory, disk=disk or usual.disk)

    @property
    def seconds_to_verify(self) -> float:
        """Time for the tests."""
        said = self.settings.get("verifier", {}).get("timeout_sec") or self.settings.get(
            "max_test_timeout_sec"
        )
        return float(said or 180.0)

    @property
    def metadata(self) -> dict[str, Any]:
        """Category and difficulty."""
        said = self.settings.get("metadata", {}) if self._is_harbor else self.settings
        return {name: str(said[name]) for name in ("category", "difficulty") if said.get(name)}

    @property
    def _is_ours(self) -> bool:
        return is_benchmark(self.path / OURS)

    @property
    def _is_harbor(self) -> bool:
        return (self.path / "task.toml").exists()

    @property
    def _environment(self) -> dict[str, Any]:
        return dict(self.settings.get("environment") or {}) if self._is_harbor else {}

    @property
    def _scripts(self) -> tuple[Path, ...]:
        return self.path / "tests/test.sh", self.path / "run-tests.sh"

    @cached_property
    def _dockerfile(self) -> Dockerfile:
        if self._is_harbor:
            return Dockerfile(self.path / "environment")
        return Dockerfile(self.path, _NOT_COPIED)


def _size(said: Any) -> int:
    """Bytes of ``2G`` or ``512M``; 0: nothing is said."""
    found = _SIZE.fullmatch(str(said or ""))
    return int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
