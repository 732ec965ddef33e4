"""Deep context distillation: an adapter learns to answer as if it had read what only its teacher reads.

Caccia et al. 2025, "Training Plug-and-Play Knowledge Modules with Deep Context Distillation" (arXiv
2503.08727). Teacher and student are one model: the teacher is the base (the adapter is off) and reads the
context, the question and the answer; the student reads the question and the answer.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from debug_gym.errors import LibraryError
from debug_gym.lora.train.data import IGNORED, Encoded, Example, Rows, encode


class Exercise(BaseModel):
    """A question about a text, and its answer."""

    model_config = ConfigDict(frozen=True)

    context: str
    """What the teacher reads first: a chunk of a document."""
    question: str
    answer: str

    def example(self, *, reading: bool, task: str = "knowledge") -> Example:
        """The conversation, with the context (``reading``) or without it."""
        asked = reading_prompt(self.context, self.question) if reading else self.question
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": self.answer}]
        return Example(messages=turns, task=task)


def reading_prompt(context: str, question: str) -> str:
    """How a question is asked of somebody who reads the context."""
    return f"{context}\n\n{question}"


def distillation_rows(exercises: Iterable[Exercise], tokenizer: Any, max_length: int) -> Rows:
    """What :func:`distillation_loss` is computed on: for each exercise what both of them read.

    Rows hold ``input_ids`` and ``labels`` of the student, ``teacher_ids`` and ``teacher_labels``. An exercise
    that does not fit into ``max_length`` tokens with its context is left out.
    """
    rows: Rows = []
    for exercise in exercises:
        sides = [
            encode(exercise.example(reading=reading), tokenizer, max_length) for reading in (False, True)
        ]
        student, teacher = (side[0] if len(side) == 1 else Encoded([], []) for side in sides)
        if _learned(student) and _learned(student) == _learned(teacher):
            rows.append(
                {
                    "input_ids": torch.tensor(student.ids),
                    "labels": torch.tensor(student.labels),
                    "teacher_ids": torch.tensor(teacher.ids),
                    "teacher_labels": torch.tensor(teacher.labels),
                }
            )
    return rows


def collate_pairs(rows: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
    """A batch of :func:`distillation_rows`: what student and teacher read, padded on the left."""
    return {
        "student": pad_left(rows, "input_ids", "labels"),
        "teacher": pad_left(rows, "teacher_ids", "teacher_labels"),
    }


def distillation_loss(model: Any, batch: dict[str, Any]) -> Tensor:
    """KL(teacher, student) of the next tokens, and the L1 distance of the hidden states, layer by layer.

    Both are means over the positions that predict a token of an answer: from the last one of the prompt to
    the last but one of the answer. A layer's distance is divided by the mean size of the teacher's states
    there, so that all layers count alike.

    Args:
        model: a PEFT model; without its adapter it is the teacher.
        batch: of :func:`collate_pairs`.
    """
    with torch.no_grad(), model.disable_adapter():
        teacher_logits, teacher_states = predictions(model, batch["teacher"])
    logits, states = predictions(model, batch["student"])
    return divergence(logits, teacher_logits) + distance(states, teacher_states)


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) of logits (positions, vocabulary), in nats, the mean over positions."""
    return nn.functional.kl_div(
        student.float().log_softmax(-1),
        teacher.float().log_softmax(-1),
        reduction="batchmean",
        log_target=True,
    )


def distance(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Mean over layers of mean |s - t| / mean |t|; each layer's states are (positions, features)."""
    parts = [
        (one.float() - other.float()).abs().mean() / other.float().abs().mean().clamp(min=1e-12)
        for one, other in zip(student, teacher, strict=True)
    ]
    return torch.stack(parts).mean()


def pad_left(
    rows: Sequence[dict[str, Tensor]], ids: str = "input_ids", labels: str = "labels"
) -> dict[str, Tensor]:
    """Rows as one batch that ends with the answers: ids, labels, attention mask and positions."""
    longest = max(len(row[ids]) for row in rows)
    pad = [longest - len(row[ids]) for row in rows]
    mask = torch.stack([torch.arange(longest) >= missing for missing in pad])
    shift = nn.functional.pad
    return {
        "input_ids": torch.stack([shift(row[ids], (n, 0)) for row, n in zip(rows, pad, strict=True)]),
        "labels": torch.stack(
            [shift(row[labels], (n, 0), value=IGNORED) for row, n in zip(rows, pad, strict=True)]
        ),
        "attention_mask": mask.long(),
        "position_ids": (mask.long().cumsum(1) - 1).clamp(min=0),
    }


def predictions(model: Any, side: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Logits, and the hidden states of each layer, at the positions that predict an answer's tokens.

    Only the end of the sequence, where the answers are, gets logits: a vocabulary is wide.
    """
    inputs = {key: value for key, value in side.items() if key != "labels"}
    where = (side["labels"] != IGNORED).roll(-1, 1)
    where[:, -1] = False
    keep = where.shape[1] - int(where.any(0).nonzero()[0])
    found = model(**inputs, output_hidden_states=True, use_cache=False, logits_to_keep=keep)
    if found.logits.shape[1] != keep:
        raise LibraryError(
            f"{type(model).__name__} cannot give the last logits alone: use another base model"
        )
    states = [state[where] for state in found.hidden_states[1:]]  # the first are the embeddings
    return found.logits[where[:, -keep:]], states


def _learned(one: Encoded) -> list[int]:
    return [label for label in one.labels if label != IGNORED]
