"""Bugs put into right code: mutants that some tests notice and most do not, the farthest symptoms first."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any

from debug_gym.agents.repair.source import Source
from debug_gym.mining.base import Candidate, Draft, Ground, is_source
from debug_gym.mining.mutators import Mutant, mutants
from debug_gym.mining.reach import Reach, Way, functions, reach

PER_FUNCTION = 3
"""Mutants of a function that are tried."""
MOST = 5_000
"""Mutants that are tried at all."""
QUICK = 20.0
"""Seconds for all tests up to which a mutant is tried on all of them, not only on those that reach it."""
COMMON = 0.6
"""Share of the tests beyond which a function is everybody's: whatever is wrong in it, most of them fail."""


@dataclass
class Mutations:
    """Mutants of one repository.

    Args:
        make: makes the place where its tests run; called once.
        seed: another one gives other mutants.
        distance: functions that no test gets to by so many calls are left alone.
    """

    make: Callable[[], Ground]
    seed: int = 0
    distance: int = 0
    kind = "mutate"
    _texts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def ground(self) -> Ground:
        """The repository."""
        return self.make()

    @cached_property
    def reach(self) -> Reach:
        """Which tests call which functions."""
        return reach(self.ground, {})

    def find(self) -> Iterator[Candidate]:
        """See ``Miner``."""
        for mutant in self.ranked():
            digest = hashlib.sha256(f"{mutant.path}\0{mutant.text}".encode()).hexdigest()[:8]
            name = f"{self.ground.name}-{mutant.mutator.replace(' ', '-')}-{digest}"
            yield Candidate(name, vars(mutant))

    def ranked(self) -> Iterator[Mutant]:
        """The mutants, the most promising first, some of each function."""
        chance = random.Random(self.seed)
        rated: list[tuple[float, Mutant]] = []
        for path, source in sorted(self._sources.items()):
            for first, (start, end) in functions(source.text).items():
                ways = self._ways(f"{path}:{first}")
                if self._is_special(ways):
                    rated += _rated(source, (start, end), ways, chance)
        tried: Counter[tuple[str, int]] = Counter()
        seen: set[str] = set()
        for mutant in _mixed(rated)[:MOST]:
            place = mutant.path, self._first(mutant.path, mutant.line)
            if tried[place] < PER_FUNCTION and mutant.text not in seen:
                tried[place] += 1
                seen.add(mutant.text)
                yield mutant

    def draft(self, candidate: Candidate) -> Draft:
        """See ``Miner``."""
        facts: Mapping[str, Any] = candidate.facts
        path = facts["path"]
        return Draft(
            ground=self.ground,
            broken={path: facts["text"]},
            fixed=self.texts([path]),
            metadata={"origin": self.ground.name, "mutator": facts["mutator"]},
            selection=self.selection(path, facts["line"]),
            asks_for_behaviour=True,
        )

    def texts(self, paths: Iterable[str]) -> dict[str, str]:
        """The right texts of source files."""
        return {path: self._sources[path].text for path in paths}

    def selection(self, path: str, line: int) -> tuple[str, ...]:
        """The tests that may notice a mutant of a line; none: all of them, where that takes no longer."""
        return () if self.ground.seconds < QUICK else tuple(self._ways(f"{path}:{self._first(path, line)}"))

    def tests_of(self, path: str, line: int) -> frozenset[str]:
        """The tests that pass and call the function around a line."""
        return frozenset(self._ways(f"{path}:{self._first(path, line)}"))

    def lines_of(self, path: str, line: int) -> tuple[int, int]:
        """The first and last line of the function around a line."""
        return functions(self._sources[path].text)[self._first(path, line)]

    @cached_property
    def _sources(self) -> dict[str, Source]:
        """The files that tests reach."""
        found = {}
        for path in sorted({name.rpartition(":")[0] for name in self.reach.ways}):
            if is_source(path):
                try:
                    found[path] = Source(path, (self.ground.folder / path).read_bytes().decode())
                except (OSError, ValueError, SyntaxError):
                    continue
        return found

    def _ways(self, function: str) -> dict[str, Way]:
        """The tests that pass and call a function, and how they get there."""
        outcomes = self.reach.outcomes
        return {
            test: way
            for test, way in self.reach.ways.get(function, {}).items()
            if outcomes.get(test) == "passed"
        }

    def _is_special(self, ways: Mapping[str, Way]) -> bool:
        passed = sum(outcome == "passed" for outcome in self.reach.outcomes.values())
        deep = max((way.calls for way in ways.values()), default=0)
        return 0 < len(ways) <= max(COMMON * passed, 5) and deep >= self.distance

    def _first(self, path: str, line: int) -> int:
        """The first line of the innermost function around a line."""
        around = [
            (end - start, first)
            for first, (start, end) in functions(self._sources[path].text).items()
            if start <= line <= end
        ]
        return min(around)[1]


def _mixed(rated: list[tuple[float, Mutant]]) -> list[Mutant]:
    """The best of each kind, then the second best of each, and so on."""
    kinds: dict[str, list[Mutant]] = {}
    for _, mutant in sorted(rated, key=lambda item: -item[0]):
        kinds.setdefault(mutant.mutator, []).append(mutant)
    return [mutant for row in zip_longest(*kinds.values()) for mutant in row if mutant is not None]


def _rated(
    source: Source, lines: tuple[int, int], ways: Mapping[str, Way], chance: random.Random
) -> list[tuple[float, Mutant]]:
    """The mutants of a function with how promising they are: deep below the tests, with some chance."""
    depth = min(way.calls + 2 * (way.files - 1) for way in ways.values())
    found = {mutant.text: mutant for mutant in mutants(source, *lines)}.values()
    return [(mutant.weight * (1 + min(depth, 6)) * chance.uniform(0.5, 1.5), mutant) for mutant in found]
