"""SWE-rebench: tasks like SWE-bench's, collected and set up by programs from thousands of repositories."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from debug_gym.benchmarks.base import Card
from debug_gym.benchmarks.swe.base import CONDA, SweBenchmark
from debug_gym.benchmarks.swe.rows import Commands, TestedRow, from_json, image_id
from debug_gym.benchmarks.swe.specs import Spec
from debug_gym.benchmarks.swe.tests import harness_of, task_of_row
from debug_gym.errors import ConfigError, TaskError
from debug_gym.runners.harness_logs import PARSERS
from debug_gym.task import Task

_NAMES = {name.removeprefix("old-"): name for name in PARSERS if name.startswith("old-")}
"""Log parsers as SWE-rebench calls them, to ours."""


class InstallConfig(BaseModel):
    """How a repository is set up and tested."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    test_cmd: Commands
    log_parser: str = "parse_log_pytest"

    @property
    def parser(self) -> str | None:
        """Our name of the log parser; None: it reads no Python's tests."""
        name = self.log_parser.removeprefix("parse_log_").replace("_", "-")
        return _NAMES.get(name, name if name in PARSERS else None)


class RebenchRow(TestedRow):
    """SWE-rebench:"""

    docker_image: str = ""
    image_name: str = ""
    language: str = "python"
    install_config: Annotated[InstallConfig, BeforeValidator(from_json)] = Field(
        default=InstallConfig(test_cmd=("pytest --no-header -rA --tb=line --color=no -p no:cacheprovider",))
    )


class SweRebench(SweBenchmark):
    """The tasks of SWE-rebench."""

    name = "swe-rebench"
    description = "21,336 issues of 3,468 repositories, to train on; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://huggingface.co/datasets/nebius/SWE-rebench",
        licence="CC-BY-4.0 (each row names its repository's)",
        citation="I. Badertdinov et al., SWE-rebench: An Automated Pipeline for Task Collection and "
        "Decontaminated Evaluation of Software Engineering Agents, 2025, arXiv 2505.20411",
    )
    dataset = "nebius/SWE-rebench"

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        instance, spec = _parse(row, self.where(row))
        image = instance.docker_image or instance.image_name
        return task_of_row(
            instance,
            Spec(),
            benchmark=self.name,
            image=image or f"swerebench/sweb.eval.x86_64.{image_id(instance.instance_id)}:latest",
            setup=CONDA,
            harness=harness_of(instance, spec, "SWE-rebench's swebench", "swe-bench-4"),
        )


class SweRebenchV2(SweBenchmark):
    """The Python tasks of SWE-rebench V2."""

    name = "swe-rebench-v2"
    description = "SWE-rebench's second edition, its tasks in Python; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://huggingface.co/datasets/nebius/SWE-rebench-V2",
        licence="CC-BY-4.0 (each row names its repository's)",
        citation="SWE-rebench V2, Nebius, 2026",
    )
    dataset = "nebius/SWE-rebench-V2"
    default_split = "train"

    def ids(self) -> Sequence[str]:
        """The ids of the rows in Python.

        Raises:
            ConfigError: there is none.
        """
        languages = self.rows.column("language")
        found = tuple(name for name in super().ids() if str(languages[name]).lower() == "python")
        if not found:
            raise ConfigError(f"{self.dataset} has no task in Python in its split {self.data_split}")
        return found

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        instance, spec = _parse(row, self.where(row))
        if not instance.image_name:
            raise TaskError(f"{instance.instance_id}: it names no image")
        commands = "\n".join(("set -e", *instance.install_config.test_cmd))
        return task_of_row(
            instance,
            Spec(),
            benchmark=self.name,
            image=instance.image_name,
            folder=f"/{instance.repo.rpartition('/')[2]}",
            harness=harness_of(instance, spec, "SWE-rebench-V2", "swe-rebench-v2", command=commands),
        )


def _parse(row: dict[str, Any], where: str) -> tuple[RebenchRow, Spec]:
    instance = RebenchRow.parse(row, where)
    parser = instance.install_config.parser
    if parser is None:
        raise TaskError(
            f"{instance.instance_id}: nothing reads the log of its tests in Python: "
            f"{instance.install_config.log_parser}"
        )
    return instance, Spec("\n".join(instance.install_config.test_cmd), parser)
