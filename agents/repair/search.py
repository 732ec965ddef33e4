"""The search: try candidates on the failing tests, then on all visible ones, and pick the most believable.

Visible tests say too little about a fix, so the first patch that passes them need not be right (Smith et al.,
"Is the cure worse than the disease? Overfitting in automated program repair", ESEC/FSE 2015). The search
therefore takes the patch of the highest worth (``Candidate.worth``): a suspicious place, a template that is
often right, little text; deletions, guards, and whatever else silences a symptom count less. It goes on until
no candidate that is left can be worth more.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from debug_gym.agents.base import AgentEnv
from debug_gym.agents.repair.bench import Tested, Workbench, WorkbenchError
from debug_gym.agents.repair.localise import Spectrum, Suspicion, collect
from debug_gym.agents.repair.mutate import Candidate, candidates
from debug_gym.agents.repair.source import Source
from debug_gym.task import Frozen, Task

SINGLE_SHARE = 0.7
"""Share of the budget for single changes, if some of them fix a part of the failing tests."""
BASES = 3
"""How many such partial fixes the rest of the budget builds on."""
LONGEST = 500.0
"""Seconds that one run of the tests may take, however large the budget."""
CONFIRMATIONS = 3
"""Runs of all visible tests, in a copy of its own, that the chosen patch must pass: some bugs come and go."""


class Budget(Frozen):
    """How long to look, and in which order where nothing else decides."""

    seconds: float = Field(default=60.0, gt=0)
    """Wall-clock time of the whole search."""
    candidates: int = Field(default=2000, gt=0)
    """How many candidates to run."""
    seed: int = 0
    """Decides the order of candidates of equal priority, together with the episode's seed."""


NOTHING_FAILS = "no visible test fails, so nothing tells a fix from any other change"
"""Why nothing can be searched for: it says nothing of how hard a task is."""


@dataclass(frozen=True)
class Patch:
    """New texts of files, and what they achieve on the visible tests."""

    files: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Candidate, ...] = ()
    fixed: frozenset[str] = frozenset()

    @property
    def worth(self) -> float:
        """How much to believe it: as much as its least believable step."""
        return min(step.worth for step in self.steps)


@dataclass
class Report:
    """What the search saw and did."""

    failing: frozenset[str] = frozenset()
    passing: frozenset[str] = frozenset()
    suspicious: list[tuple[str, int, float]] = field(default_factory=list)
    """The most suspicious lines: path, line, suspiciousness."""
    tried: int = 0
    plausible: list[Patch] = field(default_factory=list)
    """Patches that pass all visible tests, in the order found."""
    partial: list[Patch] = field(default_factory=list)
    """Patches that fix some of the failing tests and break none."""
    chosen: Patch | None = None
    stopped: str = ""
    """Why the search could not be made or finished."""


