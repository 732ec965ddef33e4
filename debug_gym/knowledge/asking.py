"""Questions about chunks from any ``Model``. Each chunk is asked about once, killed or not."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from debug_gym.agents.models.base import Model, Request
from debug_gym.errors import ModelError
from debug_gym.knowledge.chunks import Chunk
from debug_gym.knowledge.templates import Question

AT_ONCE = 8
"""Chunks that a model is asked about in one batch."""
_PROMPT = """{chunk}

Write {count} questions that somebody who works on this repository could ask about the text above, each with \
a short and exact answer that the text gives. A question names the file and must be clear without the text. \
Then write the question "Summarise `{path}`, lines {start} to {end}." with a summary of two sentences as its \
answer. One question a line, each as JSON: {{"question": "...", "answer": "..."}}"""


class _Asked(BaseModel):
    question: str
    answer: str


def ask_model(model: Model, chunks: Sequence[Chunk], count: int, file: Path) -> Iterator[Question]:
    """Questions that a model asks about each chunk, with its answers.

    Args:
        model: who asks; a reply that holds no question leaves its chunk without any.
        chunks: what is asked about.
        count: questions for each chunk, beside a summary.
        file: keeps what was asked, one chunk a line; chunks that it holds are not asked about again.

    Raises:
        ModelError: the model cannot be asked; what it has said is kept.
    """
    known = _read(file)
    waiting = [chunk for chunk in chunks if chunk.shown not in known]
    for start in range(0, len(waiting), AT_ONCE):
        some = waiting[start : start + AT_ONCE]
        replies = model.replies([Request([_prompt(chunk, count)]) for chunk in some])
        with file.open("a", encoding="utf-8") as lines:
            for chunk, reply in zip(some, replies, strict=True):
                if isinstance(reply, ModelError):
                    continue
                known[chunk.shown] = found = _parse(reply.text)
                line = {"chunk": chunk.shown, "questions": [one.model_dump() for one in found]}
                lines.write(json.dumps(line) + "\n")
        errors = [reply for reply in replies if isinstance(reply, ModelError)]
        if errors:
            raise errors[0]
    for chunk in chunks:
        for one in known[chunk.shown]:
            yield Question(
                chunk=chunk,
                kind="model",
                subject=f"{chunk.path}:{one.question}",
                question=one.question if chunk.path in one.question else f"{chunk.path}: {one.question}",
                answer=one.answer,
            )


def _prompt(chunk: Chunk, count: int) -> dict[str, str]:
    text = _PROMPT.format(chunk=chunk.shown, count=count, path=chunk.path, start=chunk.start, end=chunk.end)
    return {"role": "user", "content": text}


def _parse(text: str) -> list[_Asked]:
    """The lines that are questions; models write other lines as well."""
    found = []
    for line in text.splitlines():
        try:
            one = _Asked.model_validate_json(line.strip().rstrip(","))
        except ValidationError:
            continue
        if one.question.strip() and one.answer.strip():
            found.append(one)
    return found


def _read(file: Path) -> dict[str, list[_Asked]]:
    """What was asked before. A line that a kill has cut short counts as not written, and is taken away."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").split("\n")
    if lines[-1]:
        file.write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
    stored = [json.loads(line) for line in lines[:-1]]
    return {one["chunk"]: [_Asked.model_validate(asked) for asked in one["questions"]] for one in stored}
