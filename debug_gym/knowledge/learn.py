"""From a repository to a knowledge module in a library. Killed and started again, it goes on where it was."""

import hashlib
import json
import random
from collections.abc import Iterable
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field
from torch import nn

from debug_gym.agents.models.base import Model
from debug_gym.errors import ConfigError, LibraryError
from debug_gym.knowledge.asked import surprise
from debug_gym.knowledge.asking import ask_model
from debug_gym.knowledge.chunks import Chunk, chunks_of
from debug_gym.knowledge.templates import LEARNED, Question, questions_about
from debug_gym.lora.attach import attach
from debug_gym.lora.expert import Expert
from debug_gym.lora.library import ExpertLibrary, check_name
from debug_gym.lora.train.data import Rows, collate
from debug_gym.lora.train.distill import Exercise, collate_pairs, distillation_loss, distillation_rows
from debug_gym.lora.train.experts import rows_of, text_rows, train_on
from debug_gym.lora.train.fit import Progress, TrainingSettings

Objective = Literal["distill", "answers", "text"]
"""``distill``: deep context distillation. ``answers``: the same answers by next-token training (SFT).
``text``: the chunks themselves by next-token training."""
MEASURED = 64
"""Held-out questions that are asked after training."""
_STATE = "learning.json"


class LearningSettings(TrainingSettings):
    """How a repository is learned. Learning rate and rank are those of the paper."""

    objective: Objective = "distill"
    learning_rate: float = Field(default=1e-3, gt=0)
    chunk: int = Field(default=512, ge=32)
    """Tokens of code or documentation that the teacher reads at a time."""
    most_questions: int = Field(default=4000, ge=1)
    """A larger repository is learned by a sample of so many questions, which bounds memory and time."""
    asked: int = Field(default=6, ge=1)
    """Questions about each chunk, where a model asks them."""


class Lesson(NamedTuple):
    """What a repository gives to learn, and to measure with."""

    chunks: list[Chunk]
    train: list[Question]
    held_out: list[Question]


