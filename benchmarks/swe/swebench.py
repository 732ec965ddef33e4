"""SWE-bench: real issues of Python repositories, each with the tests of the pull request that solved it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from debug_gym.benchmarks.base import Card
from debug_gym.benchmarks.swe.base import CONDA, SweBenchmark
from debug_gym.benchmarks.swe.rows import TestedRow, image_id
from debug_gym.benchmarks.swe.specs import SPECS, Spec, spec_of, spec_of_parser
from debug_gym.benchmarks.swe.tests import harness_of, task_of_row
from debug_gym.errors import ConfigError, TaskError
from debug_gym.task import Task
from debug_gym.task.harness import END, START

CITATION = (
    "C. E. Jimenez et al., SWE-bench: Can Language Models Resolve Real-World GitHub Issues?, ICLR 2024, "
    "arXiv 2310.06770"
)


class SweRow(TestedRow):
    """SWE-bench:"""

    image: str = ""
    """Name of the image. This column and the next two came with swebench 5."""
    eval_script: str = Field(default="", repr=False)
    """What swebench runs in the image."""
    log_parser: str = ""

    @property
    def test_command(self) -> str:
        """The lines of ``eval_script`` whose output counts; empty: there are none."""
        _, found, rest = self.eval_script.partition(START)
        return rest.partition("\n")[2].partition(END)[0].rpartition("\n")[0].strip() if found else ""


class SweBench(SweBenchmark):
    """SWE-bench, or a part of it that has a name of its own."""

    name = "swe-bench"
    description = "2,294 issues of 12 repositories (test split); needs --sandbox docker or kubernetes."
    card = Card(
        source="https://www.swebench.com", licence="MIT (the repositories have their own)", citation=CITATION
    )
    dataset = "SWE-bench/SWE-bench"
    shows_tests: ClassVar[bool] = False
    """The test patch is applied from the start, so that the agent sees the tests that fail."""

    def __init__(
        self,
        data_dir: str | Path | None = None,
        *,
        data_split: str | None = None,
        revision: str = "main",
        namespace: str = "swebench",
        tag: str = "latest",
    ) -> None:
        """Describe where rows and images are.

        Args:
            data_dir: see ``SweBenchmark``.
            data_split: see ``SweBenchmark``.
            revision: see ``SweBenchmark``.
            namespace: who publishes the images, as swebench's ``--namespace``; empty: they were built here.
            tag: of the images, as swebench's ``--instance_image_tag``.
        """
        super().__init__(data_dir, data_split=data_split, revision=revision)
        self.namespace, self.tag = namespace, tag

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        instance = SweRow.parse(row, self.where(row))
        spec = self.spec(instance)
        return task_of_row(
            instance,
            spec,
            benchmark=self.name,
            image=self.image(instance),
            setup=CONDA,
            harness=harness_of(instance, spec, "swebench", command=instance.test_command),
            shows_tests=self.shows_tests,
        )

    def spec(self, instance: SweRow) -> Spec:
        """How the repository of a row is tested.

        Raises:
            TaskError: swebench has no way to test it that is known here.
        """
        found = spec_of(instance.repo, instance.version) or spec_of_parser(instance.log_parser)
        if found is None:
            raise TaskError(
                f"{instance.instance_id}: nothing tells how {instance.repo} is tested: it is no repository "
                "of SWE-bench's in Python, and its row names no log parser of swebench's for Python"
            )
        return found

    def image(self, instance: SweRow) -> str:
        """The name of an image: the row's, or as swebench computes it, where with a namespace ``__`` becomes
        ``_1776_``."""
        if instance.image:
            return instance.image
        if not self.namespace:
            return f"sweb.eval.x86_64.{instance.instance_id}:{self.tag}".lower()
        return f"{self.namespace}/sweb.eval.x86_64.{image_id(instance.instance_id)}:{self.tag}".lower()


class SweBenchLite(SweBench):
    """The 300 issues of SWE-bench Lite."""

    name, dataset = "swe-bench-lite", "SWE-bench/SWE-bench_Lite"
    description = "The 300 of SWE-bench's issues that are small and self-contained."


class SweBenchVerified(SweBench):
    """The 500 issues of SWE-bench Verified."""

    name, dataset = "swe-bench-verified", "SWE-bench/SWE-bench_Verified"
    description = "The 500 of SWE-bench's issues that people found solvable and well tested."


class SweBenchMultilingual(SweBench):
    """The Python part of SWE-bench Multilingual."""

    name, dataset = "swe-bench-multilingual", "SWE-bench/SWE-bench_Multilingual"
    description = "The rows of SWE-bench Multilingual that are in Python, where a revision has any."

    def ids(self) -> Sequence[str]:
        """The ids of the rows in Python: those of SWE-bench's repositories.

        Raises:
            ConfigError: there is none. The data set as it was first published has nine other languages.
        """
        found = tuple(name for name in super().ids() if _repository(name) in SPECS)
        if not found:
            raise ConfigError(
                f"{self.dataset} has no task in Python in its split {self.data_split}, and this gym debugs "
                "Python: take swe-bench-verified, or name another revision by  -b revision=..."
            )
        return found


class SweBenchDebug(SweBenchVerified):
    """SWE-bench Verified with the tests in sight."""

    name = "swe-bench-debug"
    description = "SWE-bench Verified with the test patch applied: the agent sees the tests that fail."
    shows_tests = True


def _repository(instance_id: str) -> str:
    return instance_id.rpartition("-")[0].replace("__", "/")
