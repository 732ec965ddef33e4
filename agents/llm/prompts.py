"""What the model reads that is not a tool's answer: Jinja templates, filled."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.models import Message
from debug_gym.errors import ConfigError
from debug_gym.task import Task


def opening(
    settings: LLMSettings, task: Task, observation: str, tools: Sequence[str], max_steps: int | None
) -> list[Message]:
    """The messages that an episode begins with.

    Args:
        settings: whose templates are filled.
        task: as an agent may see it.
        observation: the first one.
        tools: names of those on offer.
        max_steps: the limit of tool calls; None: there is none.

    Raises:
        ConfigError: a template cannot be read or uses what does not exist.
    """
    values = {
        "task": task,
        "tools": tools,
        "observation": observation,
        "max_steps": max_steps,
        "max_rewrites": settings.max_rewrites,
    }
    return [
        {"role": "system", "content": _render(settings.system_template, values)},
        {"role": "user", "content": _render(settings.instance_template, values)},
    ]


def summary_request(settings: LLMSettings, summary: str, turns: Sequence[Message]) -> list[Message]:
    """The conversation that asks for a summary of old turns and of what was summarised before.

    Raises:
        ConfigError: the template cannot be read or uses what does not exist.
    """
    steps = "\n\n".join(_told(message) for message in turns)
    return [
        {"role": "user", "content": _render(settings.summary_template, {"summary": summary, "steps": steps})}
    ]


def _told(message: Message) -> str:
    """A message as text."""
    calls = [call["function"] for call in message.get("tool_calls", ())]
    said = f"{'You' if message['role'] == 'assistant' else 'Answer'}: {message['content'] or ''}"
    return "\n".join([said, *(f"{call['name']} {call['arguments']}" for call in calls)])


def _render(template: Path, values: dict[str, Any]) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        return environment.from_string(template.read_text(encoding="utf-8")).render(values).strip()
    except OSError as error:
        raise ConfigError(f"the prompt template {template} cannot be read: {error.strerror}") from None
    except jinja2.TemplateError as error:
        known = ", ".join(values)
        raise ConfigError(f"the prompt template {template}: {error.message} (it can use: {known})") from None