def lesson(
    root: Path,
    tokenizer: Any,
    settings: LearningSettings,
    work: Path,
    *,
    asker: Model | None = None,
    unseen: float = 0.0,
) -> Lesson:
    """Chunks and questions of a repository.

    Args:
        root: its folder.
        tokenizer: counts the chunks' tokens.
        settings: how many, and the seed of what is chosen.
        work: keeps what a model has asked.
        asker: a model that asks and answers in place of the templates.
        unseen: share of the facts that no question of the training is about.

    Raises:
        ConfigError: there is nothing to learn in it.
        ModelError: the model cannot be asked; what it said is kept.
    """
    chunks = list(chunks_of(root, settings.chunk, lambda text: len(tokenizer(text)["input_ids"])))
    if asker is None:
        found: Iterable[Question] = questions_about(chunks, root)
    else:
        work.mkdir(parents=True, exist_ok=True)
        found = ask_model(asker, chunks, settings.asked, work / "questions.jsonl")
    facts = (list(asked) for _, asked in groupby(found, key=lambda one: (one.kind, one.subject)))
    most = settings.most_questions if asker else max(1, settings.most_questions // LEARNED)
    train, held_out = [], []
    for one in chain.from_iterable(_sample(facts, most, settings.seed)):
        hidden = chance(one) < unseen
        if one.held_out or (hidden and asker is not None):
            held_out.append(one)
        elif not hidden:
            train.append(one)
    if not train:
        raise ConfigError(f"{root} holds nothing to learn: no code or documentation with definitions in it")
    return Lesson(chunks, train, held_out)


def learn(
    library: ExpertLibrary,
    name: str,
    model: nn.Module,
    tokenizer: Any,
    taught: Lesson,
    settings: LearningSettings,
    work: Path,
    *,
    replace: bool = False,
    on_progress: Progress | None = None,
    **card: Any,
) -> Expert:
    """Train a knowledge module and add it to the library; then measure it with held-out questions.

    Args:
        library: gets the module.
        name: its name there.
        model: the base, which is as it was afterwards.
        tokenizer: with the base's chat template.
        taught: of :func:`lesson`.
        settings: how.
        work: a folder for checkpoints and ``curve.json``; an interrupted training goes on from there.
        replace: whether a module of that name gives way.
        on_progress: told of each measured loss.
        card: fields of :class:`~debug_gym.lora.expert.ExpertCard`.

    Raises:
        LibraryError: the name is taken, ``work`` belongs to another training, or nothing fits the context.
    """
    check_name(name)
    if name in library and not replace:
        raise LibraryError(f"the library has a module {name!r} already: choose a name, or --replace it")
    if getattr(tokenizer, "chat_template", None) is None:
        raise LibraryError("the base model has no chat template: take one that was made for conversations")
    _claim(work, taught, settings)
    training = TrainingSettings(**settings.model_dump(include=set(TrainingSettings.model_fields)))
    distilled = settings.objective == "distill"
    expert = train_on(
        library,
        name,
        model,
        _rows(taught, tokenizer, settings),
        training,
        work,
        loss=distillation_loss if distilled else None,
        batched=collate_pairs if distilled else collate,
        on_progress=on_progress,
        replace=replace,
        **{"made_by": {"learned": settings.model_dump(mode="json")}, **card},
    )
    asked = random.Random(settings.seed).sample(taught.held_out, min(MEASURED, len(taught.held_out)))
    if not asked:
        return expert
    routed = attach(model, library.stack([name]), name)
    try:
        after = surprise(model, tokenizer, asked)
        with routed.off():
            before = surprise(model, tokenizer, asked)
    finally:
        routed.detach()
    measured = {**expert.card.metrics, "held_out_nats": after, "held_out_nats_base": before}
    return library.amend(name, metrics=measured)


def _rows(taught: Lesson, tokenizer: Any, settings: LearningSettings) -> Rows:
    """One row for each question, or for each chunk: an update sees as many of them whatever is minimised."""
    if settings.objective == "text":
        return text_rows((chunk.shown for chunk in taught.chunks), tokenizer, settings.max_length)
    exercises = [exercise(one) for one in taught.train]
    if settings.objective == "distill":
        return distillation_rows(exercises, tokenizer, settings.max_length)
    return [
        row
        for one in exercises
        for row in rows_of([one.example(reading=False)], tokenizer, settings.max_length)
    ]


def exercise(question: Question) -> Exercise:
    """A question as it is trained on."""
    return Exercise(context=question.chunk.shown, question=question.question, answer=question.answer)


def _claim(work: Path, taught: Lesson, settings: LearningSettings) -> None:
    """A folder of checkpoints belongs to one training: another one must not go on from them."""
    asked = [(one.question, one.answer) for one in taught.train]
    told = [settings.model_dump(mode="json"), [chunk.shown for chunk in taught.chunks], asked]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    state = work / _STATE
    if state.exists():
        if json.loads(state.read_text(encoding="utf-8")).get("digest") != digest:
            raise LibraryError(
                f"{work} holds the checkpoints of another training (the repository or a setting has "
                "changed): delete it, or name another folder with --work"
            )
        return
    work.mkdir(parents=True, exist_ok=True)
    scratch = state.with_suffix(".new")
    scratch.write_text(json.dumps({"digest": digest}) + "\n", encoding="utf-8")
    scratch.replace(state)


def _sample(facts: Iterable[list[Question]], most: int, seed: int) -> list[list[Question]]:
    """At most so many of them, each as likely as any other, in their order (reservoir sampling)."""
    draw = random.Random(seed)
    kept: list[tuple[int, list[Question]]] = []
    for at, one in enumerate(facts):
        if len(kept) < most:
            kept.append((at, one))
        elif (place := draw.randrange(at + 1)) < most:
            kept[place] = (at, one)
    return [one for _, one in sorted(kept, key=lambda pair: pair[0])]


def chance(question: Question) -> float:
    """A number from 0 to 1 that only depends on the fact: below ``unseen``, no training asks about it."""
    digest = hashlib.sha256(f"{question.kind} {question.subject}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
