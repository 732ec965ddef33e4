"""R2E-Gym: commits of Python repositories, tested by the tests that they changed."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from debug_gym.benchmarks.base import Card, first_problem
from debug_gym.benchmarks.swe.base import LIMITS, TIMEOUT, SweBenchmark, editable
from debug_gym.errors import TaskError
from debug_gym.runners.harness_logs import r2e_gym_log
from debug_gym.task import Content, Harness, ImageSource, Task, Tests

FOLDER = "r2e_tests"
_SECRETS = (
    "run_tests.sh",
    "expected_test_output.json",
    "execution_result.json",
    "parsed_commit.json",
    "modified_files.json",
    "modified_entities.json",
    "syn_issue.json",
    FOLDER,
)
"""What R2E-Gym hides from agents, with what the images of its first edition held beside that."""
_MOVE = f"test ! -e /{FOLDER} || mv /{FOLDER} {FOLDER}"
_APART = "test -L .venv || test ! -d .venv || {{ mv .venv {0} && ln -s {0} .venv; }}".format(
    "/opt/testbed-venv"
)
"""The interpreter and its packages, out of the repository."""
_ISSUE = re.compile(r"\[ISSUE\](.*)\[/ISSUE\]", re.DOTALL)
_TEST = re.compile(r"_test\.py$|(^|/)test_[^/]*$|(^|/)(tests?|Tests?)/")
_MARKS = {"context": " ", "added": "+", "deleted": "-", "note": "\\ "}


class _Execution(BaseModel):
    """The column ``execution_result_content``."""

    model_config = ConfigDict(extra="ignore")

    test_file_names: list[str]
    test_file_codes: list[str]
    old_commit_res_stdout: str | None = ""


class R2ERow(BaseModel):
    """R2E-Gym:"""

    model_config = ConfigDict(extra="ignore", frozen=True)

    repo_name: str
    docker_image: str
    commit_hash: str
    problem_statement: str = ""
    parsed_commit_content: str = Field(repr=False)
    execution_result_content: str = Field(repr=False)
    expected_output_json: str = Field(repr=False)


class R2EGym(SweBenchmark):
    """The tasks of R2E-Gym, named by the commits that solve them."""

    name = "r2e-gym"
    description = "4,578 commits of 10 repositories, to train on; needs --sandbox docker or kubernetes."
    card = Card(
        source="https://r2e-gym.github.io",
        licence="MIT (the repositories have their own)",
        citation="N. Jain et al., R2E-Gym: Procedural Environments and Hybrid Verifiers for Scaling "
        "Open-Weights SWE Agents, 2025, arXiv 2504.07164",
    )
    dataset = "R2E-Gym/R2E-Gym-Subset"
    default_split = "train"
    key = "commit_hash"

    def task_of(self, row: dict[str, Any]) -> Task:
        """See ``SweBenchmark.task_of``."""
        where = self.where(row)
        try:
            instance = R2ERow.model_validate(row)
            execution = _Execution.model_validate_json(instance.execution_result_content)
            expected: dict[str, str] = json.loads(instance.expected_output_json)
            gold = "".join(_patch(json.loads(instance.parsed_commit_content)))
        except ValidationError as error:
            raise TaskError(f"{where} is no row of {R2ERow.__doc__} {first_problem(error)}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise TaskError(f"{where} holds a column in another form: {error!r}") from None
        before = r2e_gym_log(f"{execution.old_commit_res_stdout}")
        passing = [name for name, status in _plain(expected).items() if status == "PASSED" and name]
        names = [f"{FOLDER}/{name}" for name in execution.test_file_names]
        hidden: dict[str, Content] = {
            **dict(zip(names, execution.test_file_codes, strict=False)),
            f"{FOLDER}/__init__.py": "",
        }
        issue = _ISSUE.search(instance.problem_statement)
        return Task(
            id=instance.commit_hash,
            benchmark=self.name,
            problem=(issue[1] if issue else instance.problem_statement).strip(),
            source=ImageSource(
                image=instance.docker_image,
                python="/testbed/.venv/bin/python",
                setup=(_APART, _MOVE),
                remove=(*_SECRETS, *(f"/root/{name}" for name in _SECRETS)),
            ),
            tests=Tests(
                visible_decide=False,
                hidden=hidden,
                hidden_paths=("run_tests.sh",),
                fail_to_pass=tuple(name for name in passing if before.get(name) != "PASSED"),
                pass_to_pass=tuple(name for name in passing if before.get(name) == "PASSED"),
                share_sandbox=True,
                timeout=TIMEOUT,
            ),
            editable=editable(gold),
            gold_patch=gold,
            limits=LIMITS,
            harness=Harness(
                name="R2E-Gym",
                script="bash run_tests.sh",
                parser="r2e-gym",
                rule="r2e-gym",
                expected=expected,
            ),
            metadata={"category": instance.repo_name, "package": instance.repo_name},
        )


class R2EGymLite(R2EGym):
    """The part of R2E-Gym that its authors trained on first."""

    name, dataset = "r2e-gym-lite", "R2E-Gym/R2E-Gym-Lite"
    description = "A part of R2E-Gym."


def _plain(statuses: dict[str, str]) -> dict[str, str]:
    return {re.sub(r"\x1b\[\d+m", "", name).split(" - ")[0]: status for name, status in statuses.items()}


def _patch(commit: dict[str, Any]) -> Iterator[str]:
    """The commit as a git diff, without its tests: R2E-Gym holds it taken apart."""
    for change in commit["file_diffs"]:
        path = change["header"]["file"]["path"]
        if _TEST.search(path) or change.get("is_binary_file"):
            continue
        yield f"diff --git a/{path} b/{path}\n"
        if change["header"].get("misc_line"):
            yield f"{change['header']['misc_line']}\n"
        if change.get("minus_file") and change.get("plus_file"):
            yield f"--- {change['minus_file']['path']}\n+++ {change['plus_file']['path']}\n"
        for hunk in change["hunks"]:
            about = hunk["descriptor"]
            section = f" {about['section']}" if about["section"] else ""
            yield f"@@ -{_range(about['old_range'])} +{_range(about['new_range'])} @@{section}\n"
            for line in hunk["line_group"]["all_lines"]:
                yield f"{_MARKS[line['type']]}{line['content']}\n"


def _range(place: dict[str, int | None]) -> str:
    return f"{place['start']}" if place["length"] is None else f"{place['start']},{place['length']}"
