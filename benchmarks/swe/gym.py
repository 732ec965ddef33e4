"""SWE-Gym: tasks like SWE-bench's from other repositories, to train on."""

from typing import Any

from debug_gym.benchmarks.base import Card
from debug_gym.benchmarks.swe.base import CONDA, SweBenchmark
from debug_gym.benchmarks.swe.rows import TestedRow, image_id
from debug_gym.benchmarks.swe.specs import gym_spec_of
from debug_gym.benchmarks.swe.tests import harness_of, task_of_row
from debug_gym.errors import TaskError
from debug_gym.task import Task


class GymRow(TestedRow):
    """SWE-Gym:"""


class SweGym(SweBenchmark):
    """The tasks of SWE-Gym."""

    name = "swe-gym"
    description = "2,438 issues of 11 Python repositories, to train on; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://github.com/SWE-Gym/SWE-Gym",
        licence="MIT (the repositories have their own)",
        citation="J. Pan et al., Training Software Engineering Agents and Verifiers with SWE-Gym, 2024, "
        "arXiv 2412.21139",
    )
    dataset = "SWE-Gym/SWE-Gym"
    default_split = "train"

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        instance = GymRow.parse(row, self.where(row))
        spec = gym_spec_of(instance.repo, instance.version)
        if spec is None:
            raise TaskError(f"{instance.instance_id}: SWE-Gym tests no repository {instance.repo}")
        return task_of_row(
            instance,
            spec,
            benchmark=self.name,
            image=f"xingyaoww/sweb.eval.x86_64.{image_id(instance.instance_id, '_s_')}:latest",
            setup=CONDA,
            harness=harness_of(instance, spec, "SWE-Gym's swebench", "swe-bench-4"),
        )


class SweGymLite(SweGym):
    """SWE-Gym's 230 tasks that are small."""

    name, dataset = "swe-gym-lite", "SWE-Gym/SWE-Gym-Lite"
    description = "SWE-Gym's 230 small tasks."
