"""Names to classes: built-in tools, agents, models, benchmarks and sandboxes, and those of other packages.

Another package adds its own by an entry point, with no change here::

    [project.entry-points."debug_gym.tools"]
    coverage = "my_package.coverage:CoverageTool"

The five groups are ``debug_gym.tools``, ``.agents``, ``.models``, ``.benchmarks`` and ``.sandboxes``.
Nothing is imported before it is asked for.
"""

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from debug_gym.errors import ConfigError, UnknownNameError

BUILTIN: dict[str, dict[str, str]] = {
    "tools": {
        "view": "debug_gym.tools.view:View",
        "rewrite": "debug_gym.tools.rewrite:Rewrite",
        "replace": "debug_gym.tools.replace:Replace",
        "eval": "debug_gym.tools.eval:Eval",
        "pdb": "debug_gym.tools.pdb:Pdb",
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
    },
    "models": {
        "openai": "debug_gym.agents.models.openai:OpenAIModel",
    },
    "benchmarks": {
        "nightmares": "debug_gym.benchmarks.nightmares:Nightmares",
        "repo": "debug_gym.benchmarks.repo:Repo",
    },
    "sandboxes": {
        "namespace": "debug_gym.sandbox.namespace:NamespaceBackend",
        "process": "debug_gym.sandbox.process:ProcessBackend",
    },
}


@cache
def _targets(group: str) -> dict[str, str]:
    found = dict(BUILTIN[group])
    for point in entry_points(group=f"debug_gym.{group}"):
        found.setdefault(point.name, point.value)
    return found


def names(group: str) -> list[str]:
    """The names known in a group (``tools``, ``agents``, ``models``, ``benchmarks``, ``sandboxes``)."""
    return sorted(_targets(group))


def load(group: str, name: str) -> Any:
    """Import and return the object behind a name.

    Raises:
        UnknownNameError: nobody registered the name; the message names the nearest known one.
        ConfigError: the module or attribute that was registered does not exist.
    """
    targets = _targets(group)
    if name not in targets:
        raise UnknownNameError(
            group.removesuffix("es") if group == "sandboxes" else group[:-1], name, targets
        )
    module, _, attribute = targets[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigError(
            f"the {group[:-1]} {name!r} is registered as {targets[name]}, but: {error}"
        ) from error
