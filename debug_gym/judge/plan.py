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

Thousands of tests are judged in the time that it takes to run them about once. Those without controls are
dealt out to two rounds by files, each of which has controls all the same; and where many of them are unclear,
one runs again alone and the others together, with no control beside them, then what still fails in halves.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from debug_gym.judge.controls.sample import CHANCE, Drawn, function_of
from debug_gym.judge.controls.texts import apply_all
from debug_gym.runners import runner_of
from debug_gym.task import NegativeControl, Task

MANY = 200
"""Required tests from which on those without controls run in one round and not in two. With fewer, pytest's
start takes longer than they do."""


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

    @cached_property
    def deciding(self) -> list[str]:
        """The tests whose outcome here says something."""
        return [test for test in self.tests if test not in self.ignored]

    @property
    def originals(self) -> list[str]:
        """The tests that run on their original text, and decide."""
        return [test for test in self.deciding if test not in self.controls]


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

    def again(self, unclear: Collection[str], stuck: Collection[str] = ()) -> Iterator[list[Trial]]:
        """The runs for tests that are unclear after the rounds, a list for each that can be decided apart:
        those without sharp controls first, which takes least.

        Args:
            unclear: the tests.
            stuck: those of them at which a run broke off; they come first, since nothing else need run then.
        """
        rest = [test for test in self._rest if test in unclear]
        if self._together:
            yield from self._again_together(rest)
        else:
            yield from self._again_apart(rest, stuck)
        for test, sharp in sorted(self.drawn.sharp.items(), key=lambda item: len(item[1])):
            if test in unclear:
                yield [self._trial({test: variant}, final=True) for variant in self._mixed(sharp)]

    def _again_together(self, rest: Sequence[str]) -> Iterator[list[Trial]]:
        if rest:
            original = dict.fromkeys(self._rest)
            controls = [control for control in self.drawn.others if control.test in rest]
            variants = [{control.test: control} if control else {} for control in self._mixed(controls)]
            yield [self._trial({**original, **variant}, final=True) for variant in variants]

    def _again_apart(self, rest: Sequence[str], stuck: Collection[str]) -> Iterator[list[Trial]]:
        others = {control.test: control for control in self.drawn.others}
        yield from self.originals([test for test in rest if test not in others], stuck)
        for test in rest:
            if test in others:
                yield [self._trial({test: variant}, final=True) for variant in self._mixed([others[test]])]

    def originals(
        self, tests: Sequence[str], stuck: Collection[str] = (), parts: int = 1
    ) -> Iterator[list[Trial]]:
        """Runs of tests without controls, and of nothing else: alone of those at which a run broke off, or
        else of the first one, which mostly decides, since the others fail for the same reason; of the rest
        together, in so many parts."""
        first = [test for test in tests if test in stuck] or list(tests[:1])
        rest = [test for test in tests if test not in first]
        size = max(1, -(-len(rest) // parts))
        for chosen in (
            *([test] for test in first),
            *(rest[at : at + size] for at in range(0, len(rest), size)),
        ):
            yield [self._trial(dict.fromkeys(chosen))]

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
        if not self.drawn.others:
            return [dict.fromkeys(self._rest)]
        one, two = self._dealt() if self._deals else (self._rest, self._rest)
        rounds: list[dict[str, NegativeControl | None]] = [dict.fromkeys(one), dict.fromkeys(two)]
        others = self._chance.sample(self.drawn.others, len(self.drawn.others))
        for place, control in enumerate(others):
            number = place if self._deals and place < len(rounds) else self._chance.randrange(len(rounds))
            rounds[number][control.test] = control
        return rounds

    @property
    def _deals(self) -> bool:
        """Whether the tests without controls run in one of two rounds only. Each needs a control then."""
        return not self._together and len(self._rest) >= MANY and len(self.drawn.others) > 1

    def _dealt(self) -> tuple[list[str], list[str]]:
        """The other tests in two parts, by files: a random half of those without controls in each, and those
        with controls, and what shares a function with them, in both."""
        files = list(dict.fromkeys(map(_file_of, self._rest)))
        half = set(self._chance.sample(files, len(files) // 2))
        controlled = {function_of(control.test) for control in self.drawn.others}
        both = {test for test in self._rest if function_of(test) in controlled}
        first = [test for test in self._rest if test in both or _file_of(test) in half]
        return first, [test for test in self._rest if test in both or _file_of(test) not in half]

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


def _file_of(test: str) -> str:
    return test.partition("::")[0]
