"""The dense reward: how much closer each full run of the visible tests shows the repository to be."""

from debug_gym.sandbox import TestRun


class Progress:
    """A potential, and its changes: the share of the tests at reset that pass in the last full run.

    Rewards that are differences of a potential telescope: over an episode they sum up to the last share less
    the first, whatever happened in between (Ng, Harada and Russell, "Policy invariance under reward
    transformations", ICML 1999, with a discount of 1). Tests that an agent adds do not count.

    Args:
        first: the run of all visible tests on the untouched repository.
    """

    def __init__(self, first: TestRun) -> None:
        self._tests = tuple(first.outcomes)
        self._share = self.share(first)

    def gain(self, run: TestRun) -> float:
        """The change of the share, between -1 and 1, by another full run."""
        before, self._share = self._share, self.share(run)
        return self._share - before

    def share(self, run: TestRun) -> float:
        """How many of the tests at reset pass, 0 to 1; 0 if there are none."""
        passed = frozenset(run.passed)
        good = sum(test in passed or _all_pass(test, run) for test in self._tests)
        return good / len(self._tests) if self._tests else 0.0


def _all_pass(path: str, run: TestRun) -> bool:
    """Whether a file that could not be collected at reset now has tests, and all of them pass."""
    inside = [outcome for test, outcome in run.outcomes.items() if test.startswith(f"{path}::")]
    return bool(inside) and set(inside) == {"passed"}
