"""The environment: one task in one sandbox with a set of tools, as a ``gymnasium.Env``."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self

import gymnasium

from debug_gym import plugins
from debug_gym.benchmarks.base import Benchmark
from debug_gym.episode import InvalidToolCallError, Observation, ToolCall, Verdict
from debug_gym.errors import ConfigError, SandboxError, UnknownNameError
from debug_gym.judge import judge
from debug_gym.sandbox import Backend, Snapshot
from debug_gym.spaces import ToolCalls, Unicode
from debug_gym.task import Task
from debug_gym.tools.base import Session, Tool, Toolbox
from debug_gym.tools.printable import printable

DEFAULT_TOOLS = ("view", "rewrite", "replace", "eval", "pdb", "trace", "listdir", "grep", "bash", "submit")
Action = ToolCall | dict[str, Any] | str


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
        tools: tools, or names of registered ones.
        sandbox: a backend, or the name of one.
        reward: ``sparse``: the verdict, at the end. ``dense``: also, at each run of all visible tests, the
            change in the share of them that pass.
        max_steps: the episode is truncated after so many actions; None: never.
        stop_when_passing: end the episode when all visible tests pass, as if the agent had submitted.
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
        self.tasks = _tasks(benchmark, task, benchmark_options)
        self.toolbox = Toolbox(tools)
        self.backend: Backend = shared_backend(sandbox) if isinstance(sandbox, str) else sandbox
        self.reward, self.max_steps, self.stop_when_passing = reward, max_steps, stop_when_passing
        self.render_mode = render_mode
        self.observation_space = Unicode()
        self.action_space = ToolCalls(self.toolbox.schemas(), self.toolbox.accepts, self._examples)
        self.session: Session | None = None
        self.verdict: Verdict | None = None
        """The judge's verdict; None while the episode goes on."""
        self.scratch = False
        """A fork to try things out in: never judged, never truncated."""
        self.steps = 0
        self._share = 0.0
        self._last = ""

    # -- gymnasium ---------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begin an episode in a fresh sandbox.

        Args:
            seed: decides which task is drawn, if there are several.
            options: ``{"task": id}`` names it.
        """
        super().reset(seed=seed)
        task = self._draw((options or {}).get("task"))
        self._end()
        self.session = Session(sandbox=self.backend.start(task), task=task)
        self.verdict, self.steps, self._share = None, 0, 0.0
        text = opening(task)
        self._last = text
        self._show()
        return text, {**self._info(Observation(text=text)), "tools": self.toolbox.schemas()}

    def step(self, action: Action) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Do one tool call."""
        session = self._live()
        if self.verdict is not None:
            raise gymnasium.error.ResetNeeded("the episode is over: call reset()")
        self.steps += 1
        call: ToolCall | None = None
        tests = session.tests
        try:
            call = ToolCall.parse(action)
            observation = self.toolbox.call(session, call)
        except InvalidToolCallError as error:
            observation = Observation(text=str(error), error=True)
        except SandboxError as error:
            observation = self._revive(error)
        reward = self._progress() if session.tests is not tests and self.reward == "dense" else 0.0
        passing = session.tests is not tests and self._all_pass()
        terminated = session.submitted or passing
        truncated = not terminated and self.max_steps is not None and self.steps >= self.max_steps
        if (terminated or truncated) and not self.scratch:
            reward += float(self.judge().resolved)
        self._last = (
            f"{call.name if call else 'invalid call'} {call.arguments if call else ''}\n{observation.text}"
        )
        self._show()
        return observation.text, reward, terminated, truncated, self._info(observation)

    def render(self) -> Any:
        """The last exchange: as text (``ansi``), or nothing (``human`` printed it when it happened)."""
        return self._last if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Close the sandbox. Closing twice is fine."""
        self._end()

    # -- beyond gymnasium -----------------------------------------------------------------

    @property
    def task(self) -> Task:
        """The task of this episode, gold patch and all: not for agents."""
        return self._live().task

    def judge(self) -> Verdict:
        """Judge the workspace as it is now, in sandboxes the agent never touched. Ends the episode.

        Raises:
            ConfigError: this is a scratch copy.
        """
        if self.scratch:
            raise ConfigError("a scratch copy is not judged: play what you found in the episode itself")
        if self.verdict is None:
            session = self._live()
            unsafe = not self.backend.guarantees.isolated  # then somebody named it on purpose
            self.verdict = judge(session.task, session.sandbox.changes(), self.backend, allow_unsafe=unsafe)
        return self.verdict

    def snapshot(self) -> Snapshot:
        """The files of the episode's sandbox and the state of its shell, at this moment."""
        return self._live().sandbox.snapshot()

    def fork(self, *, scratch: bool = False) -> Self:
        """An independent copy of this episode in a sandbox of its own: files, shell, breakpoints, counts.

        Processes that run (a debugged program, jobs of the shell) are not copied. Close it after use.

        Args:
            scratch: a copy to try things out in. It has no step limit, ends only when it is closed, and the
                judge never looks at it: agents get such copies, or they could ask for verdicts.
        """
        session = self._live()
        forked = copy.copy(self)
        forked.session = Session(
            sandbox=session.sandbox.fork(),
            task=session.task,
            tests=session.tests,
            submitted=session.submitted,
            state=copy.deepcopy(session.state),
        )
        forked._np_random = copy.deepcopy(self._np_random)
        if scratch:
            forked.scratch, forked.max_steps, forked.stop_when_passing = True, None, False
        forked.action_space = ToolCalls(self.toolbox.schemas(), forked.toolbox.accepts, forked._examples)
        return forked

    # -- inside -------------------------------------------------------------------------------

    def _live(self) -> Session:
        if self.session is None:
            raise gymnasium.error.ResetNeeded("there is no episode: call reset() first")
        return self.session

    def _end(self) -> None:
        if self.session is not None:
            self.session.sandbox.close()
            self.session = None

    def _draw(self, name: str | None) -> Task:
        if name is not None:
            if name not in self.tasks:
                raise UnknownNameError("task", name, self.tasks)
            return self.tasks[name]
        names = list(self.tasks)
        return self.tasks[names[int(self.np_random.integers(len(names)))]]

    def _revive(self, error: SandboxError) -> Observation:
        """Go on in a new sandbox with the files of the old one, which can be read after its death."""
        session = self._live()
        old = session.sandbox
        files = Snapshot(changes=old.changes())
        session.sandbox = self.backend.start(session.task)
        old.close()
        now = "A new one has taken its place with your files; the shell and the debugger start anew."
        try:
            session.sandbox.restore(files)
        except SandboxError as failed:
            now = f"A new one has taken its place, but your changes are lost: {failed}."
        return Observation(text=f"{error}. {now}", error=True)

    def _all_pass(self) -> bool:
        session = self._live()
        done = self.stop_when_passing and session.tests is not None and session.tests.success
        return done and bool(session.sandbox.changes().paths)

    def _progress(self) -> float:
        """How much the share of passing tests grew since the last full run."""
        tests = self._live().tests
        total = len(tests.outcomes) if tests else 0
        share = len(tests.passed) / total if tests and total else 0.0
        gained = share - self._share
        self._share = share
        return gained

    def _info(self, observation: Observation) -> dict[str, Any]:
        info: dict[str, Any] = {
            "task": self._live().task.id,
            "step": self.steps,
            "data": observation.data,
            "error": observation.error,
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


def opening(task: Task) -> str:
    """What the agent reads first."""
    return (
        f"{printable(task.problem.strip())}\n\n"
        "The repository is the current folder of your sandbox. Find the bug and fix it in the source files; "
        "changes to tests do not count."
    )


_shared: dict[str, Backend] = {}


def shared_backend(name: str) -> Backend:
    """The process-wide backend of a name: environments share its warm interpreters.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name not in _shared:
        _shared[name] = plugins.load("sandboxes", name)()
    return _shared[name]


def _tasks(
    benchmark: str | Benchmark | None, task: Task | str | None, options: dict[str, Any]
) -> dict[str, Task]:
    if isinstance(task, Task):
        if benchmark is not None or options:
            raise ConfigError("give a task or a benchmark, not both")
        return {task.id: task}
    if benchmark is None:
        raise ConfigError("give a benchmark or a task")
    if isinstance(benchmark, str):
        chosen = plugins.make("benchmarks", benchmark, options)
    elif options:
        raise ConfigError(f"unknown options: {', '.join(options)}")
    else:
        chosen = benchmark
    return {task: chosen.task(task)} if task is not None else chosen.tasks
