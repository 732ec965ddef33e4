"""From a spec and a row: the tests as the gym runs them, and as the home harness does."""

import re
import shlex
from collections.abc import Sequence

from debug_gym.benchmarks.swe.base import TIMEOUT
from debug_gym.benchmarks.swe.rows import TestedRow
from debug_gym.benchmarks.swe.specs import Spec
from debug_gym.task import Harness, RunnerChoice, Tests
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
    runner = None
    if spec.kind == "django":
        command = ("python", *shlex.split(spec.command))
        fail_to_pass, pass_to_pass = _labels(fail_to_pass), _labels(pass_to_pass)
        visible = [_module(path) for path in visible]
    elif spec.kind == "sympy":
        files = [path for path in row.directives if path.endswith(".py")]
        command = ("python", *shlex.split(spec.command), *files)
        runner = RunnerChoice(name="command", options={"parser": "sympy"})
    return Tests(
        command=command,
        runner=runner,
        visible=tuple(visible),
        visible_decide=not hidden,
        hidden_patch=row.test_patch if hidden else None,
        fail_to_pass=fail_to_pass,
        pass_to_pass=pass_to_pass,
        share_sandbox=True,
        timeout=TIMEOUT,
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
