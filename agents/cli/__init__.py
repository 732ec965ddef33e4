"""Agent products with a command line play here: a folder to edit, tools over MCP, a judge at the end.

The program works in a copy of the repository on this machine. Its changes are carried into the sandbox
before each of its calls and at its end, as steps of the episode: the trajectory holds them.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from weakref import finalize

from pydantic import BaseModel, Field

from debug_gym.agents.base import Agent, Briefing, Decision
from debug_gym.agents.cli import gym_tool
from debug_gym.agents.cli.copy import WorkingCopy, begin_repository
from debug_gym.agents.cli.program import Program, demand_hiding
from debug_gym.agents.cli.server import EpisodeServer
from debug_gym.agents.oracle import apply_command
from debug_gym.agents.settings import configure
from debug_gym.cache import cache_folder
from debug_gym.episode import Observation, ToolCall
from debug_gym.errors import ConfigError, DebugGymError
from debug_gym.task import DirectorySource, Task

OVER = "The episode is over: stop here."
PROMPT = """\
{problem}

The repository is your current folder. Find the bug and fix it in the source files; changes to tests do not \
count. Edit the files here.
"""
TOOLS = """\
You have tools that work on your files as they are at each call, in a sandbox where the project can be run: \
{names}. They are offered over the Model Context Protocol (server `debug-gym`), and in a shell as \
`gym-tool NAME 'ARGUMENTS AS JSON'` (`gym-tool --help` describes them). Run the project's code and its tests \
by them only.
"""
_KEPT_BACK = ("bash", "rewrite", "replace", "submit")
"""Tools that the program does not get: it edits its folder, and its end is the episode's."""
NOT_RUN = (126, 127)
"""Exit codes of a shell whose last command could not be run."""
_LOOK = 0.1
"""Seconds after which it is looked at again whether the program still runs."""


class CliSettings(BaseModel):
    """How a program plays."""

    model: str = ""
    """What the run names, for the command to use."""
    base_url: str = ""
    """Likewise."""
    timeout: float = Field(default=1800.0, gt=0, allow_inf_nan=False)
    """Seconds that it may take; what it has changed by then is judged."""
    trusted: bool = False
    """Do not hide the benchmark's answers from it (see ``docs/programs.md``)."""