class Search:
    """One search on copies of one live environment."""

    def __init__(self, fork: Callable[[], AgentEnv], task: Task, budget: Budget, seed: int = 0) -> None:
        self._fork = fork
        self._task = task
        self._budget = budget
        self._seed = budget.seed + seed
        self._deadline = time.monotonic() + budget.seconds
        self.originals: dict[str, str] = {}
        self._probe: tuple[str, ...] = ()
        self._probe_limit = self._suite_limit = min(max(2.0, budget.seconds / 4), LONGEST)
        self.report = Report()

    def run(self) -> Report:
        """Look for the best fix until nothing better can come, or the budget or the candidates are spent."""
        for phase in (self._look, self._choose):
            try:
                phase()
            except WorkbenchError as error:
                self.report.stopped = str(error)
        return self.report

    def _look(self) -> None:
        """Single changes first; then one more on top of those that fix a part."""
        with Workbench(self._fork) as bench:
            traced = self._baseline(bench)
            if traced is None:
                self.report.stopped = NOTHING_FAILS
                return
            self._explore(bench, Patch(), traced, SINGLE_SHARE)
            bases = self._best(self.report.partial)[:BASES] if not self.report.plausible else []
            for number, base in enumerate(bases, 1):
                share = SINGLE_SHARE + (1 - SINGLE_SHARE) * number / len(bases)
                if not self._spent(share):
                    self._explore(bench, base, self._spectrum(base), share)

    def _baseline(self, bench: Workbench) -> Spectrum | None:
        """See which tests fail and how long they take; None: there is nothing to fix.

        Candidates run the failing tests alone first, unless these fail only after others.
        """
        first, seconds = _timed(lambda: bench.test(timeout=self._suite_limit))
        if not first.failed and not first.timed_out:
            self.report.passing = first.passed
            return None
        traced = self._spectrum(Patch())
        known = Tested({**(traced.outcomes if first.timed_out else {}), **first.outcomes})
        self.report.failing, self.report.passing = known.failed, known.passed
        if not known.failed:
            return None
        self._probe = tuple(sorted(known.failed))
        if first.timed_out:  # then its time says nothing about that of a fixed program
            self._suite_limit, self._probe_limit = 4.0, 2.0
            return traced
        self._suite_limit = max(1.0, 5 * seconds)
        alone, seconds = _timed(lambda: bench.test(self._probe, timeout=self._suite_limit))
        self._probe_limit = max(1.0, 5 * seconds)
        if alone.failed != known.failed:
            self._probe = ()
        return traced

    def _spectrum(self, base: Patch) -> Spectrum:
        """A traced run of the tests, in a copy of its own: tests may leave files behind."""
        with Workbench(self._fork) as scratch:
            scratch.write(base.files, self.originals)
            left = min(self._deadline - time.monotonic(), 3 * LONGEST)
            found = collect(scratch, self._task, max(left / 3, 2.0), seconds_per_test=max(left / 10, 1.0))
        self.originals = {**found.files, **self.originals}
        return found

    def _explore(self, bench: Workbench, base: Patch, spectrum: Spectrum, share: float) -> None:
        """Try one more change on top of a patch."""
        parsed = (self._parsed(path, spectrum) for path in spectrum.files)
        sources = {source.path: source for source in parsed if source is not None}
        suspicion = Suspicion(spectrum, sources, self._task.problem)
        self.report.suspicious = self.report.suspicious or suspicion.top(8)
        for candidate in candidates(sources.values(), suspicion.of, self._seed):
            best = max((patch.worth for patch in self.report.plausible), default=0.0)
            if candidate.priority <= best or self._spent(share):
                break
            self._try(bench, candidate, base)

    def _parsed(self, path: str, spectrum: Spectrum) -> Source | None:
        if not self._task.is_editable(path):
            return None
        try:
            return Source(path, spectrum.files[path], spectrum.types.get(path))
        except (SyntaxError, ValueError):
            return None

    def _spent(self, share: float) -> bool:
        """Whether the budget is used up; only a share of it while there are partial fixes to build on."""
        share = share if self.report.partial else 1.0
        left = self._deadline - time.monotonic()
        too_many = self.report.tried >= share * self._budget.candidates
        return too_many or left < (1 - share) * self._budget.seconds

    def _try(self, bench: Workbench, candidate: Candidate, base: Patch) -> None:
        """Run a candidate: the failing tests, and all of them if that helped."""
        files = {**base.files, candidate.path: candidate.text}
        self.report.tried += 1
        bench.write(files, self.originals)
        tested = bench.test(self._probe, timeout=self._probe_limit if self._probe else self._suite_limit)
        if self._probe and len(tested.passed & self.report.failing) > len(base.fixed):
            tested = bench.test(timeout=self._suite_limit)
        fixed = tested.passed & self.report.failing
        if len(fixed) <= len(base.fixed) or not self.report.passing <= tested.passed:
            return
        patch = Patch(files, (*base.steps, candidate), fixed)
        if fixed != self.report.failing:
            self.report.partial.append(patch)
            return
        self.report.plausible.append(patch)

    def _best(self, patches: list[Patch]) -> list[Patch]:
        return sorted(patches, key=lambda patch: (-len(patch.fixed), -patch.worth))

    def _choose(self) -> None:
        """Take the most believable patch that holds when tried again, complete ones before partial ones."""
        for patch in [*self._best(self.report.plausible), *self._best(self.report.partial)[:BASES]]:
            with Workbench(self._fork) as fresh:
                fresh.write(patch.files, self.originals)
                runs = (fresh.test(timeout=self._suite_limit) for _ in range(CONFIRMATIONS))
                if all(patch.fixed | self.report.passing <= run.passed for run in runs):
                    self.report.chosen = patch
                    return


def _timed(action: Callable[[], Tested]) -> tuple[Tested, float]:
    began = time.monotonic()
    return action(), time.monotonic() - began
