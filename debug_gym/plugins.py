"""Names to classes: built-in tools, agents, models, benchmarks and sandboxes, and those of other packages.

Another package adds its own by an entry point, with no change here::

    [project.entry-points."debug_gym.tools"]
    coverage = "my_package.coverage:CoverageTool"

The groups are ``debug_gym.tools``, ``.agents``, ``.models``, ``.benchmarks``, ``.runners``, ``.sandboxes``.
A name that ends in ``-N`` stands for a family: what is registered as ``debug-after-N`` gets the number of
``debug-after-5`` as its option ``n``. After one that ends in ``:COMMAND``, what follows the colon is its
option ``command``. Nothing is imported before it is asked for.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Literal, overload

from debug_gym.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from debug_gym.agents.base import Agent
    from debug_gym.agents.models import Model
    from debug_gym.agents.models.base import ModelFactory
    from debug_gym.benchmarks.base import Benchmark
    from debug_gym.runners import Runner
    from debug_gym.sandbox import Backend
    from debug_gym.tools.base import Tool

KINDS = {
    "benchmarks": "benchmark",
    "agents": "agent",
    "models": "model",
    "tools": "tool",
    "runners": "runner",
    "sandboxes": "sandbox",
}
"""The groups, and what one member of each is called, in the order in which they are shown."""

BUILTIN: dict[str, dict[str, str]] = {
    "tools": {
        "view": "debug_gym.tools.view:View",
        "rewrite": "debug_gym.tools.rewrite:Rewrite",
        "replace": "debug_gym.tools.replace:Replace",
        "eval": "debug_gym.tools.eval:Eval",
        "pdb": "debug_gym.tools.pdb:Pdb",
        "trace": "debug_gym.tools.trace:Trace",
        "listdir": "debug_gym.tools.listdir:ListDir",
        "grep": "debug_gym.tools.grep:Grep",
        "bash": "debug_gym.tools.bash:Bash",
        "submit": "debug_gym.tools.submit:Submit",
    },
    "agents": {
        "oracle": "debug_gym.agents.oracle:OracleAgent",
        "random": "debug_gym.agents.random:RandomAgent",
        "repair": "debug_gym.agents.repair:RepairAgent",
        "llm": "debug_gym.agents.llm:LLMAgent",
        "rewrite": "debug_gym.agents.llm.presets:rewrite",
        "debug": "debug_gym.agents.llm.presets:debug",
        "cli:COMMAND": "debug_gym.agents.cli:CliAgent",
        "debug-after-N": "debug_gym.agents.llm.presets:debug_after",
    },
    "models": {
        "local": "debug_gym.agents.models.local:LocalModel",
        "openai": "debug_gym.agents.models.openai:OpenAIModel",
        "replay": "debug_gym.agents.models.replay:ReplayModel",
    },
    "benchmarks": {
        "aider": "debug_gym.benchmarks.aider:Aider",
        "bugsinpy": "debug_gym.benchmarks.bugsinpy:BugsInPy",
        "harbor": "debug_gym.benchmarks.harbor:Harbor",
        "mini-nightmare": "debug_gym.benchmarks.mini_nightmare:MiniNightmare",
        "nightmares": "debug_gym.benchmarks.nightmares:Nightmares",
        "pypi": "debug_gym.benchmarks.pypi:Pypi",
        "quixbugs": "debug_gym.benchmarks.quixbugs:QuixBugs",
        "repo": "debug_gym.benchmarks.repo:Repo",
        "sprouts": "debug_gym.benchmarks.sprouts:Sprouts",
        "r2e-gym": "debug_gym.benchmarks.swe.r2e:R2EGym",
        "r2e-gym-lite": "debug_gym.benchmarks.swe.r2e:R2EGymLite",
        "swe-bench": "debug_gym.benchmarks.swe.swebench:SweBench",
        "swe-bench-debug": "debug_gym.benchmarks.swe.swebench:SweBenchDebug",
        "swe-bench-live": "debug_gym.benchmarks.swe.live:SweBenchLive",
        "swe-bench-lite": "debug_gym.benchmarks.swe.swebench:SweBenchLite",
        "swe-bench-multilingual": "debug_gym.benchmarks.swe.swebench:SweBenchMultilingual",
        "swe-bench-verified": "debug_gym.benchmarks.swe.swebench:SweBenchVerified",
        "swe-gym": "debug_gym.benchmarks.swe.gym:SweGym",
        "swe-gym-lite": "debug_gym.benchmarks.swe.gym:SweGymLite",
        "swe-qa": "debug_gym.benchmarks.swe_qa:SweQa",
        "swe-rebench": "debug_gym.benchmarks.swe.rebench:SweRebench",
        "swe-rebench-v2": "debug_gym.benchmarks.swe.rebench:SweRebenchV2",
        "swe-smith": "debug_gym.benchmarks.swe.smith:SweSmith",
    },
    "runners": {
        "pytest": "debug_gym.runners.pytest:PytestRunner",
        "unittest": "debug_gym.runners.unittest:UnittestRunner",
        "django": "debug_gym.runners.unittest:DjangoRunner",
        "sympy": "debug_gym.runners.sympy:SympyRunner",
        "command": "debug_gym.runners.command:CommandRunner",
    },
    "sandboxes": {
        "namespace": "debug_gym.sandbox.namespace:NamespaceBackend",
        "namespace-cgroup": "debug_gym.sandbox.namespace:CgroupBackend",
        "docker": "debug_gym.sandbox.docker:DockerBackend",
        "kubernetes": "debug_gym.sandbox.kubernetes:KubernetesBackend",
        "process": "debug_gym.sandbox.process:ProcessBackend",
    },
}


NUMBERED = re.compile(r"(.+-)(\d+)")
"""A member of a family: the family's name without its ``N``, and the number."""


