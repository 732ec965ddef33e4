"""Making controls for a benchmark: a candidate is run against the gold patch, and kept if its test fails."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from debug_gym.judge.changes import sort_changes
from debug_gym.judge.controls.assertions import Edits, control
from debug_gym.judge.controls.data_files import data_edits, is_read
from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.sample import MOST, function_of, needed
from debug_gym.judge.controls.texts import apply, apply_all
from debug_gym.judge.original import Original
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialResult, TrialRunner
from debug_gym.runners.pytest import is_pytest
from debug_gym.sandbox import Backend, Changes
from debug_gym.task import NegativeControl, Task

SECONDS = 300.0
"""Time for the controls of one task: what is not found by then is left out."""
PER_TEST = 6
"""Sharp controls kept of a test; more only where few tests have to carry the odds."""
OTHER = 2
"""Controls kept of a test that bound nothing."""
_PLACES = 4
"""Places of a test that are tried for sharp controls, and so many of a data file."""
_VALUES = 3
"""Values that are tried at one place before it is given up."""
_SPARE = 2
"""Controls of a test more than the odds need: some will not fail as they should."""
_NO_SENSE = ("NameError", "SyntaxError", "ValueError: ", "OverflowError")
"""How the messages of tests begin that an edit kept from coming to its expectation."""

Progress = Callable[[str, int], None]


def make_controls(
    task: Task,
    gold: Changes,
    backend: Backend,
    *,
    workers: int | None = None,
    seconds: float = SECONDS,
    on_done: Progress = lambda test, count: None,
) -> tuple[NegativeControl, ...]:
    """Controls of a task's required tests, each seen to fail with the gold patch, in a fixed order.

    Args:
        task: with its hidden tests and required ids; the same task gives the same controls, if there is time.
        gold: the changes that the gold patch makes.
        backend: where they are tried.
        workers: sandboxes at the same time; None: one a CPU.
        seconds: the tests that have not been looked at by then get no controls.
        on_done: called for each test, from any thread, with the number of its controls.
    """
    tests = task.tests.required
    if not is_pytest(task.tests) or not tests:
        return ()
    with Original(task, backend) as original:
        maker = ControlMaker(task, gold, backend, original)
    with ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="controls") as pool:
        return maker.make(pool, time.monotonic() + seconds, on_done)


@dataclass(frozen=True)
class Place:
    """Where an expectation of one test can be changed without any other test failing."""

    test: str
    path: str
    line: int
    column: int
    old: str

    def holds(self, edit: Edit) -> bool:
        """Whether an edit changes it."""
        return (edit.line, edit.column, edit.old) == (self.line, self.column, self.old)


class ControlMaker:
    """Tries candidates for the tests of one task.

    Args:
        task: with its required tests.
        gold: the changes that the gold patch makes.
        backend: of the sandboxes.
        original: the original repository; it is read here, and not needed afterwards.
    """

    def __init__(self, task: Task, gold: Changes, backend: Backend, original: Original) -> None:
        self.task = task
        tests = task.tests.required
        self.texts = original.texts({_file(test) for test in tests})
        read = original.data_files()
        read = {path for path in read if any(is_read(path, text) for text in self.texts.values())}
        self.data = original.texts(sorted(read))
        self.sources = list(original.texts(original.sources()).values())
        self._broken = TrialRunner(task, Changes(), backend)
        self._fixed = TrialRunner(task, sort_changes(task, gold)[0], backend)

    def make(self, pool: Executor, deadline: float, on_done: Progress) -> tuple[NegativeControl, ...]:
        """The controls of all tests; see ``make_controls``."""
        tests = self.task.tests.required

        def place_of(test: str) -> Place | None:
            return self._place(test) if self._is_proving(test) and time.monotonic() < deadline else None

        places = {place.test: place for place in pool.map(place_of, tests) if place}
        sharp = self._sharp_controls(places, pool)

        def choose(test: str) -> tuple[NegativeControl, ...]:
            late = test not in sharp and time.monotonic() > deadline
            found = () if late else tuple(sharp.get(test) or self._other_controls(test))
            on_done(test, len(found))
            return found

        return tuple(item for found in pool.map(choose, tests) for item in found)

    def _sharp_controls(
        self, places: Mapping[str, Place], pool: Executor
    ) -> dict[str, list[NegativeControl]]:
        """Of each place so many controls with which its test fails. The tests are tried side by side, each
        on one control, as the judge runs them."""
        functions = tuple(dict.fromkeys(map(function_of, places)))
        before = self._ids(functions, []) if places else ()
        available = [len(self._edits_at(place, MOST)) for place in places.values()]
        count = max(PER_TEST, min(needed(available) + _SPARE, MOST))
        edits = {place: self._edits_at(place, count) for place in places.values()}

        def run_round(number: int) -> list[NegativeControl]:
            chosen = {place: found[number] for place, found in edits.items() if number < len(found)}
            items = [control(place.test, place.path, edit, sharp=True) for place, edit in chosen.items()]
            items = self._named(items, functions, before)
            tests = {item.test: item for item in items}
            texts = apply_all(items, self._all_texts)
            result = self._fixed.run(Trial(tuple(tests), tests, texts))
            return [item for item in items if not result.flaw and _fails_in_expectation(result, item)]

        found: dict[str, list[NegativeControl]] = {}
        for items in pool.map(run_round, range(count)):
            for item in items:
                found.setdefault(item.test, []).append(item)
        return found

    def _other_controls(self, test: str) -> Iterator[NegativeControl]:
        """Controls that bound nothing: a few of other places, and a call left out."""
        first = [place[0] for place in self._edits_by_place(test)]
        removals = [edit for edit in self._edits(test) if edit.kind == "removal"]
        yield from islice(self._valid(test, first), OTHER)
        yield from islice(self._valid(test, removals), 1)

    def _valid(self, test: str, edits: Iterable[Edit]) -> Iterator[NegativeControl]:
        """Controls with which the test fails when it runs alone."""
        before = self._ids((function_of(test),), [])
        for edit in edits:
            for item in self._named([control(test, _file(test), edit)], (function_of(test),), before):
                result = self._fixed.run(self._trial(item))
                if not result.flaw and _fails_in_expectation(result, item):
                    yield item

    def _is_proving(self, test: str) -> bool:
        tests = self.task.tests
        return test in tests.fail_to_pass and _file(test) in tests.hidden

    def _place(self, test: str) -> Place | None:
        """Where a test has most sharp controls: behind the line at which the broken code fails, or in a data
        file with which it still fails there."""
        line = self._failing_line(Trial((test,)))
        for path, edits in self._sharp_places(test, line):
            items = [control(test, path, edit) for edit in edits[:_VALUES]]
            good = next((item for item in items if self._is_exclusive(item)), None)
            if good and (path == _file(test) or self._fails_at(line, good)):
                return Place(test, path, good.line, good.column, good.old)
        return None

    def _edits_at(self, place: Place, count: int) -> list[Edit]:
        """At most so many edits of a place."""
        if place.path == _file(place.test):
            edits = self._edits(place.test, count)
        else:
            found = data_edits(place.path, self.data[place.path], place.test, count)
            edits = [edit for edits in found for edit in edits]
        return [edit for edit in edits if edit.alike and place.holds(edit)]

    def _sharp_places(self, test: str, line: int | None) -> Iterator[tuple[str, Sequence[Edit]]]:
        """Path and edits of each place to try, best first."""

        def is_sharp(edit: Edit) -> bool:
            return (
                edit.alike and edit.kind in {"value", "error"} and (line is None or edit.statement[1] >= line)
            )

        def is_here(place: Sequence[Edit]) -> bool:
            return line is None or place[0].statement[0] <= line

        places = [[edit for edit in place if is_sharp(edit)] for place in self._edits_by_place(test)]
        places = sorted(filter(None, places), key=lambda place: (not is_here(place), -len(place)))
        yield from ((_file(test), place) for place in places[:_PLACES])
        for path, text in self.data.items():
            if path in self.task.tests.hidden and is_read(path, self.texts.get(_file(test), "")):
                for place in islice(data_edits(path, text, test, PER_TEST), _PLACES):
                    yield path, [edit for edit in place if edit.alike]

    def _edits_by_place(self, test: str) -> list[list[Edit]]:
        """The edits of a test by their places, values first."""
        found: dict[tuple[int, int, str], list[Edit]] = {}
        for edit in self._edits(test):
            if edit.kind != "removal":
                found.setdefault((edit.line, edit.column, edit.old), []).append(edit)
        return list(found.values())

    def _edits(self, test: str, count: int = PER_TEST) -> list[Edit]:
        edits = Edits.of(self.texts.get(_file(test), ""), test, self.sources, count)
        return edits.of_test(test) if edits else []

    def _is_exclusive(self, item: NegativeControl) -> bool:
        """Whether with a control its test fails, and no other of those that run beside it."""
        functions = (function_of(item.test),)
        named = self._named([item], functions, self._ids(functions, []))
        required, file = self.task.tests.required, _file(item.test)
        beside = [x for x in required if x != item.test and (item.path != file or _file(x) == file)]
        for renamed in named:
            result = self._fixed.run(self._trial(renamed, (item.test, *beside)))
            passed = all(result.seen[other] == "passed" for other in beside)
            return passed and not result.flaw and _fails_in_expectation(result, renamed)
        return False

    def _named(
        self, items: Sequence[NegativeControl], functions: Sequence[str], before: Sequence[str]
    ) -> list[NegativeControl]:
        """The controls, each with the id that its test has when all of them are laid; without those of which
        that cannot be told.

        Args:
            items: for different tests.
            functions: that hold their tests.
            before: the ids of the tests in these functions on the original texts.
        """
        if not any(item.old.strip("'\"") in item.test.partition("[")[2] for item in items):
            return list(items)
        after = self._ids(functions, items)
        if len(before) != len(after) or len({*after}) < len(after):
            return []
        ids = dict(zip(before, after, strict=True))
        kept = {item.test for item in items}
        if any(test != ids[test] for test in before if test not in kept):
            return []
        return [
            item if ids[item.test] == item.test else item.model_copy(update={"renamed": ids[item.test]})
            for item in items
            if item.test in ids
        ]

    def _ids(self, functions: Sequence[str], items: Sequence[NegativeControl]) -> Sequence[str]:
        """The ids of the tests in functions, in their order, as they are with controls."""
        trial = Trial(tuple(functions), texts=apply_all(items, self._all_texts))
        run = self._fixed.run(trial, ("--collect-only",)).run
        return run.collected if run else ()

    @cached_property
    def _all_texts(self) -> dict[str, str]:
        return {**self.texts, **self.data}

    def _trial(self, item: NegativeControl, tests: Sequence[str] = ()) -> Trial:
        texts = {item.path: apply(item, self._all_texts)}
        return Trial(tuple(tests) or (item.test,), {item.test: item}, texts)

    def _fails_at(self, line: int | None, item: NegativeControl) -> bool:
        """Whether the broken code fails at a line with a control, too."""
        return line is not None and self._failing_line(self._trial(item)) == line

    def _failing_line(self, trial: Trial) -> int | None:
        """The line of a test's function at which it fails with the broken code."""
        (test,) = trial.tests
        name = re.escape(test.rpartition("::")[2].partition("[")[0])
        output = self._broken.run(trial, options=("--tb=short",)).output
        entry = re.search(rf"^{re.escape(_file(test))}:(\d+): in {name}$", output, re.MULTILINE)
        return int(entry[1]) if entry else None


