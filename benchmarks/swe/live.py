"""SWE-bench-Live: issues that are newer than models' training data, each with an image of its own."""

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from debug_gym.benchmarks.base import Card
from debug_gym.benchmarks.swe.base import SweBenchmark
from debug_gym.benchmarks.swe.rows import Commands, TestedRow, image_id
from debug_gym.benchmarks.swe.specs import Spec
from debug_gym.benchmarks.swe.tests import harness_of, task_of_row
from debug_gym.errors import TaskError
from debug_gym.task import Task

_ACTIVATE = {
    "poetry": 'source "$(poetry env info --path)/bin/activate"',
    "uv": "source .venv/bin/activate",
    "pdm": "source .venv/bin/activate",
    "pipenv": 'source "$(pipenv --venv)/bin/activate"',
}
"""First word of a command ``poetry run pytest`` to how the environment is entered that it runs in."""


class LiveRow(TestedRow):
    """SWE-bench-Live:"""

    docker_image: str = ""
    test_cmds: Commands = ()
    log_parser: str = "pytest"
    language: str = Field(default="python")


class SweBenchLive(SweBenchmark):
    """The Python tasks of SWE-bench-Live."""

    name = "swe-bench-live"
    description = "Issues of Python repositories, 50 new ones a month; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://swe-bench-live.github.io",
        licence="MIT (the repositories have their own)",
        citation="L. Zhang et al., SWE-bench Goes Live!, 2025, arXiv 2505.23419",
    )
    dataset: ClassVar[str] = "SWE-bench-Live/SWE-bench-Live"
    default_split = "verified"

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        data_split: str | None = None,
        revision: str = "main",
        namespace: str = "starryzhang",
        tag: str = "latest",
    ) -> None:
        """Describe where rows and images are.

        Args:
            data_dir: see ``SweBenchmark``.
            data_split: ``verified``, ``lite``, ``test`` or ``full``.
            revision: see ``SweBenchmark``.
            namespace: who publishes the images.
            tag: of the images.
        """
        super().__init__(data_dir, data_split=data_split, revision=revision)
        self.namespace, self.tag = namespace, tag

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        instance = LiveRow.parse(row, self.where(row))
        if instance.log_parser.strip().lower() != "pytest" or not instance.test_cmds:
            raise TaskError(
                f"{instance.instance_id}: its tests are not told by pytest, but by {instance.log_parser!r}"
            )
        harness = harness_of(
            instance,
            Spec(parser="old-pytest"),
            "SWE-bench-Live",
            "swe-bench-live",
            command=" ; ".join(instance.test_cmds),
        )
        return task_of_row(
            instance,
            Spec(),
            benchmark=self.name,
            image=instance.docker_image or self._image(instance.instance_id),
            setup=_setup(instance.test_cmds),
            harness=harness,
        )

    def _image(self, instance_id: str) -> str:
        return f"{self.namespace}/sweb.eval.x86_64.{image_id(instance_id)}:{self.tag}"


def _setup(commands: tuple[str, ...]) -> tuple[str, ...]:
    words = commands[-1].split()
    return (_ACTIVATE[words[0]],) if words[:1] and words[0] in _ACTIVATE and "run" in words else ()
