"""How a benchmark's own harness scores a task: told beside the judge's verdict, never in its place."""

from typing import Literal

from pydantic import Field

from debug_gym.task.frozen import Frozen

START, END = ">>>>> Start Test Output", ">>>>> End Test Output"
"""Between these swebench looks for results in a log."""
Rule = Literal["swe-bench", "swe-bench-4", "swe-bench-live", "swe-smith", "swe-rebench-v2", "r2e-gym"]
"""Names of the rules by which statuses of tests become a score: ``debug_gym.judge.harness.rules``."""


class Harness(Frozen):
    """What the harness runs, how it reads the output, and what it demands."""

    name: str
    """Of the harness, with its version where that matters."""
    script: str
    """Bash, run in the workspace with all changes of the agent and the hidden tests in place."""
    parser: str
    """Which log parser reads the output: one of ``debug_gym.runners.harness_logs.PARSERS``."""
    rule: Rule
    fail_to_pass: tuple[str, ...] = ()
    """Names of tests as the log parser gives them, which are not always ids that could be run."""
    pass_to_pass: tuple[str, ...] = ()
    expected: dict[str, str] = Field(default_factory=dict)
    """For the rule ``r2e-gym``: name of each test to the status that it must have."""
    restored: tuple[str, ...] = ()
    """Files whose changes it takes back before the tests run, as those that the hidden tests change."""
    timeout: float = Field(default=1800.0, gt=0)
    """Seconds for the script."""
