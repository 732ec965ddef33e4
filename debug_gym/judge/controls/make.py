"""Making controls for a benchmark: a candidate is run against the gold patch, and kept if its test fails."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from debug_gym.judge.changes import sort_changes
from debug_gym.judge.controls.assertions import Edits
from debug_gym.judge.controls.certain import control
from debug_gym.judge.controls.data_files import data_edits, is_read, row_edits
from debug_gym.judge.controls.edits import Edit
from debug_gym.judge.controls.rehearsal import Rehearsal, fails_in_expectation, file_of
from debug_gym.judge.controls.sample import MOST, function_of, needed
from debug_gym.judge.controls.texts import apply, apply_all
from debug_gym.judge.original import Original
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialRunner
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
        self.texts = original.texts({file_of(test) for test in tests})
        read = original.data_files()
        read = {path for path in read if any(is_read(path, text) for text in self.texts.values())}
        self.data = original.texts(sorted(read))
        self.sources = list(original.texts(original.sources()).values())
        self.support = list(original.texts(original.support()).values())
        broken = TrialRunner(task, Changes(), backend)
        fixed = TrialRunner(task, sort_changes(task, gold)[0], backend)
        self._rehearsal = Rehearsal(broken, fixed, {**self.texts, **self.data})

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
        before = self._rehearsal.ids(functions, []) if places else ()
        available = [len(self._edits_at(place, MOST)) for place in places.values()]
        count = max(PER_TEST, min(needed(available) + _SPARE, MOST))
        edits = {place: self._edits_at(place, count) for place in places.values()}

        def run_round(number: int) -> list[NegativeControl]:
            chosen = {place: found[number] for place, found in edits.items() if number < len(found)}
            items = [control(place.test, place.path, edit, sharp=True) for place, edit in chosen.items()]
            items = self._rehearsal.named(items, functions, before)
            tests = {item.test: item for item in items}
            texts = apply_all(items, self._rehearsal.texts)
            result = self._rehearsal.fixed.run(Trial(tuple(tests), tests, texts))
            return [item for item in items if not result.flaw and fails_in_expectation(result, item)]

        found: dict[str, list[NegativeControl]] = {}
        for items in pool.map(run_round, range(count)):
            for item in items:
                found.setdefault(item.test, []).append(item)
        return found

    def _other_controls(self, test: str) -> Iterator[NegativeControl]:
        """Controls that bound nothing: a few of other places, and a call left out."""
        first = [place[0] for place in self._edits_by_place(test)]
        removals = [edit for edit in self._edits(test) if edit.kind == "removal"]
        data = [(path, place[0]) for path, place in self._data_places(test) if place]
        yield from islice(self._valid(test, ((file_of(test), edit) for edit in first)), OTHER)
        yield from islice(self._valid(test, ((file_of(test), edit) for edit in removals)), 1)
        yield from islice(self._valid(test, data), OTHER)

    def _valid(self, test: str, edits: Iterable[tuple[str, Edit]]) -> Iterator[NegativeControl]:
        """Controls with which the test fails when it runs alone."""
        before = self._rehearsal.function_ids(function_of(test))
        for path, edit in edits:
            for item in self._rehearsal.named([control(test, path, edit)], (function_of(test),), before):
                result = self._rehearsal.fixed.run(self._rehearsal.trial(item))
                if not result.flaw and fails_in_expectation(result, item):
                    yield item

    def _is_proving(self, test: str) -> bool:
        tests = self.task.tests
        return test in tests.fail_to_pass and file_of(test) in tests.hidden

    def _place(self, test: str) -> Place | None:
        """Where a test has most sharp controls: behind the line at which the broken code fails, or in a data
        file with which it still fails there."""
        line = self._rehearsal.failing_line(Trial((test,)))
        for path, edits in self._sharp_places(test, line):
            items = [control(test, path, edit) for edit in edits[:_VALUES]]
            good = next(filter(None, map(self._rehearsal.exclusive, items)), None)
            if good and (path == file_of(test) or self._rehearsal.fails_at(line, good)):
                return Place(test, path, good.line, good.column, good.old)
        return None

    def _edits_at(self, place: Place, count: int) -> list[Edit]:
        """At most so many edits of a place."""
        if place.path == file_of(place.test):
            edits = self._edits(place.test, count)
        else:
            places = self._data_places(place.test, count)
            edits = [edit for path, found in places if path == place.path for edit in found]
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
        yield from ((file_of(test), place) for place in places[:_PLACES])
        for path, place in self._data_places(test):
            if path in self.task.tests.hidden:
                yield path, [edit for edit in place if edit.alike]

    def _data_places(self, test: str, count: int = PER_TEST) -> Iterator[tuple[str, Sequence[Edit]]]:
        """Path and edits of places in the data files that a test's file seems to read: of a test with
        parameters the row that is as far down as its id among those of its function, then any."""
        for path, text in self.data.items():
            if is_read(path, self.texts.get(file_of(test), "")):
                ids = self._rehearsal.function_ids(function_of(test)) if "[" in test else ()
                if test in ids:
                    yield path, row_edits(text, ids.index(test), test, count)
                yield from ((path, place) for place in islice(data_edits(path, text, test, count), _PLACES))

    def _edits_by_place(self, test: str) -> list[list[Edit]]:
        """The edits of a test by their places, values first."""
        found: dict[tuple[int, int, str], list[Edit]] = {}
        for edit in self._edits(test):
            if edit.kind != "removal":
                found.setdefault((edit.line, edit.column, edit.old), []).append(edit)
        return list(found.values())

    def _edits(self, test: str, count: int = PER_TEST) -> list[Edit]:
        text = self.texts.get(file_of(test), "")
        edits = Edits.of(text, test, sources=self.sources, count=count, support=self.support)
        return edits.of_test(test) if edits else []


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
