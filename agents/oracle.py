"""A reference: the agent that applies the task's own fix. Whatever it does not solve is broken."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.diff import edits
from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import ConfigError, TaskError


class OracleAgent(Agent):
    """Applies the gold patch, then calls ``eval`` and ``submit`` where they are offered.

    Args:
        by: ``patch``: by one call of ``bash``. ``edits``: as an agent would, for others to learn from:
            it looks at each file that it changes, makes the calls that the task brings along to show what is
            wrong (``demonstration`` in its metadata), and then calls ``rewrite`` for each changed place.

    Raises:
        ConfigError: ``by`` is something else.
    """

    name = "oracle"
    sees_gold = True

    def __init__(self, by: Literal["patch", "edits"] = "patch") -> None:
        if by not in {"patch", "edits"}:
            raise ConfigError(f"the oracle fixes by 'patch' or by 'edits', not by {by!r}")
        self._by = by

    def start(self, briefing: Briefing) -> None:
        """Plan the episode.

        Raises:
            TaskError: the task has no gold patch.
            ConfigError: the environment lacks a tool that it needs.
        """
        self._task = briefing.task
        patch, script = briefing.task.gold_patch, briefing.task.gold_script
        if not patch and not script:
            raise TaskError(f"{briefing.task.id} has no gold patch: the oracle has nothing to apply")
        offered = [tool["function"]["name"] for tool in briefing.tools]
        needed = "bash" if self._by == "patch" else "rewrite"
        if needed not in offered:
            raise ConfigError(
                f"the oracle needs {needed} to apply the gold patch: add it to the environment's tools"
            )
        if not patch and self._by == "edits":
            raise TaskError(f"{briefing.task.id} has a gold script and no patch: the oracle can only run it")
        self._plan = deque(self._calls(patch, offered) if patch else [_run(script)])
        self._plan.extend(ToolCall(name=name) for name in ("eval", "submit") if name in offered)
        self._applying = False

    def _calls(self, patch: str, offered: Sequence[str]) -> Iterator[ToolCall]:
        """What applies the patch."""
        if self._by == "patch":
            yield ToolCall(name="bash", arguments={"command": apply_command(patch)})
            return
        changes = edits(patch)
        shown = [
            ToolCall(name="view", arguments={"path": path}) for path in dict.fromkeys(e.path for e in changes)
        ]
        shown += [ToolCall.parse(call) for call in self._task.metadata.get("demonstration", ())]
        yield from (call for call in shown if call.name in offered)
        for edit in changes:
            lines = {"start": edit.start, "end": edit.end} if edit.end >= edit.start else {}
            if edit.start == edit.end:
                del lines["end"]  # it is the start by default
            yield ToolCall(name="rewrite", arguments={"path": edit.path, "content": edit.content, **lines})

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
        self._applying = call.name in {"bash", "rewrite"}
        return Decision(call)


def _run(script: str | None) -> ToolCall:
    """The call that runs a gold script, in a shell of its own."""
    return ToolCall(name="bash", arguments={"command": f"( {script}\n)"})


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
