"""Inspect (https://inspect.aisi.org.uk): each benchmark is a task, the judge a scorer, the sandbox a sandbox.

``inspect eval debug_gym/nightmares --model ...`` works where both packages are installed: Inspect finds this
module by an entry point. A sample is one attempt, which its sandbox holds, so that it is judged alike whoever
plays it: ``play``, an agent with ``debugging_tools``, or one with Inspect's own tools.
"""

from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, execute_tools, get_model
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolDef, ToolParams
from inspect_ai.util import SandboxEnvironmentSpec, sandbox

from debug_gym import plugins
from debug_gym.env import DEFAULT_TOOLS
from debug_gym.episode import ToolCall
from debug_gym.errors import DebugGymError
from debug_gym.integrations.inspect_ai.environment import NAME, OVER, DebugGymSandbox
from debug_gym.integrations.world import World
from debug_gym.session import EpisodeOverError
from debug_gym.tools.base import Toolbox

__all__ = ["DebugGymSandbox", "World", "benchmark_task", "debugging_tools", "judge", "play"]

NO_CALL = "That was no tool call. Go on with one; `submit` says that you are done."


def benchmark_task(
    benchmark: str,
    tasks: str | Sequence[str] = (),
    tools: str | Sequence[str] = DEFAULT_TOOLS,
    max_steps: int = 50,
    backend: str = "namespace",
    **options: Any,
) -> Task:
    """A benchmark as a task of Inspect. On its command line ``-T`` gives these arguments.

    Args:
        benchmark: its name.
        tasks: ids or globs of those that are played, with commas between them or as a list; empty: all.
        tools: what ``play`` gives the model, likewise.
        max_steps: calls of these tools in an episode.
        backend: the name of a sandbox.
        options: of the benchmark.

    Raises:
        ConfigError: options that do not fit together; a benchmark of questions, which no judge scores.
        UnknownNameError: no benchmark, task, tool or sandbox of that name.
    """
    world = World(
        benchmark=benchmark,
        options=options,
        tasks=_words(tasks),
        tools=_words(tools),
        max_steps=max_steps,
        backend=backend,
    )
    samples = [Sample(input=text, id=name, metadata={"task": name}) for name, text in world.openings()]
    return Task(
        dataset=MemoryDataset(samples, name=benchmark),
        solver=play(),
        scorer=judge(),
        sandbox=SandboxEnvironmentSpec(NAME, world),
    )


def _words(given: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(filter(None, given.split(","))) if isinstance(given, str) else tuple(given)


def debugging_tools(names: Sequence[str] = DEFAULT_TOOLS) -> list[Tool]:
    """Our tools, for any agent that plays in our sandbox: ``react(tools=debugging_tools())``.

    Raises:
        UnknownNameError: there is no tool of that name.
    """
    return [_tool(schema["function"]) for schema in Toolbox(names).schemas()]


def _tool(function: dict[str, Any]) -> Tool:
    name = function["name"]

    async def execute(**arguments: Any) -> str:
        session = sandbox().as_type(DebugGymSandbox).session
        call = ToolCall(name=name, arguments=arguments)
        try:
            step = await to_thread.run_sync(session.step, call)
        except EpisodeOverError:
            return OVER
        text = step.observation.text
        return text if session.live else f"{text}\n\n{OVER}"

    return ToolDef(
        execute,
        name=name,
        description=function["description"],
        parameters=ToolParams.model_validate(function["parameters"]),
        max_output=0,  # each tool keeps its answers short itself
    ).as_tool()


@solver
def play() -> Solver:
    """The model calls our tools until the episode is over or it has nothing more to call."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        session = sandbox().as_type(DebugGymSandbox).session
        tools = debugging_tools(tuple(session.env.toolbox.tools))
        state.tools = tools
        told = False
        while session.live and not state.completed:
            state.output = await get_model().generate(state.messages, tools)
            state.messages.append(state.output.message)
            if state.output.message.tool_calls:
                told = False
                state.messages.extend((await execute_tools(state.messages, tools)).messages)
            elif told:
                break
            else:
                told = True
                state.messages.append(ChatMessageUser(content=NO_CALL))
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def judge() -> Scorer:
    """Whether the judge accepts what the sandbox holds, whoever played in it."""

    async def score(state: TaskState, target: Target) -> Score:
        session = sandbox().as_type(DebugGymSandbox).session
        result = await to_thread.run_sync(session.finish)
        end = session.end
        return Score(
            value=CORRECT if result.status == "resolved" else INCORRECT,
            answer=end.patch if end is not None else "",
            explanation=result.reason or result.status,
            metadata={"verdict": end.verdict.model_dump(mode="json")} if end is not None else {},
        )

    return score


def _register(benchmark: str) -> None:
    @task(name=benchmark)
    def of_benchmark(
        tasks: str | Sequence[str] = (),
        tools: str | Sequence[str] = DEFAULT_TOOLS,
        max_steps: int = 50,
        backend: str = "namespace",
        **options: Any,
    ) -> Task:
        try:
            return benchmark_task(benchmark, tasks, tools, max_steps, backend, **options)
        except DebugGymError as error:  # what Inspect's command line shows without a traceback
            from inspect_ai._util.error import PrerequisiteError

            raise PrerequisiteError(str(error)) from None


for _name in plugins.names("benchmarks"):
    _register(_name)