def _fails_in_expectation(result: TrialResult, item: NegativeControl) -> bool:
    """Whether the test of a control failed in an assertion or an expected exception, not because the edit is
    no sense."""
    if result.run is None or result.seen[item.test] != "failed":
        return False
    return not result.run.messages.get(item.id, "").startswith(_NO_SENSE)


def check_controls(task: Task, gold: Changes, backend: Backend) -> list[str]:
    """What is wrong with the controls that a task brings: sentences about those that do not fail."""
    with Original(task, backend) as original:
        texts = original.texts({item.path for item in task.tests.controls})
    runner = TrialRunner(task, sort_changes(task, gold)[0], backend)

    def fails(item: NegativeControl) -> bool:
        result = runner.run(Trial((item.test,), {item.test: item}, {item.path: apply(item, texts)}))
        return not result.flaw and result.seen[item.test] == "failed"

    return [
        f"a control of {item.test} (line {item.line} of {item.path}) does not fail with the gold patch"
        for item in task.tests.controls
        if not fails(item)
    ]


def dump_controls(controls: Sequence[NegativeControl]) -> str:
    """Controls as the text of a file, one a line."""
    rows = ",\n".join(item.model_dump_json(exclude_defaults=True) for item in controls)
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def _file(test: str) -> str:
    return test.partition("::")[0]
