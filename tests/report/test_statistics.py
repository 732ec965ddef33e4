import itertools
import random

import pytest

from debug_gym.report.statistics import deviation, interval, mean, pass_at_k, quantile, wilson


def test_pass_at_k_is_the_share_of_draws_with_a_resolved_attempt():
    for n, c in itertools.product(range(1, 7), repeat=2):
        for k in range(1, n + 1):
            if c <= n:
                draws = list(itertools.combinations([True] * c + [False] * (n - c), k))
                assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_of_the_papers_size():
    assert pass_at_k(200, 20, 100) == pytest.approx(1.0, abs=1e-6)
    assert pass_at_k(100, 1, 10) == pytest.approx(0.1)


@pytest.mark.parametrize(("attempts", "resolved", "k"), [(2, 1, 3), (2, 3, 1), (0, 0, 1), (2, 1, 0)])
def test_pass_at_k_refuses_what_cannot_be_estimated(attempts, resolved, k):
    with pytest.raises(ValueError, match="cannot be estimated"):
        pass_at_k(attempts, resolved, k)


def test_mean_and_deviation():
    assert mean([]) is None
    assert mean([0.1] * 10) == 0.1
    assert deviation([5.0]) is None
    assert deviation([2, 4, 4, 4, 5, 5, 7, 9]) == pytest.approx(2.138090)


def test_wilson_of_published_values():
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = random.Random(1)
    covered = 0
    for _ in range(200):
        low, high = interval([float(generator.random() < 0.4) for _ in range(60)])
        covered += low <= 0.4 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_interval_is_repeatable_and_knows_its_edges():
    rates = [0.0, 0.5, 1.0, 1.0]
    assert interval(rates) == interval(rates)
    assert interval([]) is None
    assert interval([1.0] * 10) == wilson(1.0, 10)
    low, high = interval(rates)
    assert 0 <= low < 0.625 < high <= 1


def test_attempts_of_one_task_do_not_narrow_the_interval_like_tasks():
    few_tasks = interval([0.0, 1.0] * 5)
    many_tasks = interval([0.0, 1.0] * 50)
    assert few_tasks[1] - few_tasks[0] > 2 * (many_tasks[1] - many_tasks[0])


def test_quantile():
    assert quantile([1, 2, 3, 4], 0.5) == 2.5
