"""The judge: a changed workspace in, a verdict out. It never runs in the agent's sandbox."""

from debug_gym.judge.decide import judge
from debug_gym.judge.sorting import sort_changes

__all__ = ["judge", "sort_changes"]
