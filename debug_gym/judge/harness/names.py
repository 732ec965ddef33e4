"""From the names of tests that a harness's log parser gives to ids that a runner takes."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from debug_gym.runners import runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.runners.harness_logs import PARSERS
from debug_gym.runners.pytest import PytestRunner
from debug_gym.runners.unittest import UnittestRunner
from debug_gym.sandbox import Sandbox
from debug_gym.task import Task, Tests

_CHANGE_NAMES = {"pytest-options", "matplotlib"}
"""Log parsers that change what stands in the brackets of a name."""


def needs_lookup(task: Task) -> bool:
    """Whether some of the required tests could not be run by their names."""
    return task.harness is not None and any(_is_odd(test, task) for test in task.tests.required)


def _is_odd(test: str, task: Task) -> bool:
    runner = runner_of(task.tests)
    if isinstance(runner, PytestRunner):
        changed = task.harness is not None and task.harness.parser in _CHANGE_NAMES and "[" in test
        return changed or "::" not in test or test.count("[") > test.count("]")
    if isinstance(runner, UnittestRunner):
        return re.fullmatch(r"[\w.]+", test) is None
    return "::" not in test and test != COMMAND


def runnable(task: Task, sandbox: Sandbox) -> Tests:
    """The tests with ids that the runner takes. A name that nothing is found for stays as it is.

    Args:
        task: with all of its hidden files.
        sandbox: with these files and the fix.
    """
    runner = runner_of(task.tests)
    if isinstance(runner, PytestRunner):
        known = _by_printed_name(task, sandbox)
    elif isinstance(runner, UnittestRunner):
        known = _by_docstring(task.tests.hidden_texts)
    else:
        known = _by_function(task.tests.hidden_texts)
    fail_to_pass = _looked_up(task.tests.fail_to_pass, known)
    others = (test for test in _looked_up(task.tests.pass_to_pass, known) if test not in {*fail_to_pass})
    return task.tests.model_copy(update={"fail_to_pass": fail_to_pass, "pass_to_pass": tuple(others)})


def _looked_up(tests: Sequence[str], known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for test in tests:
        ids = known.get(test, ())
        if not ids and test.count("[") > test.count("]"):
            ids = [id_ for name, several in known.items() if name.startswith(test) for id_ in several]
        found |= dict.fromkeys(ids or (test,))
    return tuple(found)


def _by_printed_name(task: Task, sandbox: Sandbox) -> dict[str, list[str]]:
    """Collect the files of the tests, and read each id as the harness's log parser would."""
    assert task.harness is not None
    files = {test.partition("::")[0] for test in task.tests.required if "::" in test}
    files |= {path for path in task.tests.hidden if "/test_" in f"/{path}" and path.endswith(".py")}
    run = sandbox.run_tests(sorted(files), options=["--collect-only"], timeout=task.tests.timeout)
    parse, known = PARSERS[task.harness.parser], dict[str, list[str]]()
    for test in run.collected:
        for name in parse(f"short test summary info\nPASSED {test}\n{test} PASSED"):
            known.setdefault(name, []).append(test)
    return known


def _by_docstring(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """unittest prints the first line of a test's docstring in place of its name."""
    known: dict[str, list[str]] = {}
    for path, node, function in _functions(texts):
        said = (ast.get_docstring(function) or "").strip().split("\n")[0].strip()
        if said and node is not None:
            module = path.removeprefix("tests/").removesuffix(".py").replace("/", ".")
            known.setdefault(said, []).append(f"{module}.{node.name}.{function.name}")
    return known


def _by_function(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """sympy prints nothing but the name of the function."""
    known: dict[str, list[str]] = {}
    for path, _, function in _functions(texts):
        known.setdefault(function.name, []).append(f"{path}::{function.name}")
    return known


def _functions(texts: Mapping[str, str]) -> Iterator[tuple[str, ast.ClassDef | None, ast.FunctionDef]]:
    """Path, class and node of each function of test files."""
    for path, text in texts.items():
        with suppress(SyntaxError, ValueError):
            for node in ast.parse(text).body if path.endswith(".py") else ():
                inner = node.body if isinstance(node, ast.ClassDef) else [node]
                for function in inner:
                    if isinstance(function, ast.FunctionDef):
                        yield path, node if isinstance(node, ast.ClassDef) else None, function
