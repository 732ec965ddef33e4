"""Training data: conversations with tool calls, rendered by the model's chat template, packed into rows."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from debug_gym.errors import LibraryError

IGNORED = -100
"""The label of a token that is read but not learned."""


class Example(BaseModel):
    """One conversation; what its assistant says and calls is learned."""

    model_config = ConfigDict(frozen=True)

    messages: list[dict[str, Any]] = Field(min_length=2)
    """As OpenAI and transformers have them: role, content, tool_calls."""
    tools: list[dict[str, Any]] | None = None
    """JSON schemas of the tools that the assistant may call."""
    task: str = "all"
    """What it belongs to: examples of one task make one expert."""


class Encoded(NamedTuple):
    """Token ids, and of the same length their labels: the id, or :data:`IGNORED`."""

    ids: list[int]
    labels: list[int]


Rows = list[dict[str, Tensor]]
"""What a model is trained on: input_ids, labels and position_ids (tokens,) of each row."""


def read_examples(path: Path) -> list[Example]:
    """Examples from a file with one JSON object a line.

    Raises:
        LibraryError: it cannot be read, or a line is no example.
    """
    found = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    found.append(_example(line, f"{path}, line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from error
    return found


def group(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """Task -> its examples, in the order given."""
    tasks: dict[str, list[Example]] = {}
    for example in examples:
        tasks.setdefault(example.task, []).append(example)
    return tasks


def encode(example: Example, tokenizer: Any, max_length: int) -> list[Encoded]:
    """What the chat template makes of a conversation: only the assistant's turns are learned.

    Usually one sequence. A template that rewrites earlier turns when later ones come (some drop reasoning)
    gives one sequence for each of the assistant's turns, as the model will see them. What is longer than
    ``max_length`` loses its end; what then has nothing to learn is left out.
    """
    turns = [at for at, message in enumerate(example.messages) if message.get("role") == "assistant"]
    if not turns:
        raise LibraryError(f"an example of the task {example.task!r} has no turn of the assistant to learn")
    whole = _render(example, len(example.messages), tokenizer)
    spans = []
    for at in turns:
        before, after = _render(example, at, tokenizer, prompt=True), _render(example, at + 1, tokenizer)
        if not (after.startswith(before) and whole.startswith(after)):
            return [one for turn in turns for one in _last_turn(example, turn, tokenizer, max_length)]
        spans.append((len(before), len(after)))
    return _tokenize(whole, spans, tokenizer, max_length)


def pack(sequences: Iterable[Encoded], max_length: int) -> Rows:
    """Sequences one after the other in rows of at most ``max_length`` tokens, in order.

    Each starts again at position 0, by which transformers' models keep them apart (attention does not cross).
    """
    rows: Rows = []
    waiting: list[Encoded] = []
    for one in sequences:
        if waiting and sum(len(other.ids) for other in waiting) + len(one.ids) > max_length:
            rows.append(_row(waiting))
            waiting = []
        waiting.append(one)
    return [*rows, _row(waiting)] if waiting else rows


def collate(rows: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """A batch: shorter rows are padded by a sequence of their own, of which nothing is learned."""
    longest = max(len(row["input_ids"]) for row in rows)
    batch: dict[str, list[Tensor]] = {key: [] for key in rows[0]}
    for row in rows:
        missing = longest - len(row["input_ids"])
        fill = {"input_ids": torch.zeros(missing), "labels": torch.full((missing,), float(IGNORED))}
        fill["position_ids"] = torch.arange(missing)
        for key, value in row.items():
            batch[key].append(torch.cat([value, fill[key].long()]) if key in fill else value)
    return {key: torch.stack(values) for key, values in batch.items()}


def _example(line: str, place: str) -> Example:
    try:
        return Example.model_validate(json.loads(line))
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(part) for part in wrong["loc"])
        raise LibraryError(f"{place} is no example: {where}: {wrong['msg']}") from error
    except ValueError as error:
        raise LibraryError(f"{place} is no JSON: {error}") from error


def _render(example: Example, count: int, tokenizer: Any, *, prompt: bool = False) -> str:
    text: str = tokenizer.apply_chat_template(
        example.messages[:count], tools=example.tools, tokenize=False, add_generation_prompt=prompt
    )
    return text


def _last_turn(example: Example, turn: int, tokenizer: Any, max_length: int) -> list[Encoded]:
    text = _render(example, turn + 1, tokenizer)
    start = len(_render(example, turn, tokenizer, prompt=True))
    return _tokenize(text, [(start, len(text))], tokenizer, max_length)


def _tokenize(text: str, spans: Sequence[tuple[int, int]], tokenizer: Any, max_length: int) -> list[Encoded]:
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, labels = found["input_ids"][:max_length], []
    for token, (start, end) in zip(ids, found["offset_mapping"], strict=False):
        learned = any(start >= first and end <= last for first, last in spans) and end > start
        labels.append(token if learned else IGNORED)
    if labels:
        labels[0] = IGNORED  # nothing comes before it that could predict it
    return [Encoded(ids, labels)] if any(label != IGNORED for label in labels) else []


def _row(sequences: Sequence[Encoded]) -> dict[str, Tensor]:
    return {
        "input_ids": torch.tensor([token for one in sequences for token in one.ids]),
        "labels": torch.tensor([label for one in sequences for label in one.labels]),
        "position_ids": torch.cat([torch.arange(len(one.ids)) for one in sequences]),
    }
