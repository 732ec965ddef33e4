"""Episodes for programs that call tools from afar: begun, played and ended by name, every answer a text."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from debug_gym.episode import ToolCall
from debug_gym.errors import DebugGymError
from debug_gym.runs.plan import Plan
from debug_gym.session import Attempt, AttemptSession, EpisodeOverError
from debug_gym.store.records import Result
from debug_gym.store.writer import RunWriter

START, FINISH = "start_episode", "finish_episode"


class Answer(NamedTuple):
    """What a caller reads."""

    text: str
    error: bool = False


@dataclass
class _Live:
    session: AttemptSession
    lock: Lock = field(default_factory=Lock)
    """Calls of one episode are played one after the other."""


class Episodes:
    """The tools of a run's environment, and the episodes in which they are called.

    Args:
        plan: the run.
        writer: its folder.
        named: every call must name its episode, as several clients share this object. Otherwise calls without
            a name go to the episode that was begun last.
        idle: seconds without a call after which an episode ends and is judged as it stands.
        limit: how many episodes may be live at the same time.
    """

    def __init__(
        self, plan: Plan, writer: RunWriter, *, named: bool, idle: float = 3600.0, limit: int = 64
    ) -> None:
        self._plan, self._writer, self._named, self._idle, self._limit = plan, writer, named, idle, limit
        self._live: dict[str, _Live] = {}
        """By name; those that have ended go when the next one begins."""
        self._over: dict[str, Result | None] = {}
        """How those went; None: an error broke it off."""
        self._last: str | None = None
        self._begun = {result.key for result in writer.run.results()}
        self._lock = Lock()

    def tools(self) -> list[dict[str, Any]]:
        """All tools in the form of OpenAI's function calling: the environment's, and two for episodes."""
        environment = self._plan.environment(self._plan.tasks.first)
        own = [self._with_episode(schema) for schema in environment.toolbox.schemas()]
        environment.close()
        task = {
            "type": "string",
            "enum": list(self._plan.tasks),
            "description": "which task; the next one that was not played, if it is left out",
        }
        start = _schema(
            START, "Begin to work on a task: gives you the problem and a fresh sandbox.", task=task
        )
        finish = _schema(
            FINISH, "Stop working on the task as it stands: the fix is judged, the sandbox goes away."
        )
        return [start, *own, self._with_episode(finish)]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Do a call; what is wrong with it is said in the answer. Threads may call at the same time."""
        rest = dict(arguments)
        try:
            if name == START:
                return Answer(self._start(rest.get("task")))
            episode = self._name(rest.pop("episode", None))
            live = self._live.get(episode)
            if live is None:
                return self._late(name, self._over[episode])
            with live.lock:
                if name == FINISH:
                    return Answer(self._verdict(live.session.finish()))
                return self._step(live.session, ToolCall(name=name, arguments=rest))
        except DebugGymError as error:
            return Answer(str(error), error=True)

    def close(self) -> None:
        """End all episodes as they stand."""
        for live in list(self._live.values()):
            with live.lock:
                if live.session.live:
                    live.session.finish()

    def _start(self, task: str | None) -> str:
        with self._lock:
            self._clear()
            if len(self._live) >= self._limit:
                raise DebugGymError(f"{self._limit} episodes are live: finish one of them first")
            attempt = self._next(task)
            self._begun.add(attempt.key)
        try:
            session = self._plan.session(attempt, self._writer.episode(*attempt.key), idle=self._idle)
            briefing = session.begin()
        except DebugGymError:
            self._begun.discard(attempt.key)  # as in a run, what the infrastructure failed at is tried anew
            raise
        handle = f"{attempt.task.id}-{secrets.token_hex(8)}"
        self._live[handle] = _Live(session)
        self._last = handle
        note = f"This is the episode {handle}."
        if self._named:
            note += " Name it in the argument `episode` of every call."
        return f"{briefing.observation}\n\n{note}"

    def _clear(self) -> None:
        """Keep no more of the episodes that have ended than how they went."""
        for handle, live in list(self._live.items()):
            if not live.session.live:
                self._over[handle] = live.session.result
                del self._live[handle]

    def _next(self, task: str | None) -> Attempt:
        """The next attempt that was not begun, at this task if one is named."""
        known = list(self._plan.tasks)
        if task is not None and task not in known:
            raise DebugGymError(f"there is no task {task!r}; the tasks are: {', '.join(known)}")
        for item in self._plan.attempts():
            if task in {None, item.task.id} and item.key not in self._begun:
                return item
        what = f"the task {task!r}" if task else "all tasks"
        raise DebugGymError(f"{what} had {self._plan.config.attempts} attempt(s), which is all there are")

    def _name(self, given: object) -> str:
        """The episode that is meant."""
        handle = self._last if given is None and not self._named else given
        if not isinstance(handle, str):
            raise DebugGymError(f"name the episode in the argument `episode`; {START} begins one")
        if handle not in self._live and handle not in self._over:
            raise DebugGymError(f"there is no episode {handle!r}: {START} begins one")
        return handle

    def _step(self, session: AttemptSession, call: ToolCall) -> Answer:
        observation = session.step(call).observation
        if session.result is None:
            return Answer(observation.text, observation.error)
        return Answer(f"{observation.text}\n\n{self._verdict(session.result)}", observation.error)

    def _late(self, name: str, result: Result | None) -> Answer:
        """The answer to a call in an episode that has ended before another began."""
        if result is not None and name == FINISH:
            return Answer(self._verdict(result))
        raise EpisodeOverError((result.reason or result.status) if result else "an error broke it off")

    def _verdict(self, result: Result) -> str:
        end = self._writer.run.end(*result.key)
        text = f"The episode is over ({result.ending}): {result.status}."
        if result.reason:
            text += f" {result.reason}"
        return text + (f"\n\nYour changes:\n\n{end.patch}" if end and end.patch else "")

    def _with_episode(self, schema: dict[str, Any]) -> dict[str, Any]:
        parameters = schema["function"]["parameters"]
        episode = {"type": "string", "description": f"the name that {START} gave"}
        if not self._named:
            episode["description"] += "; if it is left out, the one begun last"
        changed = {**parameters, "properties": {**parameters.get("properties", {}), "episode": episode}}
        if self._named:
            changed["required"] = [*parameters.get("required", []), "episode"]
        return {**schema, "function": {**schema["function"], "parameters": changed}}


def _schema(name: str, description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }
