"""Pairs of bugs that interact: what both do together is not what each of them does by itself.

Let F(x) be the tests that pass in the right code and do not with the mutants x. Two mutants a and b interact
if F(ab) is not F(a) and F(b) together. So a test fails with both that passes with either (each alone does it
no harm), or a test passes with both that fails with one (one hides the other's symptom: who repairs one of
them sees a new failure).
"""

import builtins
import hashlib
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, islice
from typing import Any

from debug_gym.mining.base import Candidate, Draft, FallenError
from debug_gym.mining.hunks import apply_hunks, hunks
from debug_gym.mining.mutations import Mutations
from debug_gym.mining.mutators import Mutant

POOL = 250
"""Mutants of which pairs are made: the most promising."""
PER_MUTANT = 8
"""Pairs of a mutant that are tried."""
_COMMON = {"self", "cls", *keyword.kwlist, *vars(builtins)}


@dataclass
class MutantPairs:
    """Pairs of mutants of one repository, in two functions that some test calls both.

    Args:
        mutations: of the repository.
    """

    mutations: Mutations
    kind = "mutate"
    _failing: dict[tuple[str, ...], frozenset[str] | FallenError] = field(default_factory=dict)

    def find(self) -> Iterator[Candidate]:
        """See ``Miner``: first those whose lines have most names in common that few others have."""
        pool = [*islice(self.mutations.ranked(), POOL)]
        reached = [self.mutations.tests_of(mutant.path, mutant.line) for mutant in pool]
        names = [self._names(mutant) for mutant in pool]
        having = Counter(name for some in names for name in some)
        rated = []
        for one, two in combinations(range(len(pool)), 2):
            if reached[one] & reached[two] and not self._same(pool[one], pool[two]):
                shared = sum(1 / having[name] for name in names[one] & names[two])
                rated.append((-round(shared, 3), one + two, one, two))
        used: Counter[int] = Counter()
        for *_, one, two in sorted(rated):
            if max(used[one], used[two]) < PER_MUTANT:
                used.update((one, two))
                facts = {"one": vars(pool[one]), "two": vars(pool[two])}
                yield Candidate(self._name(pool[one], pool[two]), facts)

    def draft(self, candidate: Candidate) -> Draft:
        """See ``Miner``."""
        pair = [Mutant(**candidate.facts[name]) for name in ("one", "two")]
        right = self.mutations.texts([mutant.path for mutant in pair])
        broken = together(right, pair)
        interaction = self._interaction(right, pair, broken)
        return Draft(
            ground=self.mutations.ground,
            broken=broken,
            fixed=right,
            metadata={
                "origin": self.mutations.ground.name,
                "mutator": "interacting pair",
                "mutators": [mutant.mutator for mutant in pair],
                "interaction": interaction,
            },
            selection=self._selection(pair),
            asks_for_behaviour=True,
            minimal=True,
        )

    def _interaction(
        self, right: Mapping[str, str], pair: Sequence[Mutant], broken: Mapping[str, str]
    ) -> dict[str, Any]:
        """How the two differ from each by itself, in numbers of tests.

        Raises:
            FallenError: they do not.
        """
        selection = self._selection(pair)
        one, two = (self._alone(right, mutant, selection) for mutant in pair)
        both = self._run(broken, selection)
        odd = (one | two) ^ both
        if odd:  # what is different by chance does not count
            again = [self._run({**right, mutant.path: mutant.text}, tuple(sorted(odd))) for mutant in pair]
            odd &= (again[0] | again[1]) ^ self._run(broken, tuple(sorted(odd)))
        if not odd:
            raise FallenError("validate", "the two bugs do not interact")
        return {
            "alone": [len(one), len(two)],
            "together": len(both),
            "only_together": len(odd & both),
            "hidden": len(odd - both),
        }

    def _alone(self, right: Mapping[str, str], mutant: Mutant, selection: tuple[str, ...]) -> frozenset[str]:
        """The tests that fail with one of them. That is found out once, where all tests are run.

        Raises:
            FallenError: that takes too long.
        """
        key = (mutant.path, mutant.text, *selection)
        if key not in self._failing:
            try:
                self._failing[key] = self._run({**right, mutant.path: mutant.text}, selection)
            except FallenError as error:
                self._failing[key] = error
        found = self._failing[key]
        if isinstance(found, FallenError):
            raise found
        return found

    def _run(self, texts: Mapping[str, str], selection: tuple[str, ...]) -> frozenset[str]:
        """The tests that pass in the right code and do not with these texts."""
        run = self.mutations.ground.run(dict(texts), selection)
        if run.timed_out:
            raise FallenError("validate", "the tests take too long with the bug")
        wanted = self._passing & set(selection) if selection else self._passing
        return frozenset(wanted - set(run.passed))

    @cached_property
    def _passing(self) -> frozenset[str]:
        return frozenset(self.mutations.ground.run({}).passed)

    def _selection(self, pair: Sequence[Mutant]) -> tuple[str, ...]:
        """The tests that may notice one of them; all of them where that takes no longer."""
        parts = [self.mutations.selection(mutant.path, mutant.line) for mutant in pair]
        return tuple(dict.fromkeys(test for part in parts for test in part)) if all(parts) else ()

    def _names(self, mutant: Mutant) -> set[str]:
        """The identifiers in the lines that a mutant changes, and the name of its function: two mutants that
        have some in common work on the same things, or one calls the other."""
        right = self.mutations.texts([mutant.path])[mutant.path]
        old, new = right.splitlines(), mutant.text.splitlines()
        lines = [old[self.mutations.lines_of(mutant.path, mutant.line)[0] - 1]]
        for hunk in hunks({mutant.path: right}, {mutant.path: mutant.text}):
            lines += [*old[hunk.start : hunk.end], *new[hunk.new_start : hunk.new_end]]
        return set(re.findall(r"[^\W\d]\w+", " ".join(lines))) - _COMMON

    def _same(self, one: Mutant, two: Mutant) -> bool:
        """Whether both lie in one function, or one function lies in the other."""
        if one.path != two.path:
            return False
        first, second = (self.mutations.lines_of(mutant.path, mutant.line) for mutant in (one, two))
        return first[0] <= second[1] and second[0] <= first[1]

    def _name(self, one: Mutant, two: Mutant) -> str:
        texts = "\0".join((one.path, one.text, two.path, two.text))
        return f"{self.mutations.ground.name}-pair-{hashlib.sha256(texts.encode()).hexdigest()[:8]}"


def together(right: Mapping[str, str], pair: Sequence[Mutant]) -> dict[str, str]:
    """The right texts with both mutants, which lie in different lines."""
    texts = dict(right)
    below_first = sorted(pair, key=lambda mutant: -mutant.line)
    for mutant in below_first:
        mine = {mutant.path: right[mutant.path]}
        parts = hunks(mine, {mutant.path: mutant.text})
        # What lies above is as it was: the places of its lines are those of the right text.
        changed = apply_hunks({mutant.path: texts[mutant.path]}, {mutant.path: mutant.text}, parts)
        texts[mutant.path] = changed[mutant.path] or ""
    return texts
