"""The environment: one task in one sandbox with a set of tools, as a ``gymnasium.Env``."""

import copy
import html
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol, Self, TypeVar, cast, runtime_checkable

import gymnasium

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.select import named
from debug_gym.episode import InvalidToolCallError, Observation, ToolCall, Verdict
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.judge import judge
from debug_gym.opening import opening
from debug_gym.reward import Progress
from debug_gym.sandbox import Backend, Snapshot, TestRun
from debug_gym.sandbox.pinning import pinned
from debug_gym.sandbox.registry import shared_backend
from debug_gym.spaces import ToolCalls, Unicode
from debug_gym.task import Task
from debug_gym.tools.base import Session, Tool, Toolbox
from debug_gym.tools.branch import Branch

DEFAULT_TOOLS = ("view", "rewrite", "replace", "eval", "pdb", "trace", "listdir", "grep", "bash", "submit")
Action = ToolCall | dict[str, Any] | str
Env = TypeVar("Env", bound=gymnasium.Env[str, Any])


class DebugGymEnv(gymnasium.Env[str, Any]):
    """Debug a broken repository by tool calls.

    An action is a ``ToolCall``, its dict or its JSON. The observation is text. What is wrong with an action
    is said in the observation; it costs a step and raises nothing. ``info`` holds:

    - ``task``: the task's id
    - ``step``: how many actions were taken
    - ``data``: the tool's structured result
    - ``error``: the call was wrong
    - ``tools``: on reset, the tools in the form of OpenAI's function calling
    - ``resolved``, ``verdict``: at the end of the episode, what the judge says (without times)

    The episode terminates when the agent submits, or when a run of all visible tests passes after a change
    (``stop_when_passing``); it is truncated after ``max_steps``. Either way the judge decides in sandboxes of
    its own, and the reward of the last step is 1.0 if the fix is real.

    Args:
        benchmark: a benchmark or its name; ``benchmark_options`` go to its constructor.
        task: one task in place of a benchmark, or the id of the only task of the benchmark to play.
        tasks: ids or globs such as ``meter*`` of those to draw from; empty: all tasks of the benchmark.
        tools: tools, or names of registered ones.
        sandbox: a backend, or the name of one.
        reward: ``sparse``: the verdict, at the end. ``dense``: also, at each run of all visible tests, the
            change in the share of them that pass, measured from that at reset (see ``Progress``).
        max_steps: the episode is truncated after so many actions; None: never.
        stop_when_passing: end the episode when all visible tests pass, as if the agent had submitted; where
            they pass before the fix as well (``Tests.visible_decide``), only if there is no tool to submit.
        render_mode: ``ansi`` (``render`` returns the last exchange as text), ``human`` (it is printed), None.

    Raises:
        ConfigError: options that do not fit together.
        UnknownNameError: no benchmark, task, tool or sandbox of that name.
        SandboxUnavailableError: on ``reset``, when the backend does not work on this machine.
    """

    metadata = {"render_modes": ["ansi", "human"], "render_fps": 1}  # noqa: RUF012 - gymnasium's own shape

    def __init__(
        self,
        benchmark: str | Benchmark | None = None,
        *,
        task: Task | str | None = None,
        tasks: str | Sequence[str] = (),
        tools: Sequence[str | Tool] = DEFAULT_TOOLS,
        sandbox: str | Backend = "namespace",
        reward: Literal["sparse", "dense"] = "sparse",
        max_steps: int | None = 50,
        stop_when_passing: bool = True,
        render_mode: str | None = None,
        **benchmark_options: Any,
    ) -> None:
        if reward not in {"sparse", "dense"}:
            raise ConfigError(f"reward is 'sparse' or 'dense', not {reward!r}")
        if max_steps is not None and max_steps < 1:
            raise ConfigError(f"max_steps is at least 1, not {max_steps}")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(
                f"render_mode is one of {self.metadata['render_modes']} or None, not {render_mode!r}"
            )
        self.tasks = named(benchmark, task, [tasks] if isinstance(tasks, str) else tasks, benchmark_options)
        self.toolbox = Toolbox(tools)
        self.backend: Backend = shared_backend(sandbox) if isinstance(sandbox, str) else sandbox
        self.reward, self.max_steps, self.stop_when_passing = reward, max_steps, stop_when_passing
        self.render_mode = render_mode
        self.observation_space = Unicode()
        self.action_space = self._calls()
        self.branch: Branch | None = None
        """The episode's sandbox and its tools; they know the task only as an agent may see it."""
        self.verdict: Verdict | None = None
        """The judge's verdict; None while the episode goes on."""
        self.steps = 0
        self._task: Task | None = None
        self._first_runs: dict[str, TestRun] = {}
        """Of the tasks that were played for dense rewards: all visible tests on the untouched repository."""
        self._progress: Progress | None = None
        self._last = ""

    # -- gymnasium ---------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode in a fresh sandbox.

        Args:
            seed: decides which task is drawn, if there are several.
            options: ``{"task": id}`` names it.

        Raises:
            ConfigError: there is another option.
            UnknownNameError: there is no such task.
            SandboxUnavailableError: the backend does not work on this machine.
            TaskError: the task's repository or interpreter cannot be had.
        """
        super().reset(seed=seed)
        for name in options or {}:
            if name != "task":
                raise ConfigError(f"there is no option {name!r} of reset: it takes 'task'")
        task = pinned(self._draw((options or {}).get("task")))
        self._end()
        self.branch, self._task = Branch.start(task, self.toolbox, self.backend), task
        self.verdict, self.steps = None, 0
        self._progress = Progress(self._first_run(task)) if self.reward == "dense" else None
        text = opening(task)
        self._last = text
        self._show()
        return text, {**self._info(Observation(text=text)), "tools": self.toolbox.schemas()}

    def step(self, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one tool call."""
        branch = self._live()
        if self.verdict is not None:
            raise gymnasium.error.ResetNeeded("the episode is over: call reset()")
        self.steps += 1
        session, tests = branch.session, branch.session.tests
        try:
            call = ToolCall.parse(action)
        except InvalidToolCallError as error:
            shown, observation = "invalid call", Observation(text=str(error), error=True)
        else:
            shown, observation = f"{call.name} {call.arguments}", branch.call(call)
        seen = session.tests if session.tests is not tests else None
        reward = self._progress.gain(seen) if self._progress is not None and seen is not None else 0.0
        passing = seen is not None and self._all_pass()
        terminated = session.submitted or passing
        truncated = not terminated and self.max_steps is not None and self.steps >= self.max_steps
        if terminated or truncated:
            reward += float(self.judge().resolved)
        self._last = f"{shown}\n{observation.text}"
        self._show()
        return observation.text, reward, terminated, truncated, self._info(observation)

    def render(self) -> Any:
        """The last exchange: as text (``ansi``), or nothing (``human`` printed it when it happened)."""
        return self._last if self.render_mode == "ansi" else None

    def _repr_html_(self) -> str:
        """What a notebook shows: the task, how the episode stands, and the last exchange."""
        if self._task is None:
            return f"<p>{html.escape(repr(self))}: no episode yet</p>"
        end = "goes on" if self.verdict is None else "resolved" if self.verdict.resolved else "not resolved"
        shown = f"<p><b>{html.escape(self._task.id)}</b>, step {self.steps}, {end}</p>"
        return f"{shown}<pre>{html.escape(self._last)}</pre>"

    def close(self) -> None:
        """Close the sandbox. Closing twice is fine."""
        self._end()

    # -- beyond gymnasium -----------------------------------------------------------------

    @property
    def task(self) -> Task:
        """The task of this episode, gold patch and all: not for agents."""
        if self._task is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        return self._task

    @property
    def session(self) -> Session | None:
        """What the tools of this episode share; None before the first one and after ``close``."""
        return self.branch.session if self.branch is not None else None

    def judge(self) -> Verdict:
        """Judge the workspace as it is now, in sandboxes the agent never touched. Ends the episode."""
        if self.verdict is None:
            changes = self._live().session.sandbox.changes()
            unsafe = not self.backend.guarantees.isolated  # then somebody named it on purpose
            self.verdict = judge(self.task, changes, self.backend, allow_unsafe=unsafe)
        return self.verdict

    def snapshot(self) -> Snapshot:
        """The files of the episode's sandbox and the state of its shell, at this moment."""
        return self._live().session.sandbox.snapshot()

    def fork(self) -> Self:
        """An independent copy of this episode in a sandbox of its own: files, shell, breakpoints, counts.

        Processes that run (a debugged program, jobs of the shell) are not copied. Close it after use. It is
        judged like any other episode, so it is not for agents: they get a fork of ``branch``.
        """
        branch = self._live().fork()
        forked = self._copied()
        forked.branch = branch
        forked._np_random = copy.deepcopy(self._np_random)
        forked._progress = copy.copy(self._progress)
        forked.action_space = forked._calls()
        return forked

    def __getstate__(self) -> dict[str, Any]:
        """An environment without a live episode can be pickled, if its sandbox is a registered one.

        Raises:
            ConfigError: it cannot be.
        """
        if self.branch is not None:
            raise ConfigError("a live episode cannot be pickled: fork() copies it, close() ends it")
        name = self.backend.name
        if shared_backend(name) is not self.backend:
            raise ConfigError("only an environment whose sandbox was given by name can be pickled")
        return {**self.__dict__, "backend": name, "action_space": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, backend=shared_backend(state["backend"]))
        self.action_space = self._calls()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A copy without an episode. Backend, tools and tasks are shared.

        Raises:
            ConfigError: there is a live episode.
        """
        if self.branch is not None:
            raise ConfigError("a live episode cannot be copied like that: fork() copies it")
        copied = self._copied()
        copied._np_random = copy.deepcopy(self._np_random, memo)
        copied.action_space = copied._calls()
        return copied

    # -- inside -------------------------------------------------------------------------------

    def _live(self) -> Branch:
        if self.branch is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        return self.branch

    def _end(self) -> None:
        if self.branch is not None:
            self.branch.close()
            self.branch = None

    def _draw(self, name: str | None) -> Task:
        if name is not None:
            if name not in self.tasks:
                raise UnknownNameError("task", name, self.tasks)
            return self.tasks[name]
        names = list(self.tasks)
        return self.tasks[names[int(self.np_random.integers(len(names)))]]

    def _all_pass(self) -> bool:
        if self.task.question is not None:
            return False
        session = self._live().session
        decides = self.task.tests.visible_decide or "submit" not in self.toolbox.tools
        done = self.stop_when_passing and decides and session.tests is not None and session.tests.success
        return done and bool(session.sandbox.changes().paths)

    def _first_run(self, task: Task) -> TestRun:
        """All visible tests on the untouched repository, in a sandbox of their own; once for each task and
        state of its folder."""
        key = task.model_dump_json(include={"id", "source"})
        if key not in self._first_runs:
            with self.backend.start(task.for_agent()) as sandbox:
                self._first_runs[key] = sandbox.run_tests(last=True)
        return self._first_runs[key]

    def _copied(self) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def _calls(self) -> ToolCalls:
        return ToolCalls(self.toolbox.schemas(), self.toolbox.accepts, self._examples)

    def _info(self, observation: Observation) -> dict[str, Any]:
        info: dict[str, Any] = {
            "task": self.task.id,
            "step": self.steps,
            "data": observation.data,
            "error": observation.error,
            "kind": observation.kind,
        }
        if self.verdict is not None:
            info["resolved"] = self.verdict.resolved
            info["verdict"] = self.verdict.model_dump(exclude={"seconds", "output"})
        return info

    def _examples(self, tool: str) -> Iterable[dict[str, Any]]:
        return self.toolbox.tools[tool].examples(self.session) if self.session is not None else ()

    def _show(self) -> None:
        if self.render_mode == "human":
            print(self._last)  # noqa: T201 - what this mode is for


@runtime_checkable
class Forkable(Protocol):
    """An environment whose live episode can be copied."""

    def fork(self) -> gymnasium.Env[str, Any]:
        """The copy."""


def fork(env: Env) -> Env:
    """A copy of a live episode with all that gymnasium has wrapped around it (see ``DebugGymEnv.fork``).

    The wrappers' own state is copied as well. Close it after use.

    Raises:
        ConfigError: the environment in the wrappers is none of debug-gym.
    """
    if isinstance(env, Forkable):
        return cast(Env, env.fork())
    if not isinstance(env, gymnasium.Wrapper):
        raise ConfigError(f"only environments of debug-gym can be forked, not {env!r}")
    inner = fork(env.env)
    memo = {id(env.env): inner, id(env.unwrapped): inner.unwrapped}
    forked = cast(Env, copy.copy(env))
    try:
        forked.__dict__.update({name: copy.deepcopy(value, memo) for name, value in vars(env).items()})
    except BaseException:
        inner.close()
        raise
    return forked
