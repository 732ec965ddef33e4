"""Which kind of tool a step's call was of: the step says so; of older runs the tool that has its name now."""

from functools import cache

from debug_gym import plugins
from debug_gym.episode import Step, ToolKind
from debug_gym.errors import DebugGymError


def kind_of(step: Step) -> ToolKind:
    """The kind, which gives the colour, and says whether the call counts as a rewrite."""
    return step.observation.kind or _named(step.call.name)


@cache
def _named(name: str) -> ToolKind:
    try:
        return plugins.load("tools", name).kind
    except (DebugGymError, ImportError):
        return "other"
