"""Figures for Prometheus, in its text format (version 0.0.4), and for people."""

import threading
from collections import Counter

from debug_gym.lora.serve.engine import Engine

HELP = {
    "debug_gym_requests_total": ("counter", "HTTP requests of chat completions, by status."),
    "debug_gym_request_seconds": ("summary", "From a request to the end of its answer."),
    "debug_gym_first_token_seconds": ("summary", "From a request to its first token."),
    "debug_gym_running": ("gauge", "Answers that are computed now."),
    "debug_gym_waiting": ("gauge", "Requests that wait for a place."),
    "debug_gym_prompt_tokens_total": ("counter", "Tokens of prompts."),
    "debug_gym_cached_tokens_total": ("counter", "Those of them that were not computed again."),
    "debug_gym_tokens_total": ("counter", "Tokens that were written."),
    "debug_gym_steps_total": ("counter", "Forward passes of a batch."),
}


class Metrics:
    """Counts what the engine does not."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._statuses: Counter[int] = Counter()
        self._sums: Counter[str] = Counter()

    def answered(self, status: int) -> None:
        """A request was answered."""
        with self._lock:
            self._statuses[status] += 1

    def took(self, name: str, seconds: float) -> None:
        """``request`` or ``first_token`` took so long."""
        with self._lock:
            self._sums[f"debug_gym_{name}_seconds_sum"] += seconds  # type: ignore[assignment]
            self._sums[f"debug_gym_{name}_seconds_count"] += 1

    @property
    def mean_seconds(self) -> float:
        """Of a request; 1 before the first."""
        count = self._sums["debug_gym_request_seconds_count"]
        return self._sums["debug_gym_request_seconds_sum"] / count if count else 1.0

    def page(self) -> str:
        """All figures."""
        totals = self._engine.totals
        values: dict[str, float] = {f"debug_gym_{name}": value for name, value in self._engine.load.items()}
        for name in ("prompt_tokens", "cached_tokens", "tokens", "steps"):
            values[f"debug_gym_{name}_total"] = totals[name]
        with self._lock:
            values |= self._sums
            for status, count in sorted(self._statuses.items()):
                values[f'debug_gym_requests_total{{status="{status}"}}'] = count
        lines = []
        for name, (kind, text) in HELP.items():
            rows = [
                row
                for row in values
                if row.partition("{")[0].removesuffix("_sum").removesuffix("_count") == name
            ]
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            lines += [f"{row} {values[row]:g}" for row in rows]
        return "\n".join(lines) + "\n"
