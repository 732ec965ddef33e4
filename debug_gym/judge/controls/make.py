"""Making controls for a benchmark: a candidate is run against the gold patch, and kept if its test fails."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from debug_gym.judge.changes import sort_changes
from debug_gym.judge.controls.assertions import Edits, control
from debug_gym.judge.controls.data_files import data_edits, is_read
from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.sample import apply, needed
from debug_gym.judge.original import Original
from debug_gym.judge.trials import Trial, TrialResult, TrialRunner
from debug_gym.runners.pytest import is_pytest
from debug_gym.sandbox import Backend, Changes
from debug_gym.task import NegativeControl, Task

PER_TEST = 6
"""Sharp controls kept of a test at most; more only where few tests have to carry the odds."""
OTHER = 2
"""Controls kept of a test that passes before the fix, or that is visible."""
DATA = 3
"""Controls kept of a test at most whose edit is in a data file that it reads."""
_TRIED = 12
"""Edits of a data file that are tried for one test at most: most of them are about other tests."""
_ROUNDS = 24
"""Different values tried at one place."""


def make_controls(
    task: Task, gold: Changes, backend: Backend, *, workers: int | None = None
) -> tuple[NegativeControl, ...]:
    """Controls of a task's required tests, each seen to fail with the gold patch, in a fixed order.

    Args:
        task: with its hidden tests and required ids; the same task gives the same controls.
        gold: the changes that the gold patch makes.
        backend: where they are tried.
        workers: sandboxes at the same time; None: one a CPU.
    """
    tests = task.tests.required
    if not is_pytest(task.tests) or not tests:
        return ()
    with Original(task, backend) as original:
        texts = original.texts({_file(test) for test in tests})
        read = {path for path in original.data_files() if any(is_read(path, text) for text in texts.values())}
        data = original.texts(sorted(read))
    broken = TrialRunner(task, Changes(), backend)
    lines = {test: _failing_line(broken, Trial((test,), (test,))) for test in task.tests.fail_to_pass}
    candidates = {test: _candidates(task, test, texts, lines.get(test)) for test in tests}
    proving = [test for test in task.tests.fail_to_pass if any(item.sharp for item in candidates[test])]
    sharp = max(PER_TEST, -(-needed(len(proving)) // max(len(proving), 1)))
    runner = TrialRunner(task, sort_changes(task, gold)[0], backend)

    def kept(candidates: Iterable[NegativeControl], most: int) -> list[NegativeControl]:
        good = (item for item in candidates if _fails(runner, item, {**texts, **data}))
        return list(islice(good, most))

    def of_data(test: str) -> Iterator[NegativeControl]:
        """The sharp ones are those with which the broken code fails where it does with the original."""
        for item in kept(_data_candidates(test, texts, data), DATA):
            line = lines.get(test) if item.path in task.tests.hidden else None
            same = line is not None and line == _failing_line(broken, _trial(item, data))
            yield item.model_copy(update={"sharp": same})

    def choose(test: str) -> list[NegativeControl]:
        removals = [item for item in candidates[test] if not item.new]
        others = [item for item in candidates[test] if item.new]
        most = sharp if test in proving else OTHER
        return [*kept(others, most), *kept(removals, 1), *of_data(test)]

    with ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="controls") as pool:
        return tuple(item for kept in pool.map(choose, tests) for item in kept)


def check_controls(task: Task, gold: Changes, backend: Backend) -> list[str]:
    """What is wrong with the controls that a task brings: sentences about those that do not fail."""
    with Original(task, backend) as original:
        texts = original.texts({item.path for item in task.tests.controls})
    runner = TrialRunner(task, sort_changes(task, gold)[0], backend)
    return [
        f"a control of {item.test} (line {item.line} of {item.path}) does not fail with the gold patch"
        for item in task.tests.controls
        if not _fails(runner, item, texts)
    ]


def dump_controls(controls: Sequence[NegativeControl]) -> str:
    """Controls as the text of a file, one a line."""
    rows = ",\n".join(item.model_dump_json(exclude_defaults=True) for item in controls)
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def _file(test: str) -> str:
    return test.partition("::")[0]


def _trial(control: NegativeControl, texts: Mapping[str, str]) -> Trial:
    return Trial((control.test,), (control.test,), control, apply(control, texts))


def _failing_line(runner: TrialRunner, trial: Trial) -> int | None:
    """The line of a test's function at which it fails."""
    (test,) = trial.tests
    name = re.escape(test.rpartition("::")[2].partition("[")[0])
    output = runner.run(trial, options=("--tb=short",)).output
    entry = re.search(rf"^{re.escape(_file(test))}:(\d+): in {name}$", output, re.MULTILINE)
    return int(entry[1]) if entry else None


def _data_candidates(
    test: str, texts: Mapping[str, str], data: Mapping[str, str]
) -> Iterator[NegativeControl]:
    """Controls whose edit is in a file that the test's file seems to read."""
    for path, text in data.items():
        if is_read(path, texts.get(_file(test), "")):
            for edit in islice(data_edits(path, text, test), _TRIED):
                yield control(test, path, edit)


def _candidates(
    task: Task, test: str, texts: Mapping[str, str], failing: int | None
) -> list[NegativeControl]:
    """What to try, best first: the statement at which the broken code fails, then the ones behind it."""
    path = _file(test)
    found: dict[Edit, None] = {}
    for number in range(_ROUNDS):
        edits = Edits.of(texts.get(path, ""), f"{test} {number}")
        found.update(dict.fromkeys(edits.of_test(test) if edits else ()))
    proving = test in task.tests.fail_to_pass and path in task.tests.hidden

    def rank(edit: Edit) -> int:
        if edit.kind in {"opposite", "removal"}:
            return 3
        if failing is None or edit.statement[0] <= failing <= edit.statement[1]:
            return 0
        return 1 if edit.statement[0] > failing else 2

    return [control(test, path, edit, sharp=proving and rank(edit) < 2) for edit in sorted(found, key=rank)]


def _fails(runner: TrialRunner, candidate: NegativeControl, texts: Mapping[str, str]) -> bool:
    """Whether the control's test is collected, runs, and fails in an expectation."""
    outcome = runner.run(_trial(candidate, texts))
    return not outcome.flaw and outcome.seen[candidate.test] == "failed" and _is_expectation(outcome)


def _is_expectation(outcome: TrialResult) -> bool:
    """Whether the test failed in an assertion or an expected exception, not because the edit is no sense."""
    assert outcome.run is not None
    (message,) = outcome.run.messages.values() or ("",)
    return not message.startswith(("NameError", "SyntaxError", "ValueError: ", "OverflowError"))
