"""Attacks on scoring, as agents write them: what ``debug-gym audit`` tries on a benchmark.

Each is a function from what an agent sees of a task to changed files. They run only in sandboxes.
"""

from debug_gym.judge.attacks import adaptive, answering, colluding, ending, patching, planted, searching
from debug_gym.judge.attacks.base import Attack, Target

ATTACKS: tuple[Attack, ...] = (
    *planted.ATTACKS,
    *ending.ATTACKS,
    *patching.ATTACKS,
    *answering.ATTACKS,
    *adaptive.ATTACKS,
    *colluding.ATTACKS,
    *searching.ATTACKS,
)
"""All attacks, the plain ones first."""

__all__ = ["ATTACKS", "Attack", "Target"]
