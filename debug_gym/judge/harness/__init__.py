"""The verdict of the harness that a benchmark comes with, beside the judge's own."""

from debug_gym.judge.harness.run import harness_verdict

__all__ = ["harness_verdict"]
