"""Time: of one thread's own work on a CPU, which is shared; of finished work on a GPU."""

import time
from collections.abc import Callable, Mapping

import torch

Call = Callable[[], object]


class Clock:
    """Seconds that a call takes."""

    def __init__(self, device: str) -> None:
        self._cuda = device == "cuda"
        self._now = time.thread_time if not self._cuda and torch.get_num_threads() == 1 else time.perf_counter

    def __call__(self, call: Call) -> float:
        self._wait()
        started = self._now()
        call()
        self._wait()
        return self._now() - started

    def _wait(self) -> None:
        if self._cuda:
            torch.cuda.synchronize()


def turns(calls: Mapping[str, Call], clock: Clock, seconds: float, rounds: int) -> dict[str, float]:
    """The lower quartile of each, taken in turns: what disturbs one disturbs all. A first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        clock(call)
    started = time.monotonic()
    for done in range(rounds):
        if done >= 3 and time.monotonic() - started > seconds * len(calls):
            break
        for name, call in calls.items():
            found[name].append(clock(call))
    return {name: sorted(values)[len(values) // 4] for name, values in found.items()}
