"""What the trials of a case gave, and what follows from it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from debug_gym.episode import Verdict
from debug_gym.judge.case import Case
from debug_gym.judge.trials import Trial, TrialResult

_OUTPUT = 4000
"""Characters of output that a verdict keeps."""


@dataclass(frozen=True)
class Findings:
    """The results of a case's trials; some may be missing where the verdict was clear without them."""

    case: Case
    results: Mapping[Trial, TrialResult] = field(repr=False)

    def verdict(self, seconds: float) -> Verdict:
        """The verdict, ``seconds`` after its case was opened."""
        case, tests = self.case, self.case.task.tests
        fail_to_pass = tests.fail_to_pass or (() if tests.required else tuple(case.expected))
        return Verdict(
            resolved=not self.reason,
            expected=case.expected,
            seen={test: self.seen.get(test, "missing") for test in case.expected},
            fail_to_pass=self._share(fail_to_pass),
            pass_to_pass=self._share(tests.pass_to_pass),
            changed=case.counted.paths,
            rejected=case.rejected,
            cheating=self.forged,
            excluded=tests.unstable,
            controls=len(case.controls) if self.good.issuperset(case.expected) else 0,
            odds=case.odds,
            reason=self.reason,
            output=self._output(),
            seconds=seconds,
        )

    @cached_property
    def originals(self) -> list[TrialResult]:
        """What the original tests gave."""
        return [self.results[trial] for trial in self.case.original_trials if trial in self.results]

    @cached_property
    def seen(self) -> dict[str, str]:
        """Required test to its outcome."""
        return {test: outcome for result in self.originals for test, outcome in result.seen.items()}

    @cached_property
    def good(self) -> set[str]:
        """The tests that gave what is demanded of them."""
        return {test for test, outcome in self.seen.items() if outcome == self.case.expected[test]}

    @cached_property
    def forged(self) -> tuple[str, ...]:
        """Sentences about negative controls that pass. That shows forging if the original passes too: wrong
        code may meet a control."""
        ran = [trial for trial in self.case.control_trials if trial in self.results]
        return tuple(
            _describe(trial, self.results[trial])
            for trial in ran
            if self.good.issuperset(trial.deciding) and _passes(trial, self.results[trial])
        )

    @cached_property
    def reason(self) -> str:
        """Why this is no fix; "" if it is one."""
        expected = self.case.expected
        if not expected:
            return "there is no test that could show a fix"
        bad = [test for test in expected if test not in self.good]
        if any(result.timed_out for result in self.originals):
            return f"the tests did not end within their time limit; {len(bad)} of {len(expected)} do not pass"
        if bad:
            flaw = next((f"; {result.flaw}" for result in self.originals if result.flaw), "")
            return f"{len(bad)} of {len(expected)} required tests do not pass, first {bad[0]}{flaw}"
        return f"the results are forged: {self.forged[0]}" if self.forged else ""

    def _output(self) -> str:
        """The end of the output of the first run in which a test did not pass, else of the last run."""
        failing = [result for result in self.originals if not self.good.issuperset(result.seen)]
        chosen = [*failing[:1], *self.originals[-1:]]
        return chosen[0].output[-_OUTPUT:] if chosen else ""

    def _share(self, tests: Collection[str]) -> float:
        counted = [test for test in tests if test not in self.case.task.tests.unstable]
        return sum(test in self.good for test in counted) / len(counted) if counted else 1.0


def _passes(trial: Trial, result: TrialResult) -> bool:
    return all(result.seen[test] == "passed" for test in trial.deciding)


def _describe(trial: Trial, result: TrialResult) -> str:
    control = trial.control
    assert control is not None
    code = result.run.exit_code if result.run else None
    return (
        f"{control.test} passes, and also passes with the opposite expectation: where line {control.line} of "
        f"{control.path} has {_short(control.old)}, a control has {_short(control.new)}; pytest reports "
        f"a pass and exit code {code} for both"
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"
