"""How a repository's tests run: from its test command to outcomes per test, and into the debugger.

A runner knows one way to test; ``runner_of`` finds the one of a task. ``debug_gym.sandbox`` does what it
says.
"""

from debug_gym.runners.base import Program, PytestSession, Runner
from debug_gym.runners.choose import runner_of

__all__ = ["Program", "PytestSession", "Runner", "runner_of"]
