"""What can be set about the agent that a language model drives, each with its default."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from debug_gym.agents.llm.history import Policy
from debug_gym.task import Frozen

PROMPTS = Path(__file__).parent.parent / "prompts"


def _split_at_commas(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class LLMSettings(Frozen):
    """The options of ``LLMAgent``, apart from those of its model. A limit that is None is none."""

    system_template: Path = PROMPTS / "system.j2"
    """A Jinja file for the system message. Templates see ``task``, ``tools`` (the names on offer),
    ``observation`` (the first one), ``max_steps`` and ``max_rewrites`` (None: no limit)."""
    instance_template: Path = PROMPTS / "instance.j2"
    """A Jinja file for the first user message; it sees the same."""
    summary_template: Path = PROMPTS / "summary.j2"
    """A Jinja file for the request of a summary; it sees ``steps`` (the old turns as text) and ``summary``
    (the last one, or an empty text)."""

    tools: Annotated[tuple[str, ...] | None, BeforeValidator(_split_at_commas)] = None
    """Which of the environment's tools the model is offered, as a list or joined by commas. None: all."""
    debugger_after: int = Field(default=0, ge=0)
    """Offer ``pdb`` only after this many successful ``rewrite`` or ``replace`` calls."""
    protocol: Literal["tools", "json", "xml"] = "tools"
    """How the model calls tools: by its server's function calling, or, for models without it, by a block of
    JSON or XML at the end of its text."""
    parallel_calls: bool = True
    """Play all calls of one reply. If not, only the first is played, and the model is told so."""
    keep_reasoning: bool = True
    """Send the model's reasoning back to it with the turns that follow, where its kind of server takes it. It
    is recorded either way."""

    history: Policy = "full"
    """What of the conversation is sent. ``full``: all. ``window``: the opening and the last ``window`` turns.
    ``elide``: older results are cut to their beginning and end. ``summarise``: older turns are replaced by a
    summary that the model writes. Whichever it is, it shrinks when the model's context overflows."""
    window: int = Field(default=20, ge=1)
    """Turns that stay as they are: a turn is one reply of the model with all answers to it."""

    max_steps: int | None = Field(default=None, ge=1)
    """Tool calls in an episode, beside the environment's own limit."""
    max_rewrites: int | None = Field(default=None, ge=1)
    """Successful ``rewrite`` and ``replace`` calls in an episode."""
    max_malformed: int = Field(default=3, ge=1)
    """Replies in a row that hold no tool call that can be played."""
    token_limit: int | None = Field(default=None, gt=0)
    """Tokens in an episode, input and output together."""
    cost_limit: float | None = Field(default=None, gt=0)
    """Dollars in an episode; needs a model whose price is known."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds of wall-clock time in an episode, looked at before each call and each request."""
    countdown: int = Field(default=3, ge=0)
    """Tell the model how many steps or rewrites are left once there are so few. 0: never."""
