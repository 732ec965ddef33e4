"""The environment in the shape that TRL's ``GRPOTrainer`` takes: a class whose public methods are the tools.

TRL makes one object for each rollout of a batch, resets it with the row of the data set, calls its methods as
the model asks, and in the end wants its reward. The rollouts of a group begin as forks of one reset episode,
and all that were played are judged together, in parallel. Nothing of TRL is imported here.
https://huggingface.co/docs/trl/grpo_trainer#environments
"""

import copy
import inspect
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

from debug_gym.benchmarks.base import Benchmark
from debug_gym.env import DEFAULT_TOOLS, DebugGymEnv
from debug_gym.episode import ToolCall
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.session import Attempt, AttemptSession

OVER = "The episode is over."
"""How the answer to a call ends after which there is nothing more to do."""
ROOTS = 8
"""Reset episodes that are kept to be forked again."""
_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


class Arena:
    """Where the rollouts of one trainer are played.

    Args:
        env: makes the episodes; it ends none of them by itself.
        max_steps: calls in a rollout.
        workers: how many rollouts are judged at a time; None: one a CPU.
    """

    def __init__(self, env: DebugGymEnv, max_steps: int, workers: int | None = None) -> None:
        self.env, self.max_steps = env, max_steps
        self._workers = workers or os.cpu_count() or 1
        self._roots: OrderedDict[str, AttemptSession] = OrderedDict()
        self._open: list[Rollout] = []
        self._lock = threading.Lock()
        self._seconds = 0.0

    def begin(self, task: str) -> "Rollout":
        """A fork of a reset episode of a task.

        Raises:
            UnknownNameError: there is no such task.
            DebugGymError: the episode cannot begin.
        """
        with self._timed():
            if task not in self._roots:
                root = AttemptSession(copy.deepcopy(self.env), Attempt(self.env.tasks[task]))
                root.begin()
                self._roots[task] = root
            self._roots.move_to_end(task)
            rollout = Rollout(self._roots[task].fork(), self)
            while len(self._roots) > ROOTS:
                self._roots.popitem(last=False)[1].abandon()
            self._open.append(rollout)
            return rollout

    def call(self, rollout: "Rollout", name: str, arguments: dict[str, Any]) -> str:
        """Play a call of a rollout. Raises as ``AttemptSession.step`` does."""
        with self._timed():
            return rollout.play(name, arguments)

    def settle(self) -> None:
        """Judge all rollouts that were begun.

        Raises:
            DebugGymError: one of them failed by no fault of the player.
        """
        with self._timed():
            waiting, self._open = self._open, []
            with ThreadPoolExecutor(self._workers) as pool:
                for _ in pool.map(Rollout.judge, waiting):
                    pass

    def take_seconds(self) -> float:
        """How long the gym has worked since this was last asked."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def close(self) -> None:
        """Leave all episodes."""
        for rollout in self._open:
            rollout.session.abandon()
        for root in self._roots.values():
            root.abandon()
        self._open, self._roots = [], OrderedDict()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        with self._lock:  # a trainer may call from threads
            began = time.perf_counter()
            try:
                yield
            finally:
                self._seconds += time.perf_counter() - began


class Rollout:
    """One attempt of a group."""

    def __init__(self, session: AttemptSession, arena: Arena) -> None:
        self.session, self._arena = session, arena
        self.calls = self.wrong = 0
        """How many calls were played, and how many of them were wrong."""
        self.over = False
        self.reward = 0.0
        self._failure: DebugGymError | None = None

    def play(self, name: str, arguments: dict[str, Any]) -> str:
        """The answer to a call."""
        if self.over:
            return OVER
        try:
            text = self._play(ToolCall(name=name, arguments=arguments))
        except DebugGymError as error:  # a trainer takes it for the model's mistake
            self._failure, self.over = error, True
            return OVER
        return f"{text}\n{OVER}" if self.over else text

    def _play(self, call: ToolCall) -> str:
        self.calls += 1
        if call.name == "submit":  # judged with the others
            self.over = True
            return "Handed in."
        step = self.session.step(call)
        self.reward += step.reward
        self.wrong += step.observation.error
        tests = self.session.tests
        passing = tests is not None and tests[0] == tests[1] and self._changed()
        self.over = passing or step.terminated or self.calls >= self._arena.max_steps
        return step.observation.text

    def judge(self) -> None:
        """Add the verdict to the reward, and let go of the sandbox. What nobody changed is still broken."""
        self.over = True
        if self._failure is None:
            try:
                if not self._changed():
                    self.session.abandon()
                elif self.session.live:
                    self.reward += float(self.session.finish().status == "resolved")
                return
            except DebugGymError as error:
                self._failure = error
        self.session.abandon()
        raise self._failure

    def _changed(self) -> bool:
        inner = self.session.env.session
        return inner is not None and bool(inner.sandbox.changes().paths)


class Episode:
    """What TRL calls; ``environment`` makes subclasses with tools."""

    _arena: Arena
    _told: bool

    def __init__(self) -> None:
        self._rollout: Rollout | None = None

    def reset(self, task: str = "", **row: Any) -> str | None:
        """Begin an episode; the other columns of the row are for others."""
        self._rollout = self._arena.begin(task or next(iter(self._arena.env.tasks)))
        return self._rollout.session.trajectory.first_observation if self._told else None

    def get_reward(self) -> float:
        """The judge's verdict, and with dense rewards also the progress."""
        self._arena.settle()
        return self._rollout.reward if self._rollout is not None else 0.0

    def _call(self, name: str, arguments: dict[str, Any]) -> str:
        return self._arena.call(self._rollout, name, arguments) if self._rollout is not None else OVER