class CliAgent(Agent):
    """Lets a program play. Variables of its environment tell it what to do: ``PROMPT`` and ``PROMPT_FILE``,
    ``MODEL`` and ``BASE_URL`` (of the run), ``MCP_URL``, ``MCP_CONFIG`` (a file with the server in the form
    that most products read). On its ``PATH`` is ``gym-tool``; its folder is a git repository.

    Args:
        command: a line of bash.
        options: the fields of ``CliSettings``.

    Raises:
        ConfigError: there is no command, or an option is unknown or wrong.
    """

    name = "cli"

    def __init__(self, command: str, **options: Any) -> None:
        if not command.strip():
            raise ConfigError("the agent cli needs a command, such as  --agent cli:'my-agent \"$PROMPT\"'")
        self._command, self._settings = command, configure(CliSettings, options, "the agent cli")
        self._held = ExitStack()
        """What the episode holds: the program, its server, its folder."""
        self._waiting: SimpleQueue[Observation] | None = None
        self._next: tuple[ToolCall, SimpleQueue[Observation]] | None = None
        finalize(self, self._held.close)  # also where a run is broken off

    def start(self, briefing: Briefing) -> None:
        """Lay out the folder and start the program.

        Raises:
            ConfigError: the environment has no ``bash``; git is missing; answers cannot be hidden here.
            DebugGymError: the workspace cannot be copied.
        """
        self.close()
        names = [tool["function"]["name"] for tool in briefing.tools]
        if "bash" not in names:
            raise ConfigError(
                "the agent cli changes files by the tool bash: add it to the environment's tools"
            )
        hidden = [] if self._settings.trusted else _answers(briefing.task)
        if hidden:
            demand_hiding()
        self._calls: SimpleQueue[tuple[ToolCall, SimpleQueue[Observation]]] = SimpleQueue()
        self._over, self._carrying, self._played_any, self.stop_reason = False, False, False, ""
        self._ending: ToolCall | None = ToolCall(name="submit") if "submit" in names else None
        folder = Path(tempfile.mkdtemp(prefix="debug-gym-cli-")).resolve()
        self._held.callback(shutil.rmtree, folder, ignore_errors=True)
        for other in hidden:
            if other in folder.parents:
                raise ConfigError(
                    f"the program's folder would lie in {other}, which is hidden from it: "
                    "set TMPDIR to a folder elsewhere"
                )
        copy = briefing.fork()
        try:
            self._copy = WorkingCopy(folder, copy.pack())
        finally:
            copy.close()
        begin_repository(self._copy.path)
        offered = [tool for tool in briefing.tools if tool["function"]["name"] not in _KEPT_BACK]
        self._offered = [tool["function"]["name"] for tool in offered]
        server = EpisodeServer(offered, self._played)
        self._held.callback(server.close)
        variables = self._tell(briefing.task, folder, server.url)
        self._until = time.monotonic() + self._settings.timeout
        self._program = Program(self._command, self._copy.path, variables, folder / "output.txt", hidden)
        self._held.callback(self._program.end)

    def act(self, observation: Observation) -> Decision | None:
        """What the program calls next; before that, and at its end, what it has changed."""
        if self._carrying and (observation.error or observation.data.get("exit_code") != 0):
            raise DebugGymError(
                f"what the program has changed does not go into the sandbox: {observation.text[-500:]}"
            )
        self._carrying = False
        if self._waiting is not None:
            self._waiting.put(observation)
            self._waiting = None
        if self._next is None:
            self._next = self._awaited()
            self._played_any |= self._next is not None
            if patch := self._copy.take_patch():
                said, self._carrying = self._program.output if self._next is None else "", True
                return Decision(ToolCall(name="bash", arguments={"command": apply_command(patch)}), said)
        if self._next is not None:
            (call, self._waiting), self._next = self._next, None
            return Decision(call)
        if self._ending is None or self.stop_reason:
            return None
        ending, self._ending = self._ending, None
        return Decision(ending, self._program.output)

    def close(self) -> None:
        """End the program and remove its folder."""
        self._over = True
        for waiting in filter(None, (self._waiting, self._next and self._next[1])):
            waiting.put(Observation(text=OVER, error=True))
        self._waiting = self._next = None
        self._held.close()

    # -- the program's side -------------------------------------------------------------------

    def _played(self, name: str, arguments: dict[str, Any]) -> Observation:
        """Its call, in a thread of the server: it waits until the episode has played it."""
        answer: SimpleQueue[Observation] = SimpleQueue()
        if self._over:
            return Observation(text=OVER, error=True)
        if name not in self._offered:
            known = ", ".join(self._offered)
            return Observation(text=f"there is no tool named {name!r}; the tools are: {known}", error=True)
        self._calls.put((ToolCall(name=name, arguments=arguments), answer))
        while True:
            try:
                return answer.get(timeout=1.0)
            except Empty:
                if self._over:
                    return Observation(text=OVER, error=True)

    def _awaited(self) -> tuple[ToolCall, SimpleQueue[Observation]] | None:
        """Its next call; None: it has ended.

        Raises:
            ConfigError: there is no such program.
        """
        while not self._over:
            code = self._program.exit_code
            try:
                return self._calls.get(timeout=_LOOK if code is None else 0.0)
            except Empty:
                late = time.monotonic() > self._until
            if code is None and not late:
                continue
            self._over = True
            if code is None:
                self.stop_reason = f"the program did not end within {self._settings.timeout:g} s"
            elif code:
                last = self._program.output.strip().rpartition("\n")[2][-300:]
                if code in NOT_RUN and not self._played_any:
                    raise ConfigError(f"the command of the agent cli cannot be run: {last}")
                self.stop_reason = f"the program ended with exit code {code}: {last}".rstrip(": ")
            self._program.end()
        return None

    def _tell(self, task: Task, folder: Path, url: str) -> dict[str, str]:
        """The variables of the program, and the files that they name."""
        text = PROMPT.format(problem=task.problem.strip())
        text += f"\n{TOOLS.format(names=', '.join(self._offered))}" if self._offered else ""
        prompt, config = folder / "prompt.md", folder / "mcp.json"
        prompt.write_text(text)
        server: dict[str, Any] = {"type": "http", "url": url}
        config.write_text(json.dumps({"mcpServers": {"debug-gym": server}}, indent=2))
        programs = folder / "bin"
        programs.mkdir()
        tool = programs / "gym-tool"
        tool.write_text(f"#!{sys.executable}\n{Path(gym_tool.__file__).read_text()}")
        tool.chmod(0o755)
        return {
            "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}",
            "PROMPT": text,
            "PROMPT_FILE": str(prompt),
            "MODEL": self._settings.model,
            "BASE_URL": self._settings.base_url,
            "MCP_URL": url,
            "MCP_CONFIG": str(config),
        }


def _answers(task: Task) -> list[Path]:
    """Folders where the fixes of benchmarks lie on this machine."""
    found = find_spec("debug_gym.benchmarks")
    assert found is not None and found.submodule_search_locations
    package = Path(found.submodule_search_locations[0]).resolve()
    folders = {package, package.parent / ".git", cache_folder().resolve(), (Path.cwd() / "runs").resolve()}
    if isinstance(task.source, DirectorySource) and task.benchmark != "repo":
        folders.add(task.source.path.resolve().parent)
    shown = sorted(folder for folder in folders if folder.is_dir())
    return [folder for folder in shown if not any(other in folder.parents for other in shown)]
