"""What the trials of a case gave, and what follows from it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from debug_gym.episode import Verdict
from debug_gym.judge.case import Case
from debug_gym.judge.controls.sample import odds
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialResult
from debug_gym.task import NegativeControl

_OUTPUT = 4000
"""Characters of output that a verdict keeps."""

_UNBOUND = (
    "nothing bounds the chance that forged results pass: no hidden test that shows the fix has sharp "
    "negative controls"
)
_FORKED = (
    "the test session went on in processes that the code under test had forked: it saw results before it "
    "gave its own, and may have tried several fixes"
)

Results = Mapping[Trial, TrialResult]


@dataclass(frozen=True)
class Findings:
    """The results of a case's trials; some may be missing where the verdict was clear without them."""

    case: Case
    stages: tuple[Results, ...] = field(default=(), repr=False)
    """The rounds, then what ran again: of each test that which ran last counts, and nothing before."""

    def after(self, results: Results) -> "Findings":
        """What is known after a further stage."""
        return replace(self, stages=(*self.stages, results))

    def verdict(self, seconds: float) -> Verdict:
        """The verdict, ``seconds`` after its case was opened."""
        case, tests = self.case, self.case.task.tests
        fail_to_pass = tests.fail_to_pass or (() if tests.required else tuple(case.expected))
        ran = {*self._controls_that_ran()}
        return Verdict(
            resolved=not self.reason,
            expected=case.expected,
            seen=self.seen,
            fail_to_pass=self._share(fail_to_pass),
            pass_to_pass=self._share(tests.pass_to_pass),
            changed=case.counted.paths,
            rejected=case.rejected,
            cheating=self.forged,
            doubts=self._doubts(),
            excluded=tests.unstable,
            controls=len(ran) if self.good.issuperset(case.expected) else 0,
            odds=odds([sum(item in ran for item in controls) for controls in case.drawn.sharp.values()]),
            reason=self.reason,
            output=self._output(),
            seconds=seconds,
        )

    @property
    def _all(self) -> list[tuple[Trial, TrialResult]]:
        return [item for results in self.stages for item in results.items()]

    @cached_property
    def _last(self) -> dict[str, list[tuple[Trial, TrialResult]]]:
        last: dict[str, list[tuple[Trial, TrialResult]]] = {}
        for results in self.stages:
            stage: dict[str, list[tuple[Trial, TrialResult]]] = {}
            for trial, result in results.items():
                for test in trial.deciding:
                    stage.setdefault(test, []).append((trial, result))
            last.update(stage)
        return last

    def of(self, test: str) -> list[tuple[Trial, TrialResult]]:
        """The trials that decide about a test."""
        return self._last.get(test, [])

    @cached_property
    def seen(self) -> dict[str, str]:
        """Required test to the outcome of its original: of several one that is no good, if any."""
        return {test: self._outcome(test, wanted) for test, wanted in self.case.expected.items()}

    def _outcome(self, test: str, wanted: str) -> str:
        outcomes = [result.seen[test] for trial, result in self.of(test) if test not in trial.controls]
        return next((x for x in outcomes if x != wanted), wanted if outcomes else "missing")

    @cached_property
    def good(self) -> set[str]:
        """The tests that gave what is demanded of them."""
        return {test for test, outcome in self.seen.items() if outcome == self.case.expected[test]}

    @cached_property
    def passing(self) -> dict[str, list[tuple[NegativeControl, TrialResult]]]:
        """Test to those of its negative controls that passed, if any."""
        found: dict[str, list[tuple[NegativeControl, TrialResult]]] = {}
        for test in self.case.expected:
            for trial, result in self.of(test):
                if test in trial.controls and result.seen[test] == "passed":
                    found.setdefault(test, []).append((trial.controls[test], result))
        return found

    @cached_property
    def wrong(self) -> list[str]:
        """The tests that are no good, or one of whose controls passed."""
        return [test for test in self.case.expected if test not in self.good or test in self.passing]

    @cached_property
    def unclear(self) -> list[str]:
        """Those of them that what ran beside them may have disturbed, so that they must run again."""
        return [test for test in self.wrong if self._is_unclear(test)]

    def _is_unclear(self, test: str) -> bool:
        if test in self.case.drawn.sharp and test in self.passing and test not in self.good:
            return False
        return not any(
            trial.final and is_wrong(self.case, trial, result, test) for trial, result in self.of(test)
        )

    @property
    def stuck(self) -> set[str]:
        """The tests that were running when a run broke off."""
        return {result.run.running for _, result in self._all if result.run and result.run.running}

    @property
    def is_lost(self) -> bool:
        """Whether no further run can make this a fix."""
        return len(self.unclear) < len(self.wrong)

    @cached_property
    def forged(self) -> tuple[str, ...]:
        """Sentences about negative controls that pass, and about sessions that ran more than once. A control
        that passes shows forging if the original passes too: wrong code may meet it."""
        passing = [
            _describe(control, result)
            for test, passing in self.passing.items()
            for control, result in passing
            if test in self.good
        ]
        forked = any(result.run and result.run.forked for _, result in self._all)
        return (*passing, *[_FORKED][: int(forked)])

    @cached_property
    def reason(self) -> str:
        """Why this is no fix; "" if it is one."""
        expected, results = self.case.expected, [result for _, result in reversed(self._all)]
        if not expected:
            return "there is no test that could show a fix"
        bad = [test for test in expected if test not in self.good]
        if bad and any(result.timed_out for result in results):
            return f"the tests did not end within their time limit; {len(bad)} of {len(expected)} do not pass"
        if bad:
            flaw = next((f"; {result.flaw}" for result in results if result.flaw), "")
            return f"{len(bad)} of {len(expected)} required tests do not pass, first {bad[0]}{flaw}"
        return f"the results are forged: {self.forged[0]}" if self.forged else ""

    def _controls_that_ran(self) -> Iterator[NegativeControl]:
        """One that was not collected, or ended its session, was none."""
        for trial, result in self._all:
            for test, control in trial.controls.items():
                if result.seen[test] not in {"missing", "untrusted"}:
                    yield control

    def _doubts(self) -> tuple[str, ...]:
        """Why a verdict that says resolved may be wrong."""
        unbound = [] if any(self.case.drawn.sharp.values()) else [_UNBOUND]
        return (*self.case.doubts, *unbound)

    def _output(self) -> str:
        """The end of the output of a trial that shows why this is no fix, else of any."""
        bad = [test for test in self.case.expected if test not in self.good]
        shown = [result for test in bad for trial, result in self.of(test) if test not in trial.controls]
        any_other = (result for _, result in self._all)
        return next((result.output[-_OUTPUT:] for result in chain(shown, any_other)), "")

    def _share(self, tests: Collection[str]) -> float:
        counted = [test for test in tests if test not in self.case.task.tests.unstable]
        return sum(test in self.good for test in counted) / len(counted) if counted else 1.0


def is_wrong(case: Case, trial: Trial, result: TrialResult, test: str) -> bool:
    """Whether a test did in a trial what no test may do if this is a fix."""
    passed = result.seen[test] == "passed"
    return passed if test in trial.controls else result.seen[test] != case.expected[test]


def is_decisive(case: Case, trial: Trial, result: TrialResult) -> bool:
    """Whether a trial alone shows that this is no fix."""
    return trial.final and any(is_wrong(case, trial, result, test) for test in trial.deciding)


def _describe(control: NegativeControl, result: TrialResult) -> str:
    code = result.run.exit_code if result.run else None
    return (
        f"{control.test} passes, and also passes with the opposite expectation: where line {control.line} of "
        f"{control.path} has {_short(control.old)}, a control has {_short(control.new)}; pytest reports "
        f"a pass and exit code {code} for both"
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"
