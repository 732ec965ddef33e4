"""What a tool is, and what the tools of one episode share."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from debug_gym import plugins
from debug_gym.episode import MAX_ARGUMENTS, Observation, ToolCall, ToolKind
from debug_gym.errors import ConfigError, SandboxError
from debug_gym.runners.base import COMMAND
from debug_gym.runners.pytest import test_files
from debug_gym.sandbox import Sandbox, TestRun
from debug_gym.task import Task
from debug_gym.tools.printable import printable


@dataclass
class Session:
    """What the tools of one episode work on and share."""

    sandbox: Sandbox
    task: Task
    tests: TestRun | None = None
    """The last run of the whole visible test suite."""
    last_run: TestRun | None = None
    """The last run of tests, of all or of some."""
    submitted: bool = False
    state: dict[str, Any] = field(default_factory=dict)
    """A tool's own memory of the episode, by the tool's name. Forks copy it, so it must be deep-copyable."""

    @property
    def first_failed(self) -> str | None:
        """The first test that failed when it was last run; None: none did, or none can be named."""
        runs = [run for run in (self.last_run, self.tests) if run is not None]
        passed = {test for run in runs for test in run.passed}
        failed = (test for run in runs for test in run.failed if test not in passed)
        return next((test for test in failed if test != COMMAND), None)

    @property
    def test_files(self) -> set[str]:
        """Paths that are known to hold tests which decide: changes to them do not count."""
        run = self.tests or self.last_run
        collected = run.collected if run is not None else ()
        return {*self.task.tests.visible, *self.task.tests.command, *test_files(collected)}


class ToolError(Exception):
    """A tool call cannot be done; the text tells the agent why and what to do instead."""


class Arguments(BaseModel):
    """Base of every tool's arguments: unknown names are refused, texts are what the agent's model reads."""

    model_config = ConfigDict(extra="forbid")


class Tool(ABC):
    """One thing that an agent can do.

    A subclass sets ``name``, ``description`` and ``Args``, and implements ``run``; its ``kind`` says what it
    does, for limits, figures and colours::

        class Count(Tool):
            name, kind = "count", "look"
            description = "Count the lines of a file."

            class Args(Arguments):
                path: str = Field(description="the file, relative to the workspace")

            def run(self, session: Session, args: Args) -> Observation:
                data = session.sandbox.read(args.path)
                return Observation(text=f"{data.count(10)} lines", data={"lines": data.count(10)})

    Tools hold no state: what must last goes into ``session.state``.
    """

    name: str
    kind: ToolKind = "other"
    """What calls of it do to the workspace: those of the kind ``edit`` count as rewrites."""
    description: str
    Args: ClassVar[type[BaseModel]]

    @abstractmethod
    def run(self, session: Session, args: Any) -> Observation:
        """Do it. Raise ``ToolError`` (or let an ``OSError`` about a path pass) when it cannot be done."""

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Arguments that are sure to be valid now; ``action_space.sample()`` draws from them."""
        return [{}]

    def prepare(self, session: Session) -> None:  # noqa: B027 - most tools have nothing to start
        """An episode begins: start what takes a while and does not depend on the arguments."""

    def schema(self) -> dict[str, Any]:
        """The tool in the form of OpenAI's function calling."""
        parameters = json.loads(_parameters(self.Args))
        function = {"name": self.name, "description": self.description, "parameters": parameters}
        return {"type": "function", "function": function}


@cache
def _parameters(arguments: type[BaseModel]) -> str:
    """The schema of a tool's arguments as JSON: whoever gets it may change their copy."""
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    schema.pop("description", None)
    for entry in schema.get("properties", {}).values():
        entry.pop("title", None)
    return json.dumps(schema)


class Toolbox:
    """The tools of an environment, by name."""

    def __init__(self, tools: Sequence[str | Tool]) -> None:
        """Take tools, or names of registered ones.

        Raises:
            UnknownNameError: no tool has that name.
            ConfigError: two different tools have the same name.
        """
        self.tools: dict[str, Tool] = {}
        for item in dict.fromkeys(tools):
            tool = plugins.load("tools", item)() if isinstance(item, str) else item
            if tool.name in self.tools:
                raise ConfigError(f"two tools are named {tool.name!r}: leave one of them out")
            self.tools[tool.name] = tool

    def schemas(self) -> list[dict[str, Any]]:
        """All tools for a model's function calling."""
        return [tool.schema() for tool in self.tools.values()]

    def accepts(self, call: ToolCall) -> bool:
        """Whether the arguments are of the right kind for the tool."""
        try:
            self.tools[call.name].Args.model_validate(call.arguments)
        except (KeyError, ValidationError):
            return False
        return True

    def call(self, session: Session, call: ToolCall) -> Observation:
        """Do a tool call. What is wrong with the call becomes an observation, never an exception.

        Whatever tool it was, nothing in the text can take over a terminal or hide (see ``printable``).
        """
        observation = self._call(session, call)
        tool = self.tools.get(call.name)
        kind = tool.kind if tool is not None else None
        return observation.model_copy(update={"text": printable(observation.text), "kind": kind})

    def _call(self, session: Session, call: ToolCall) -> Observation:
        tool = self.tools.get(call.name)
        if tool is None:
            known = ", ".join(self.tools)
            return Observation(
                text=f"there is no tool named {call.name!r}; the tools are: {known}", error=True
            )
        if size := call.too_long:
            text = (
                f"{call.name}: the arguments have {size:,} characters, and {MAX_ARGUMENTS:,} are the most: "
                "write a large file in parts, or have a program write it"
            )
            return Observation(text=text, error=True)
        try:
            args = tool.Args.model_validate(call.arguments)
        except ValidationError as error:
            return Observation(text=_explain(tool, error), error=True)
        try:
            return tool.run(session, args)
        except ToolError as error:
            return Observation(text=str(error), error=True)
        except SandboxError:
            raise  # not the agent's doing; the environment knows what to do
        except (OSError, ValueError) as error:
            return Observation(text=_sentence(error), error=True)


def _explain(tool: Tool, error: ValidationError) -> str:
    """One line per wrong argument, then the arguments that the tool takes."""
    lines = [f"{tool.name}: wrong arguments"]
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"]) or "arguments"
        lines.append(f"  {where}: {item['msg'].removeprefix('Value error, ')}")
    required = [name for name, entry in tool.Args.model_fields.items() if entry.is_required()]
    defaults = {
        name: entry.get_default(call_default_factory=True) for name, entry in tool.Args.model_fields.items()
    }
    optional = [f"{name}={default!r}" for name, default in defaults.items() if name not in required]
    lines.append(f"usage: {tool.name}({', '.join(required + optional)})")
    return "\n".join(lines)


def _sentence(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
