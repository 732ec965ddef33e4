"""Which runs a verdict takes: every variant of every test once, so mixed that no run tells anything.

In a *round* the required tests run together, each on one of its variants: its original text, or a negative
control of it. A test with k sharp controls takes part in k+1 rounds, with its variants in random order; where
it does not take part, its text is one of the variants all the same, drawn uniformly. So no text is laid more
often because it is the original, and what ``debug_gym.judge.controls.sample`` says of the odds holds.

A control that fails as it should may leave something behind that changes what an honest test does after it.
So a test is *unclear* after the rounds if all of its variants failed, or if its original passed and a control
too. Then all of its variants run again, alone in random order, and those runs decide. If the original failed
and a control passed, nothing runs again. So the second try helps nobody who guesses: who lets s of k+1
variants pass in the rounds gets to it with probability s/(k+1), has s to choose from, and for s = 0 all; who
lets one pass is right with probability 1/(k+1), or has lost.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from debug_gym.judge.controls.sample import CHANCE, Drawn, function_of
from debug_gym.judge.controls.texts import apply_all
from debug_gym.runners import runner_of
from debug_gym.task import NegativeControl, Task


@dataclass(frozen=True, eq=False)
class Trial:
    """One run of tests in a sandbox of its own."""

    tests: tuple[str, ...]
    """Required tests that run."""
    controls: Mapping[str, NegativeControl] = field(default_factory=dict)
    """Of some of them the control that is laid in place of the original: they must fail."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Path to text of the test files as they are laid."""
    everything: bool = False
    """All that the task's command collects runs; else exactly ``tests``."""
    ignored: frozenset[str] = frozenset()
    """Tests that run, but whose outcome says nothing here: they share a function with a control."""
    final: bool = False
    """Nothing that a test may not run beside is in it: what fails here has failed."""

    def id_of(self, test: str) -> str:
        """The id under which a test runs here: with another value, one with parameters may have another."""
        return self.controls[test].id if test in self.controls else test

    def decides(self, test: str) -> bool:
        """Whether the outcome of a test here says anything."""
        return test in self.tests and test not in self.ignored

    @property
    def originals(self) -> list[str]:
        """The tests that run on their original text, and decide."""
        return [test for test in self.tests if test not in self.controls and self.decides(test)]


class Plan:
    """The runs of one verdict.

    Args:
        task: which says whether its tests may share a sandbox.
        tests: the required ones.
        drawn: their controls.
        texts: path to original text of the files that are laid anew in every run.
        chance: where the order and the variants come from.
    """

    def __init__(
        self,
        task: Task,
        tests: Sequence[str],
        drawn: Drawn,
        texts: Mapping[str, str],
        chance: random.Random = CHANCE,
    ) -> None:
        self.drawn, self._texts, self._chance = drawn, texts, chance
        self._everything = not task.tests.required or not runner_of(task.tests).selects
        self._together = self._everything or task.tests.share_sandbox
        self._rest = [test for test in tests if test not in drawn.sharp]

    def rounds(self) -> list[Trial]:
        """The runs that every verdict takes, in an order that says nothing."""
        sharp = self._sharp_rounds()
        rest = self._rest_rounds()
        if self._together or len(sharp) < len(rest):
            rounds = [self._trial(chosen) for chosen in (*sharp, *rest)]
        else:
            extra = self._chance.sample(range(len(sharp)), len(rest))
            for place, chosen in zip(extra, rest, strict=True):
                sharp[place].update(chosen)
            rounds = [self._trial(chosen) for chosen in sharp]
        return self._chance.sample(rounds, len(rounds))

    def again(self, unclear: Iterable[str]) -> list[list[Trial]]:
        """The runs for tests that are unclear after the rounds, a list for each that can be decided apart:
        those without sharp controls first, which takes least."""
        unclear = set(unclear)
        rest = [test for test in self._rest if test in unclear]
        beside = dict.fromkeys(self._rest) if self._together else {}
        others = {control.test: control for control in self.drawn.others}
        groups = []
        for tests in [rest][: len(rest)] if self._together else [[test] for test in rest]:
            controls = [others[test] for test in tests if test in others]
            original = {**beside, **dict.fromkeys(tests)}
            groups.append(
                [{**original, **({item.test: item} if item else {})} for item in self._mixed(controls)]
            )
        for test, sharp in sorted(self.drawn.sharp.items(), key=lambda item: len(item[1])):
            if test in unclear:
                groups.append([{test: variant} for variant in self._mixed(sharp)])
        return [[self._trial(chosen, final=True) for chosen in group] for group in groups]

    def _mixed(self, controls: Sequence[NegativeControl]) -> list[NegativeControl | None]:
        """The variants of a test in random order; None is its original."""
        return self._chance.sample([None, *controls], len(controls) + 1)

    def _sharp_rounds(self) -> list[dict[str, NegativeControl | None]]:
        """Of each round the tests with sharp controls that take part, with their variants."""
        most = max(map(len, self.drawn.sharp.values()), default=-1) + 1
        rounds: list[dict[str, NegativeControl | None]] = [{} for _ in range(most)]
        for test, controls in self.drawn.sharp.items():
            for place, variant in zip(
                self._chance.sample(range(most), len(controls) + 1), [None, *controls], strict=True
            ):
                rounds[place][test] = variant
        return rounds

    def _rest_rounds(self) -> list[dict[str, NegativeControl | None]]:
        """The other tests: in one round, or in two where some have a control. Each of these is in one of
        them on its original, in the other on its control."""
        if not self._rest:
            return []
        rounds: list[dict[str, NegativeControl | None]] = [dict.fromkeys(self._rest)]
        if self.drawn.others:
            rounds.append(dict.fromkeys(self._rest))
        for control in self.drawn.others:
            self._chance.choice(rounds)[control.test] = control
        return rounds

    def _trial(self, chosen: Mapping[str, NegativeControl | None], *, final: bool = False) -> Trial:
        """The run of some tests with their variants; all other tests have any variant."""
        controls = {test: control for test, control in chosen.items() if control is not None}
        unseen = [
            self._chance.choice([None, *variants])
            for test, variants in self.drawn.sharp.items()
            if test not in chosen
        ]
        changed = {function_of(test) for test in controls if test not in self.drawn.sharp}
        beside = {test for test in chosen if test not in controls and function_of(test) in changed}
        everything = self._everything and len(chosen) == len(self._rest)
        return Trial(
            tests=tuple(test for test in chosen if everything or test not in beside),
            controls=controls,
            texts=apply_all([*controls.values(), *filter(None, unseen)], self._texts),
            everything=everything,
            ignored=frozenset(beside) if everything else frozenset(),
            final=final or len(chosen) == 1 or (self._together and not controls),
        )
