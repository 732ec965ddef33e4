"""A reference: the agent that applies the task's own fix. Whatever it does not solve is broken."""

import itertools
from collections import deque

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import ConfigError, TaskError


class OracleAgent(Agent):
    """Applies the gold patch by one ``bash`` call, then calls ``eval`` and ``submit`` where they are offered.

    It takes no options.
    """

    name = "oracle"
    sees_gold = True

    def start(self, briefing: Briefing) -> None:
        """Plan the episode.

        Raises:
            TaskError: the task has no gold patch.
            ConfigError: the environment has no ``bash`` tool.
        """
        self._task = briefing.task
        patch = briefing.task.gold_patch
        if not patch:
            raise TaskError(f"{briefing.task.id} has no gold patch: the oracle has nothing to apply")
        offered = [tool["function"]["name"] for tool in briefing.tools]
        if "bash" not in offered:
            raise ConfigError(
                "the oracle needs bash to apply the gold patch: add it to the environment's tools"
            )
        self._plan = deque([ToolCall(name="bash", arguments={"command": apply_command(patch)})])
        self._plan.extend(ToolCall(name=name) for name in ("eval", "submit") if name in offered)

        self._applying = False

    def act(self, observation: Observation) -> Decision | None:
        """The next call of the plan.

        Raises:
            TaskError: the gold patch does not apply.
        """
        if self._applying and (observation.error or observation.data.get("exit_code", 0) != 0):
            raise TaskError(f"the gold patch of {self._task.id} does not apply: {observation.text[-500:]}")
        if not self._plan:
            return None
        call = self._plan.popleft()
        self._applying = call.name == "bash"
        return Decision(call)


def apply_command(patch: str) -> str:
    """A shell command that applies a unified diff in the current folder, with git or else with patch."""
    lines = set(patch.splitlines())
    mark = next(mark for n in itertools.count() if (mark := f"END_OF_PATCH_{n}") not in lines)
    body = patch if patch.endswith("\n") else patch + "\n"
    # A workspace may lie inside another git repository, where git apply would skip every file.
    return (
        'if command -v git >/dev/null; then GIT_CEILING_DIRECTORIES="$(dirname "$PWD")" '
        "git apply -p1 --whitespace=nowarn -; else patch -p1 --batch --forward; fi"
        f" <<'{mark}'\n{body}{mark}"
    )
