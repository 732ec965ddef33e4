"""What is measured and how: samples of ours and of what stands beside it, taken in turns in the same run."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Sample = Callable[[], float]
"""Does the thing once, checks that it succeeded, and returns the figure: milliseconds, or the row's unit."""


class RowError(Exception):
    """A measured reply was not a success: the row's figures would mean nothing."""


class Unmeasurable(Exception):  # noqa: N818 - not an error: the reason stands in the table
    """The row cannot be measured on this machine; the text says why."""


@dataclass(frozen=True)
class Contender:
    """Something to measure beside ours."""

    name: str
    sample: Sample | None = None
    missing: str = ""
    """Why there is no sample."""
    faster: float | None = None
    """The goal: ours is at least so many times smaller."""
    within: float | None = None
    """The goal: ours is at most so many times as large (for floors, which cannot be beaten)."""
    floor: bool = False
    """Ours contains this: the ratio says how much it adds."""


@dataclass(frozen=True)
class Series:
    """Samples of one thing, in the order in which they were taken."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.values)

    def summary(self) -> dict[str, Any]:
        """For the JSON file."""
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "runs": len(self.values),
        }


@dataclass(frozen=True)
class Beside:
    """A contender with what was measured of it."""

    contender: Contender
    series: Series | None
    ours: Series

    @property
    def ratio(self) -> float | None:
        """How many times larger the rival is than ours; for a floor, how many times larger ours is."""
        if self.series is None or not self.series.median or not self.ours.median:
            return None
        high, low = self.series.median, self.ours.median
        return low / high if self.is_floor else high / low

    @property
    def is_floor(self) -> bool:
        """The ratio is to be small."""
        return self.contender.floor or self.contender.within is not None

    @property
    def met(self) -> bool | None:
        """Whether the ratio reaches its goal; None: there is no goal, or no ratio."""
        if self.ratio is None:
            return None
        if self.contender.faster is not None:
            return self.ratio >= self.contender.faster
        return self.ratio <= self.contender.within if self.contender.within is not None else None

    @property
    def goal(self) -> str:
        """The ratio's goal in words."""
        if self.contender.faster is not None:
            return f">= {self.contender.faster:g} x"
        return f"<= {self.contender.within:g} x" if self.contender.within is not None else ""

    def summary(self) -> dict[str, Any]:
        """For the JSON file."""
        return {
            "what": self.contender.name,
            "kind": "floor" if self.is_floor else "rival",
            "figure": self.series.summary() if self.series else None,
            "missing": self.contender.missing or None,
            "ratio": self.ratio,
            "goal": self.goal or None,
            "met": self.met,
        }


@dataclass(frozen=True)
class Figure:
    """What a row found."""

    unit: str
    ours: Series
    beside: tuple[Beside, ...] = ()
    at_most: float | None = None
    """The goal in the row's unit, on an idle machine of two cores."""
    notes: tuple[str, ...] = field(default=())

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the absolute goal; None: there is none."""
        return None if self.at_most is None else self.ours.median <= self.at_most

    @property
    def goal(self) -> str:
        """The absolute goal in words."""
        return "" if self.at_most is None else f"<= {self.at_most:g} {self.unit}"

    def summary(self) -> dict[str, Any]:
        """For the JSON file."""
        return {
            "unit": self.unit,
            "ours": self.ours.summary(),
            "goal": self.goal or None,
            "met": self.met,
            "beside": [item.summary() for item in self.beside],
            "notes": list(self.notes),
        }


def race(
    ours: Sample,
    beside: Sequence[Contender] = (),
    *,
    runs: int,
    unit: str = "ms",
    at_most: float | None = None,
    warm_up: int = 1,
    notes: Sequence[str] = (),
) -> Figure:
    """Measure ours and its contenders in turns, so that a busy moment of the machine meets all of them.

    Args:
        ours: a sample of ours.
        beside: what it is compared with; those with no sample only appear with their reason.
        runs: rounds that count.
        unit: of all samples.
        at_most: the goal, in that unit.
        warm_up: rounds before them that do not.
        notes: what a reader should know about the figure.

    Raises:
        RowError: a sample found that its reply was not a success.
    """
    samples = [ours, *(contender.sample for contender in beside)]
    taken: list[list[float]] = [[] for _ in samples]
    for round_ in range(warm_up + runs):
        for values, sample in zip(taken, samples, strict=True):
            if sample is None:
                continue
            value = sample()
            if round_ >= warm_up:
                values.append(value)
    first, *others = (Series(tuple(values)) if values else None for values in taken)
    assert first is not None
    compared = tuple(
        Beside(contender, series, first) for contender, series in zip(beside, others, strict=True)
    )
    return Figure(unit, first, compared, at_most, tuple(notes))


def clock(work: Callable[[], T], check: Callable[[T], bool]) -> Sample:
    """A sample that times ``work`` in milliseconds and, outside of the time, demands that ``check`` holds."""

    def sample() -> float:
        begin = time.perf_counter()
        result = work()
        elapsed = time.perf_counter() - begin
        demand(check(result), result)
        return elapsed * 1000

    return sample


def demand(holds: bool, seen: object) -> None:
    """End the row if a reply is not what it must be.

    Raises:
        RowError: with what was seen.
    """
    if not holds:
        raise RowError(f"not the reply of a success: {str(seen)[:600]}")
