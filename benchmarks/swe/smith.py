"""SWE-smith: bugs put into repositories whose tests pass. A row's patch *is* the bug."""

import re
from collections.abc import Sequence
from typing import Any

from debug_gym.benchmarks.base import Card
from debug_gym.benchmarks.swe.base import CONDA, LIMITS, TIMEOUT, SweBenchmark, editable
from debug_gym.benchmarks.swe.rows import Row
from debug_gym.diff import reverse_patch
from debug_gym.errors import ConfigError, TaskError
from debug_gym.task import Harness, ImageSource, Task, Tests

_PYTEST = "pytest --disable-warnings --color=no --tb=no --verbose"
_COMMANDS = {
    "tkrajina/gpxpy": "pytest test.py --verbose --color=no --tb=no --disable-warnings",
    "mido/mido": f"{_PYTEST} -rs -c /dev/null",
    "paramiko/paramiko": "pytest -rA --color=no --disable-warnings",
}
"""Of the repositories that SWE-smith 0.0.9 tests in a way of their own. Others than pytest are not played."""
_PARSERS = {"paramiko/paramiko": "old-pytest", "HIPS/autograd": "swe-smith-xdist"}
_OTHERS = {"un33k/python-slugify", "tornadoweb/tornado", "python/mypy", "pydantic/pydantic"}
"""Repositories that are tested by programs of their own."""
_ID = re.compile(r"(?P<owner>.+?)__(?P<name>.+)\.(?P<commit>[0-9a-f]{8})\.")


class SmithRow(Row):
    """SWE-smith:"""

    image_name: str = ""


class SweSmith(SweBenchmark):
    """The tasks of SWE-smith in Python."""

    name = "swe-smith"
    description = "50,137 bugs in 128 Python repositories, to train on; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://swesmith.com",
        licence="MIT (the repositories have their own)",
        citation="J. Yang et al., SWE-smith: Scaling Data for Software Engineering Agents, 2025, "
        "arXiv 2504.21798",
    )
    dataset = "SWE-bench/SWE-smith"
    default_split = "train"

    def ids(self) -> Sequence[str]:
        """The ids of all rows that pytest tests.

        Raises:
            ConfigError: there is none.
        """
        found = tuple(name for name in super().ids() if _repository(name) not in _OTHERS)
        if not found:
            raise ConfigError(f"{self.dataset} has no task here that is tested by pytest")
        return found

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``.

        The tests of the image are whole. Those in files of fail-to-pass tests are taken from the agent, as in
        the branches of SWE-smith's own mirrors of the repositories.
        """
        instance = SmithRow.parse(row, self.where(row))
        repo, gold = _repository(instance.instance_id), reverse_patch(instance.patch)
        hidden = _files(instance.fail_to_pass)
        if not hidden:
            raise TaskError(f"{instance.instance_id}: it names no test that fails")
        return Task(
            id=instance.instance_id,
            benchmark=self.name,
            problem=instance.problem_statement
            or "The tests of this repository fail. Find the bug and fix it.",
            source=ImageSource(
                image=instance.image_name or _image(instance.instance_id),
                setup=CONDA,
                remove=hidden,
                bug_patch=instance.patch,
            ),
            tests=Tests(
                visible=tuple(path for path in _files(instance.pass_to_pass) if path not in hidden),
                visible_decide=False,
                hidden_paths=hidden,
                fail_to_pass=instance.fail_to_pass,
                pass_to_pass=instance.pass_to_pass,
                share_sandbox=True,
                timeout=TIMEOUT,
            ),
            editable=editable(gold),
            gold_patch=gold,
            limits=LIMITS,
            harness=Harness(
                name="SWE-smith",
                script=_COMMANDS.get(repo, _PYTEST),
                parser=_PARSERS.get(repo, "swe-smith"),
                rule="swe-smith",
                fail_to_pass=instance.fail_to_pass,
                pass_to_pass=instance.pass_to_pass,
                restored=_files((*instance.fail_to_pass, *instance.pass_to_pass)),
                timeout=TIMEOUT,
            ),
            metadata={"category": repo, "package": repo},
        )


def _files(tests: Sequence[str]) -> tuple[str, ...]:
    """The files of tests; mido's ids begin with ``../dev/``."""
    return tuple(dict.fromkeys(test.partition("::")[0].removeprefix("../dev/") for test in tests))


def _repository(instance_id: str) -> str:
    match = _ID.match(instance_id)
    return f"{match['owner']}/{match['name']}" if match else ""


def _image(instance_id: str) -> str:
    """As SWE-smith computes it: of all tasks in one commit of a repository."""
    match = _ID.match(instance_id)
    if match is None:
        raise TaskError(f"{instance_id} is no id of SWE-smith's, and its row names no image")
    return f"swebench/swesmith.x86_64.{match['owner']}_1776_{match['name']}.{match['commit']}".lower()
