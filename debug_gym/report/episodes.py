"""Episodes as the trajectory viewer reads them, and the facts about them that the figures count."""

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from debug_gym.episode import ModelReply, Step, ToolKind
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.report.kinds import kind_of
from debug_gym.report.load import Entry, StoredAttempt
from debug_gym.sandbox.server.debug.commands import BY_WORD
from debug_gym.store.records import Result

SHOWN: dict[str, type] = {"path": str, "diff": str, "outcomes": dict}
"""Parts of an observation's data that the viewer draws, if they are of this kind; the rest is in its text."""
OTHER = "other"
"""What the figures do not tell apart: rare commands of the debugger, and Python statements."""

_COUNTED_AS = {"tbreak": "b", "pp": "p", "ll": "l"}
"""Commands that the figures count as another one, which does nearly the same."""


@dataclass(frozen=True)
class Facts:
    """What the figures count of one judged episode."""

    task: str
    resolved: bool
    steps: int
    rewrites: int
    output_tokens: float
    tools: Counter[str]
    pdb: Counter[str]
    """Commands of the debugger, by their short names."""
    kinds: Mapping[str, ToolKind] = field(default_factory=dict)
    """Of the tools; those that are missing are other ones."""


@dataclass(frozen=True)
class Episode:
    """An attempt that was begun."""

    packed: str
    """What the viewer shows: JSON, compressed by gzip, in base64."""
    facts: Facts | None
    """None unless it was judged."""


def read(entry: Entry, attempt: StoredAttempt) -> Episode | None:
    """Read an attempt's trajectory; None if it was not begun. A damaged one is an episode that says so."""
    result = attempt.result
    record: dict[str, Any] = {
        "task": attempt.task,
        "attempt": attempt.number,
        "state": attempt.state,
        "result": result.model_dump() if result is not None else None,
        "problem": "",
        "steps": [],
        "replies": [],
        "end": None,
        "damage": "",
    }
    steps: tuple[Step, ...] = ()
    try:
        trajectory = entry.run.trajectory(attempt.task, attempt.number)
        end = entry.run.end(attempt.task, attempt.number)
    except UnknownNameError:
        if result is None:
            return None
        record["damage"] = "the trajectory's file is missing"
    except DebugGymError as error:
        record["damage"] = str(error)
    else:
        steps = trajectory.steps
        record["problem"] = trajectory.first_observation
        record["steps"] = [_step(step) for step in steps]
        record["replies"] = [_reply(reply) for reply in trajectory.replies]
        record["end"] = end.model_dump(exclude={"kind", "replies"}) if end is not None else None
    facts = None
    if result is not None and result.status != "error" and not record["damage"]:
        facts = _facts(result, steps)
    return Episode(_pack(record), facts)


def _pack(record: dict[str, Any]) -> str:
    """Compress for the page; equal records give equal texts."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=6, mtime=0)).decode()


def _step(step: Step) -> dict[str, Any]:
    data = step.observation.data
    return {
        "tool": step.call.name,
        "arguments": step.call.arguments,
        "text": step.observation.text,
        "data": {key: data[key] for key, kind in SHOWN.items() if isinstance(data.get(key), kind)},
        "error": step.observation.error,
        "seconds": step.seconds,
        "thought": step.thought,
        "usage": step.usage,
        "kind": kind_of(step),
        "replies": [_reply(reply) for reply in step.unplayed],
    }


def _reply(reply: ModelReply) -> dict[str, Any]:
    """A reply that led to no step."""
    return reply.model_dump(mode="json", exclude={"tokens", "usage"})


def is_rewrite(step: Step) -> bool:
    """Whether the paper counts it as a rewrite: a file was changed by a tool that does that."""
    return kind_of(step) == "edit" and not step.observation.error


def _facts(result: Result, steps: tuple[Step, ...]) -> Facts:
    return Facts(
        task=result.task,
        resolved=result.status == "resolved",
        steps=len(steps),
        rewrites=sum(map(is_rewrite, steps)),
        output_tokens=result.usage.get("output_tokens", 0.0),
        tools=Counter(step.call.name for step in steps),
        kinds={step.call.name: kind_of(step) for step in steps},
        pdb=Counter(
            word
            for step in steps
            if step.call.name == "pdb"
            for word in commands(str(step.call.arguments.get("command", "")))
        ),
    )


def commands(text: str) -> list[str]:
    """The short names of the debugger commands in a call; Python statements are other."""
    words = []
    for line in re.split(r"\n|;;", text):
        found = re.match(r"\s*([a-z]+)(?![\w.(\[]|\s*[-+*/]?=(?!=))", line)
        command = BY_WORD.get(found[1]) if found else None
        if line.strip():
            words.append(_COUNTED_AS.get(command.name, command.name) if command else OTHER)
    return words
