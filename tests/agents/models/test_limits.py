import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from debug_gym.agents.models.limits import Limiter, RateLimits


def starts(limiter, count, tokens=1, workers=8, seconds=0.0):
    """When ``count`` requests were let through."""

    def ask(_):
        with limiter.turn(tokens):
            began = time.monotonic()
            time.sleep(seconds)
            return began

    with ThreadPoolExecutor(workers) as pool:
        return sorted(pool.map(ask, range(count)))


@pytest.mark.parametrize(
    ("limits", "tokens"), [(RateLimits(requests_per_minute=3), 1), (RateLimits(tokens_per_minute=300), 100)]
)
def test_no_window_holds_more_than_the_limit(limits, tokens):
    limiter = Limiter(limits, window=0.4)
    times = starts(limiter, 8, tokens)
    for earlier, later in zip(times, times[3:], strict=False):
        assert later - earlier > 0.35
    assert times[2] - times[0] < 0.3  # what is allowed is not held back


def test_what_is_larger_than_the_limit_goes_alone():
    limiter = Limiter(RateLimits(tokens_per_minute=10), window=0.2)
    first, second = starts(limiter, 2, tokens=50)
    assert second - first >= 0.2


def test_an_estimate_is_corrected():
    limiter = Limiter(RateLimits(tokens_per_minute=100), window=5.0)
    for _ in range(5):
        with limiter.turn(60) as ticket:
            ticket.tokens = 10
    with limiter.turn(40):
        pass


def test_after_a_pause_fewer_are_under_way_and_then_more():
    limiter = Limiter(RateLimits())
    under_way, peaks, lock = 0, [], threading.Lock()

    def ask(_):
        nonlocal under_way
        with limiter.turn(1):
            with lock:
                under_way += 1
                peaks.append(under_way)
            time.sleep(0.05)
            with lock:
                under_way -= 1

    with limiter.turn(1):
        limiter.pause(0.2)  # one was under way: at most one may be from now on
    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        list(pool.map(ask, range(16)))
    assert time.monotonic() - began >= 0.2

    assert max(peaks[:3]) <= 2 < max(peaks)


def test_a_failure_gives_its_turn_back():
    limiter = Limiter(RateLimits(max_concurrent=1))
    with pytest.raises(ZeroDivisionError), limiter.turn(1):
        _ = 1 / 0
    assert len(starts(limiter, 2)) == 2
