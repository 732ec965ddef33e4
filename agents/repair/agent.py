"""The repair agent: a classical automated program repair baseline that needs no language model."""

import difflib
import re
import time
from collections import deque
from typing import Any

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.agents.repair.search import Budget, Patch, Report, Search
from debug_gym.agents.settings import configure
from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import ConfigError

NEEDED_TOOLS = ("bash", "eval", "rewrite")


class RepairAgent(Agent):
    """Localise by Ochiai, mutate by templates, validate by the visible tests; then play what was found.

    The search happens on forks of the environment during the first ``act``. The episode itself has only the
    fix, a run of the tests and the submission. Where no candidate passes all visible tests, the best one that
    fixes some and breaks none is played; where there is none either, the agent runs the tests and gives up.
    """

    name = "repair"

    def __init__(self, **options: Any) -> None:
        """Take the fields of ``Budget`` as options.

        Raises:
            ConfigError: an option is unknown or its value does not fit.
        """
        self._budget = configure(Budget, options, "the agent 'repair'")

    def start(self, briefing: Briefing) -> None:
        """Forget the last episode.

        Raises:
            ConfigError: the environment lacks a tool that the search needs.
        """
        self._tools = [tool["function"]["name"] for tool in briefing.tools]
        missing = [name for name in NEEDED_TOOLS if name not in self._tools]
        if missing:
            raise ConfigError(
                f"the agent 'repair' needs {', '.join(missing)}: add it to the environment's tools"
            )
        self._briefing = briefing
        self._plan: deque[Decision] | None = None
        self.stop_reason = ""

    def act(self, observation: Observation) -> Decision | None:
        """Search at the first call; then play the plan that came out of it."""
        if self._plan is None:
            began = time.monotonic()
            search = Search(self._briefing.fork, self._briefing.task, self._budget, self._briefing.seed)
            report = search.run()
            self._plan = deque(self._planned(report, search.originals))
            self._plan[0].thought = summary(report)
            self._plan[0].usage = {"seconds": time.monotonic() - began}
        return self._plan.popleft() if self._plan else None

    def _planned(self, report: Report, originals: dict[str, str]) -> list[Decision]:
        if report.chosen is None:
            self.stop_reason = _why(report)
            return [Decision(ToolCall(name="eval"))]
        calls = [rewrite(path, originals[path], text) for path, text in report.chosen.files.items()]
        calls += [ToolCall(name=name) for name in ("eval", "submit") if name in self._tools]
        return [Decision(call) for call in calls]


def rewrite(path: str, old: str, new: str) -> ToolCall:
    """The call that turns a file's old text into the new one, from the first to the last changed line."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (old, new))
    blocks = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_matching_blocks()
    head = blocks[0].size if blocks[0].a == blocks[0].b == 0 else 0
    last = blocks[-2] if len(blocks) > 1 else blocks[-1]
    reaches_end = last.a + last.size == len(before) and last.b + last.size == len(after)
    tail = min(last.size, len(before) - head, len(after) - head) if reaches_end else 0
    # A pure insertion or deletion takes a neighbour along, so that both sides have at least one line.
    if len(before) - head - tail == 0 or len(after) - head - tail == 0:
        head, tail = (head - 1, tail) if head else (head, tail - 1)
    end = len(before) - tail
    content = "".join(after[head : len(after) - tail])
    arguments = {"path": path, "content": content, "start": head + 1, "end": end}
    return ToolCall(name="rewrite", arguments=arguments)


def summary(report: Report) -> str:
    """What the search did, in a few lines, for the trajectory."""
    lines = [f"{len(report.failing)} visible tests fail, {len(report.passing)} pass."]
    if report.suspicious:
        lines.append("Most suspicious lines (Ochiai):")
        lines += [f"  {path}:{line}  {rate:.2f}" for path, line, rate in report.suspicious]
    whole, part = len(report.plausible), len(report.partial)
    lines.append(
        f"Of {report.tried} candidates, {whole} pass all visible tests, {part} fix some and break none."
    )
    lines += [f"Chosen: {step}" for step in _steps(report.chosen)]
    if report.chosen is None:
        lines.append(f"Giving up: {_why(report)}.")
    return "\n".join(lines)


def _why(report: Report) -> str:
    """Why a search gives up."""
    return report.stopped or "no candidate holds"


def _steps(patch: Patch | None) -> list[str]:
    return [f"{step.template} at {step.path}:{step.line}" for step in patch.steps] if patch else []
