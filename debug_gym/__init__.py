"""debug-gym: an interactive debugging gym for agents.

Importing it registers one gymnasium environment per benchmark, such as ``debug_gym/Nightmares-v0``, and
``debug_gym/Repo-v0`` for any folder with a test command, and ``debug_gym/Remote-v0`` for those that another
process serves. The names below are imported when they are used.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

try:
    import gymnasium
except ModuleNotFoundError as error:
    if error.name != "gymnasium":
        raise
    sentence = (
        f"debug-gym is not installed in {sys.executable}: in its folder, `pip install -e .` installs it"
    )
    if sys.argv[:1] == ["-m"]:  # ``python -m debug_gym`` in a checkout: for a person, no traceback
        sys.exit(f"error: {sentence}")
    raise ModuleNotFoundError(sentence, name=error.name) from None

from debug_gym import plugins
from debug_gym.version import VERSION

if TYPE_CHECKING:
    from debug_gym.agents.base import Agent, AgentEnv, Briefing, Decision
    from debug_gym.benchmarks.base import Benchmark
    from debug_gym.env import DebugGymEnv, fork
    from debug_gym.episode import Observation, Step, ToolCall, Trajectory, Verdict
    from debug_gym.errors import DebugGymError
    from debug_gym.session import Attempt, AttemptSession, EpisodeOverError, play
    from debug_gym.task import (
        ArchiveSource,
        DirectorySource,
        Environment,
        FilesSource,
        GitSource,
        ImageSource,
        Limits,
        Task,
        Tests,
    )
    from debug_gym.tools.base import Arguments, Session, Tool, ToolError

__version__ = VERSION

_HOMES = {
    "debug_gym.agents.base": ("Agent", "AgentEnv", "Briefing", "Decision"),
    "debug_gym.benchmarks.base": ("Benchmark",),
    "debug_gym.env": ("DebugGymEnv", "fork"),
    "debug_gym.episode": ("Observation", "Step", "ToolCall", "Trajectory", "Verdict"),
    "debug_gym.errors": ("DebugGymError",),
    "debug_gym.session": ("Attempt", "AttemptSession", "EpisodeOverError", "play"),
    "debug_gym.task": (
        "ArchiveSource",
        "DirectorySource",
        "Environment",
        "FilesSource",
        "GitSource",
        "ImageSource",
        "Limits",
        "Task",
        "Tests",
    ),
    "debug_gym.tools.base": ("Arguments", "Session", "Tool", "ToolError"),
}

__all__ = [
    "Agent",
    "AgentEnv",
    "ArchiveSource",
    "Arguments",
    "Attempt",
    "AttemptSession",
    "Benchmark",
    "Briefing",
    "DebugGymEnv",
    "DebugGymError",
    "Decision",
    "DirectorySource",
    "Environment",
    "EpisodeOverError",
    "FilesSource",
    "GitSource",
    "ImageSource",
    "Limits",
    "Observation",
    "Session",
    "Step",
    "Task",
    "Tests",
    "Tool",
    "ToolCall",
    "ToolError",
    "Trajectory",
    "Verdict",
    "fork",
    "play",
]


def __getattr__(name: str) -> Any:
    for home, exported in _HOMES.items():
        if name in exported:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def _register() -> None:
    for name in plugins.names("benchmarks"):
        camel = "".join(part.capitalize() for part in name.replace("_", "-").split("-"))
        gymnasium.register(
            id=f"debug_gym/{camel}-v0",
            entry_point="debug_gym.env:DebugGymEnv",
            vector_entry_point="debug_gym.vector:ThreadVectorEnv",
            kwargs={"benchmark": name},
        )
    gymnasium.register("debug_gym/Remote-v0", entry_point="debug_gym.integrations.http.client:RemoteEnv")


_register()
