"""New prompts from a model that sees the present one and where it failed. Each is asked for once."""

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from debug_gym.agents.llm.prompts import opening
from debug_gym.agents.llm.settings import LLMSettings
from debug_gym.agents.models.base import Model, Request
from debug_gym.errors import ConfigError, ModelError
from debug_gym.store.records import Result, Run
from debug_gym.task import Task

SHOWN = 3
"""Failed episodes that the model sees."""
STEPS, LONGEST = 6, 400
"""Of each of them the last steps, and characters of each text."""
_REQUEST = """An agent repairs programs by calling tools. This is its system prompt, a Jinja template:

<prompt>
{prompt}
</prompt>

With it the agent solved {share:.0%} of its tasks. Some that it did not solve, by their last steps:

{failures}

Think about what in general made it fail, then write a better system prompt for other tasks of this kind. \
Keep the template's variables and conditions. Answer with the whole new template between <prompt> and \
</prompt>."""
_ANSWER = re.compile(r"<prompt>\s*\n?(.*?)</prompt>", re.DOTALL)


class Present(NamedTuple):
    """What is to be improved."""

    prompt: str
    """The template."""
    share: float
    """Of the tasks that are solved with it, 0 to 1."""
    failures: Sequence[str]
    """Of :func:`failed`. Each proposal begins with another one."""


def propose(model: Model, present: Present, names: Sequence[str], file: Path) -> dict[str, str]:
    """Ask a model for new prompts.

    Args:
        model: who proposes.
        present: what it sees.
        names: what the proposals are called.
        file: keeps replies, one a line; what it holds under a name is not asked again.

    Returns:
        Name -> template; replies that hold none are left out.

    Raises:
        ModelError: the model cannot be asked; what it has said is kept.
    """
    known = _read(file)
    waiting = [name for name in names if name not in known]
    replies = model.replies([_request(present, names.index(name)) for name in waiting]) if waiting else []
    with file.open("a", encoding="utf-8") as lines:
        for name, reply in zip(waiting, replies, strict=True):
            if not isinstance(reply, ModelError):
                known[name] = reply.text or ""
                lines.write(json.dumps({"name": name, "reply": known[name]}) + "\n")
    for reply in replies:
        if isinstance(reply, ModelError):
            raise reply
    found = {name: _ANSWER.findall(known[name]) for name in names}
    return {name: texts[-1].strip() + "\n" for name, texts in found.items() if texts}


def _request(present: Present, turn: int) -> Request:
    at = turn % max(1, len(present.failures))
    told = "\n\n".join([*present.failures[at:], *present.failures[:at]][:SHOWN]) or "(none)"
    text = _REQUEST.format(prompt=present.prompt, share=present.share, failures=told)
    return Request([{"role": "user", "content": text}])


def failed(run: Run, results: Iterable[Result]) -> list[str]:
    """What an agent did last in episodes that it did not solve."""
    told = []
    for result in results:
        if result.status == "unresolved":
            episode = run.trajectory(result.task, result.attempt)
            steps = [
                f"Agent: {_cut(step.thought)}\n"
                f"calls {step.call.name} {_cut(json.dumps(step.call.arguments))}\n"
                f"Answer: {_cut(step.observation.text)}"
                for step in episode.steps[-STEPS:]
            ]
            end = f"Not solved after {result.steps} steps: {result.reason or result.stop_reason}"
            told.append("\n".join(["<episode>", _cut(episode.first_observation), *steps, end, "</episode>"]))
    return told


def check(prompt: str, task: Task, tools: Sequence[str]) -> None:
    """See that a template can be filled.

    Raises:
        ConfigError: it cannot.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".j2", encoding="utf-8") as file:
        file.write(prompt)
        file.flush()
        said = opening(LLMSettings(system_template=Path(file.name)), task, "", tools, 1)
    if not said[0]["content"].strip():
        raise ConfigError("the prompt is empty")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def _read(file: Path) -> dict[str, str]:
    """What was said before. A line that a kill has cut short counts as not written, and is taken away."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").split("\n")
    if lines[-1]:
        file.write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
    return {(one := json.loads(line))["name"]: one["reply"] for line in lines[:-1]}
