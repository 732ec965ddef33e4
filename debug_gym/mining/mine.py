"""A mining session: candidates side by side, each outcome kept at once, and a benchmark folder at the end."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from debug_gym.errors import DebugGymError
from debug_gym.mining.base import Candidate, FallenError
from debug_gym.mining.ledger import Ledger, Outcome
from debug_gym.mining.pipeline import Pipeline


@dataclass(frozen=True)
class Session:
    """Take candidates through a pipeline until there are enough tasks.

    Args:
        pipeline: the stages.
        ledger: what became of candidates so far: none is looked at twice.
        most: tasks that are wanted; None: as many as there are.
        workers: candidates at the same time.
    """

    pipeline: Pipeline
    ledger: Ledger
    most: int | None = None
    workers: int = 1

    def run(self, on_done: Callable[[Outcome], None] = lambda outcome: None) -> list[Outcome]:
        """Mine. ``on_done`` is called in this thread for each candidate, those of earlier sessions too.

        Returns:
            The outcomes of all candidates, of this session and the earlier ones.
        """
        for outcome in list(self.ledger.outcomes.values()):
            on_done(outcome)
        stop = threading.Event()
        candidates = self._new()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="mine") as pool:
            running: set[Future[Outcome]] = set()
            try:
                while True:
                    while len(running) < self.workers and not self._enough(len(running)):
                        candidate = next(candidates, None)
                        if candidate is None:
                            break
                        running.add(pool.submit(self._one, candidate, stop))
                    if not running:
                        break
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        on_done(future.result())
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return list(self.ledger.outcomes.values())

    def _enough(self, running: int) -> bool:
        """Whether there are enough tasks, if all that are looked at become some."""
        made = sum(not outcome.stage for outcome in self.ledger.outcomes.values())
        return self.most is not None and made + running >= self.most

    def _new(self) -> Iterator[Candidate]:
        for candidate in self.pipeline.miner.find():
            if candidate.id not in self.ledger.outcomes:
                yield candidate

    def _one(self, candidate: Candidate, stop: threading.Event) -> Outcome:
        began = time.monotonic()
        stage, why, detail = "", "", ""
        try:
            told = self.pipeline.run(candidate).task.metadata.get("statement", {})
            detail = told.get("refused", "")
        except FallenError as error:
            stage, why, detail = error.stage, error.why, error.detail
        except (DebugGymError, OSError) as error:
            if stop.is_set():
                raise
            stage, why, detail = "proof", "it could not be looked at", f"{type(error).__name__}: {error}"
        seconds = round(time.monotonic() - began, 1)
        outcome = Outcome(id=candidate.id, stage=stage, why=why, detail=detail[:500], seconds=seconds)
        self.ledger.add(outcome)
        return outcome
