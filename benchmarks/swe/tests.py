"""From a spec and a row: the tests as the gym runs them, and as the home harness does."""

import re
import shlex
from collections.abc import Sequence

from debug_gym.benchmarks.swe.base import LIMITS, TIMEOUT, editable
from debug_gym.benchmarks.swe.rows import TestedRow, patched_files
from debug_gym.benchmarks.swe.specs import Spec
from debug_gym.task import Environment, Harness, ImageSource, Task, Tests
from debug_gym.task.harness import Rule

_DJANGO_ID = re.compile(r"(\w+) \(([\w.]+)\)$")
_MYPY_CASE = re.compile(r"\[case ([^\]]+)\]")


def tests_of(row: TestedRow, spec: Spec, *, visible: Sequence[str], hidden: bool = True) -> Tests:
    """How the gym runs the tests of a row.

    Args:
        row: with the required tests.
        spec: of its repository.
        visible: test files that the agent may run.
        hidden: whether the test patch is still to be applied, by the judge alone.
    """
    fail_to_pass, pass_to_pass = row.fail_to_pass, row.pass_to_pass
    command: tuple[str, ...] = ("python", "-m", "pytest")
    if spec.kind == "django":
        command = ("python", *shlex.split(spec.command))
        fail_to_pass, pass_to_pass = _labels(fail_to_pass), _labels(pass_to_pass)
        visible = [_module(path) for path in visible]
    elif spec.kind == "sympy":
        files = [path for path in row.directives if path.endswith(".py")]
        command = ("python", *shlex.split(spec.command), *files)
    return Tests(
        command=command,
        visible=tuple(visible),
        visible_decide=not hidden,
        hidden_patch=row.test_patch if hidden else None,
        fail_to_pass=fail_to_pass,
        pass_to_pass=pass_to_pass,
        share_sandbox=True,
        timeout=TIMEOUT,
    )


def task_of_row(
    row: TestedRow,
    spec: Spec,
    *,
    benchmark: str,
    image: str,
    harness: Harness,
    setup: Sequence[str] = (),
    folder: str = "/testbed",
    shows_tests: bool = False,
) -> Task:
    """A task around an image that holds the repository before its fix.

    Args:
        row: of the data set.
        spec: how the gym tests it.
        benchmark: its name.
        image: its name.
        harness: how its home scores it.
        setup: what enters its environment.
        folder: where the repository lies.
        shows_tests: the test patch is applied from the start; else only the judge has it.
    """
    seen = row.directives if shows_tests else row.visible
    return Task(
        id=row.instance_id,
        benchmark=benchmark,
        problem=row.problem_statement,
        source=ImageSource(
            image=image,
            folder=folder,
            setup=(*spec.setup, *setup),
            bug_patch=row.test_patch if shows_tests else None,
        ),
        tests=tests_of(
            row, spec, visible=[path for path in seen if path.endswith(".py")], hidden=not shows_tests
        ),
        environment=Environment(variables=dict(spec.variables)),
        editable=editable(row.patch),
        gold_patch=row.patch,
        limits=LIMITS,
        harness=harness,
        metadata={"category": row.repo, "package": row.repo, "base_commit": row.base_commit},
    )


def harness_of(
    row: TestedRow, spec: Spec, name: str, rule: Rule = "swe-bench", *, command: str = ""
) -> Harness:
    """How the home harness scores a row: by its command, with its directives, unless the row has one."""
    return Harness(
        name=name,
        script=command or " ".join((spec.command, *_directives(row, spec))),
        parser=spec.parser,
        rule=rule,
        fail_to_pass=row.fail_to_pass,
        pass_to_pass=row.pass_to_pass,
        restored=patched_files(row.test_patch),
        timeout=TIMEOUT,
    )


def _directives(row: TestedRow, spec: Spec) -> Sequence[str]:
    if spec.kind == "django":
        return [_module(path) for path in row.directives]
    if spec.command.endswith(" -k"):  # mypy's cases, by their names
        return [f'"{" or ".join(_MYPY_CASE.findall(row.test_patch))}"']
    return row.directives


def _module(path: str) -> str:
    return path.removesuffix(".py").removeprefix("tests/").replace("/", ".")


def _labels(tests: Sequence[str]) -> tuple[str, ...]:
    """``test_a (pkg.Case)`` as ``pkg.Case.test_a``. First lines of docstrings are left: they are looked up
    when the task is judged."""
    matches = ((test, _DJANGO_ID.match(test)) for test in tests)
    return tuple(
        f"{match[2].removesuffix('.' + match[1])}.{match[1]}" if match else test for test, match in matches
    )
