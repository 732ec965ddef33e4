"""The few estimators that a leaderboard needs, each with its source. Plain functions of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
"""Of all confidence intervals."""
_Z = 1.959963984540054
"""The standard normal's quantile for ``LEVEL``."""
RESAMPLES = 10_000


def pass_at_k(attempts: int, resolved: int, k: int) -> float:
    """The chance that at least one of ``k`` attempts, drawn without replacement, is resolved.

    The unbiased estimator ``1 - C(n-c, k) / C(n, k)`` of Chen et al., "Evaluating Large Language Models
    Trained on Code" (2021), equation 1.

    Raises:
        ValueError: there are fewer than ``k`` attempts, or more resolved ones than attempts.
    """
    if not 0 < k <= attempts or not 0 <= resolved <= attempts:
        raise ValueError(f"pass@{k} cannot be estimated from {resolved} of {attempts} attempts")
    return 1.0 - math.comb(attempts - resolved, k) / math.comb(attempts, k)


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def deviation(values: Sequence[float]) -> float | None:
    """The sample's standard deviation (divided by n - 1); None of fewer than two values."""
    if len(values) < 2:
        return None
    middle = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's score interval of a share that ``count`` trials showed (Wilson 1927)."""
    centre = share + _Z**2 / (2 * count)
    spread = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def interval(rates: Sequence[float], *, seed: int = 0) -> tuple[float, float] | None:
    """A 95% confidence interval of the mean of the tasks' rates; None without tasks.

    The percentile bootstrap over tasks (Efron 1979): the attempts of one task depend on each other, so a
    resample takes a task with all of its attempts. Where all tasks have the same rate, resampling cannot
    show any uncertainty, and Wilson's interval stands in. Equal rates and seeds give equal intervals.
    """
    if not rates:
        return None
    if min(rates) == max(rates):
        return wilson(rates[0], len(rates))
    return _bootstrap(rates, seed)


@dataclass(frozen=True)
class Paired:
    """Two agents on the same tasks: how the first did, less how the second did."""

    tasks: int
    difference: float
    """Of the mean rates, -1 to 1."""
    low: float
    """Of the 95% confidence interval of the difference."""
    high: float
    wins: int
    """Tasks at which the first has the higher rate."""
    losses: int
    """Tasks at which the second has."""

    @property
    def distinct(self) -> bool:
        """Whether the interval leaves out that they are equally good."""
        return self.low > 0 or self.high < 0

    def turned(self) -> "Paired":
        """The second one less the first."""
        return Paired(self.tasks, -self.difference, -self.high, -self.low, self.losses, self.wins)


def paired(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Paired:
    """Compare two agents by their rates at the same tasks, in the same order.

    The paired bootstrap over tasks: a resample takes tasks, each with the rates of both, so that what makes a
    task hard for both does not blur what differs between them (Koehn, "Statistical Significance Tests for
    Machine Translation Evaluation", 2004). Where the difference is the same at all tasks, resampling cannot
    show any uncertainty: then Wilson's lower bound of the share of tasks at which they differ like this
    stands in, and all others may go either way.

    Raises:
        ValueError: there are no tasks, or not equally many rates.
    """
    if not first or len(first) != len(second):
        raise ValueError("paired rates must be of the same tasks, and of one at least")
    differences = [one - two for one, two in zip(first, second, strict=True)]
    mean_difference = math.fsum(differences) / len(differences)
    if min(differences) == max(differences):
        rest = 1 - wilson(1.0, len(differences))[0]  # of tasks that may go either way
        sure = mean_difference * (1 - rest)
        low, high = sure - rest, sure + rest
    else:
        low, high = _bootstrap(differences, seed)
    return Paired(
        len(differences),
        mean_difference,
        low,
        high,
        sum(difference > 0 for difference in differences),
        sum(difference < 0 for difference in differences),
    )


def _bootstrap(sample: Sequence[float], seed: int) -> tuple[float, float]:
    """The percentile interval of a mean."""
    values = np.asarray(sample, dtype=np.float64)
    generator = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    block = max(1, 1_000_000 // len(values))  # bounds the memory of one draw
    for begin in range(0, RESAMPLES, block):
        size = min(block, RESAMPLES - begin)
        means[begin : begin + size] = generator.choice(values, (size, len(values))).mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of a non-empty sample, interpolated linearly."""
    return float(np.quantile(np.asarray(values, dtype=np.float64), share))