def environment(
    benchmark: str | Benchmark,
    *,
    tasks: str | Sequence[str] = (),
    tools: Sequence[str] = DEFAULT_TOOLS,
    reward: Literal["sparse", "dense"] = "sparse",
    max_steps: int = 50,
    sandbox: str = "namespace",
    workers: int | None = None,
    told: bool = True,
    **benchmark_options: Any,
) -> type[Episode]:
    """A class for ``GRPOTrainer(environment_factory=...)``; a column ``task`` of the data names the task.

    Args:
        benchmark: a benchmark or its name; ``benchmark_options`` go to its constructor.
        tasks: ids or globs of those that may be played; empty: all.
        tools: names of registered tools: the methods that the model may call.
        reward: see ``DebugGymEnv``.
        max_steps: calls in a rollout; it also ends when the model submits or all visible tests pass.
        sandbox: the name of a backend.
        workers: how many rollouts are judged at a time; None: one a CPU.
        told: ``reset`` gives the problem, which TRL adds to the prompt. False: the prompt says it already.

    Raises:
        ConfigError: options that do not fit together.
        UnknownNameError: no benchmark, task, tool or sandbox of that name.
    """
    if max_steps < 1:
        raise ConfigError(f"max_steps is at least 1, not {max_steps}")
    env = DebugGymEnv(
        benchmark,
        tasks=tasks,
        tools=tools,
        sandbox=sandbox,
        reward=reward,
        max_steps=None,
        stop_when_passing=False,
        **benchmark_options,
    )
    methods = {schema["function"]["name"]: _method(schema["function"]) for schema in env.toolbox.schemas()}
    for name in methods:
        if name in {"reset", "get_reward"} or name.startswith("_"):
            raise ConfigError(f"TRL cannot call a tool named {name}")
    return type("DebugGym", (Episode,), {**methods, "_arena": Arena(env, max_steps, workers), "_told": told})


def _method(function: Mapping[str, Any]) -> Any:
    """A method that calls a tool, with types and a docstring from its schema, as TRL reads them."""
    name, parameters = function["name"], function["parameters"]
    properties, required = parameters.get("properties", {}), parameters.get("required", ())

    def tool(self: Episode, **arguments: Any) -> str:
        return self._call(name, arguments)

    known = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for key, schema in sorted(properties.items(), key=lambda item: item[0] not in required):
        kind = _type(schema)
        given = {"annotation": kind} if key in required else {"annotation": kind | None, "default": None}
        known.append(inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, **given))
    described = [f"    {key}: {_line(schema.get('description', key))}" for key, schema in properties.items()]
    arguments = ["", "Args:", *described] if described else []
    tool.__doc__ = "\n".join(
        [_line(function["description"]), *arguments, "", "Returns:", "    What happened."]
    )
    tool.__name__ = tool.__qualname__ = name
    tool.__signature__ = inspect.Signature(known, return_annotation=str)  # type: ignore[attr-defined]
    tool.__annotations__ = {one.name: one.annotation for one in known[1:]} | {"return": str}
    return tool


def _type(schema: Mapping[str, Any]) -> Any:
    """The Python type of a JSON schema, as far as signatures tell."""
    kinds = [schema, *schema.get("anyOf", ())]
    return next((_TYPES[kind["type"]] for kind in kinds if kind.get("type") in _TYPES), str)


def _line(text: str) -> str:
    return " ".join(text.split())