@cache
def _targets(group: str) -> dict[str, str]:
    found = dict(BUILTIN[group])
    for point in entry_points(group=f"debug_gym.{group}"):
        found.setdefault(point.name, point.value)
    return found


def names(group: str) -> list[str]:
    """The names known in a group (one of ``KINDS``)."""
    return sorted(_targets(group))


@overload
def load(group: Literal["tools"], name: str) -> "type[Tool]": ...
@overload
def load(group: Literal["agents"], name: str) -> "Callable[..., Agent]": ...
@overload
def load(group: Literal["models"], name: str) -> "ModelFactory": ...
@overload
def load(group: Literal["benchmarks"], name: str) -> "Callable[..., Benchmark]": ...
@overload
def load(group: Literal["runners"], name: str) -> "type[Runner]": ...
@overload
def load(group: Literal["sandboxes"], name: str) -> "Callable[[], Backend]": ...
@overload
def load(group: str, name: str) -> Any: ...
def load(group: str, name: str) -> Any:
    """Import and return the object behind a name.

    Raises:
        UnknownNameError: nobody registered the name; the message names the nearest known one.
        ConfigError: the module or attribute that was registered does not exist.
    """
    targets = _targets(group)
    kind = KINDS[group]
    family, colon, command = name.partition(":")
    if colon and command != "COMMAND" and f"{family}:COMMAND" in targets:
        return partial(load(group, f"{family}:COMMAND"), command=command)
    if name not in targets and (match := NUMBERED.fullmatch(name)) and f"{match[1]}N" in targets:
        return partial(load(group, f"{match[1]}N"), n=int(match[2]))
    if name not in targets:
        raise UnknownNameError(kind, name, targets)
    module, _, attribute = targets[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(f"the {kind} {name!r} is registered as {targets[name]}, but: {error}") from error


@overload
def make(group: Literal["tools"], name: str, options: Mapping[str, Any]) -> "Tool": ...
@overload
def make(group: Literal["agents"], name: str, options: Mapping[str, Any]) -> "Agent": ...
@overload
def make(group: Literal["runners"], name: str, options: Mapping[str, Any]) -> "Runner": ...
@overload
def make(group: Literal["models"], name: str, options: Mapping[str, Any]) -> "Model": ...
@overload
def make(group: Literal["benchmarks"], name: str, options: Mapping[str, Any]) -> "Benchmark": ...
@overload
def make(group: Literal["sandboxes"], name: str, options: Mapping[str, Any]) -> "Backend": ...
def make(group: str, name: str, options: Mapping[str, Any]) -> Any:
    """Call the class behind a name with options.

    Raises:
        UnknownNameError: nobody registered the name.
        ConfigError: it does not take one of the options, or needs one that is missing.
    """
    made_by, kind = load(group, name), KINDS[group]
    parameters = inspect.signature(made_by).parameters.values()
    known = [item.name for item in parameters if item.kind in {item.KEYWORD_ONLY, item.POSITIONAL_OR_KEYWORD}]
    if not any(item.kind is item.VAR_KEYWORD for item in parameters):
        for option in options:
            if option not in known:
                raise ConfigError(str(UnknownNameError(f"option of the {kind} {name!r}", option, known)))
    for item in parameters:
        if item.name in known and item.default is item.empty and item.name not in options:
            raise ConfigError(f"the {kind} {name!r} needs the option {item.name!r}")
    return made_by(**options)
