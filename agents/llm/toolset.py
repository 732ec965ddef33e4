"""Which tools the model is offered, and when."""

from collections.abc import Sequence

from debug_gym.agents.llm.limits import EpisodeLimits
from debug_gym.agents.models import Schema
from debug_gym.errors import ConfigError

DEBUGGER = "pdb"


class Toolset:
    """The environment's tools, as far as the agent uses them."""

    def __init__(
        self,
        schemas: Sequence[Schema],
        wanted: Sequence[str] | None,
        debugger_after: int,
        limits: EpisodeLimits,
    ) -> None:
        """Choose the wanted ones; None: all.

        Raises:
            ConfigError: the environment lacks one of them.
        """
        offered = {_name(schema): schema for schema in schemas}
        wanted = list(offered) if wanted is None else wanted
        if missing := [name for name in wanted if name not in offered]:
            raise ConfigError(
                f"the agent uses {', '.join(missing)}, which the environment does not have: add it "
                f"to the environment's tools, or choose the agent's tools out of {', '.join(offered)}"
            )
        self._schemas = [schema for name, schema in offered.items() if name in wanted]
        self._debugger_after, self._limits = debugger_after, limits
        self._announced = self.names()

    def offered(self) -> list[Schema]:
        """The tools that there are now."""
        locked = self._limits.edits < self._debugger_after
        return [schema for schema in self._schemas if not (locked and _name(schema) == DEBUGGER)]

    def names(self) -> list[str]:
        """Their names."""
        return [_name(schema) for schema in self.offered()]

    def news(self) -> str:
        """A sentence for the model when a tool has come since the last time, else nothing."""
        before, self._announced = self._announced, self.names()
        new = [name for name in self._announced if name not in before]
        return f"From now on you also have the tool {', '.join(new)}." if new else ""


def _name(schema: Schema) -> str:
    name: str = schema["function"]["name"]
    return name
