"""The few estimators that a leaderboard needs, each with its source. Plain functions of numbers."""

import math
from collections.abc import Sequence

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
    values = np.asarray(rates, dtype=np.float64)
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
