"""The judge: a changed workspace in, a verdict out. It never runs in the agent's sandbox."""

from debug_gym.judge.changes import sort_changes
from debug_gym.judge.verdict import judge

__all__ = ["judge", "sort_changes"]
