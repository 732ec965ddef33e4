"""Deep context distillation beside next-token training and SFT: a document that is learned, then asked about.

Each fact is trained on with one way to ask and tested with another. What a module costs is measured by
questions about other documents, which are in context.
"""

from pathlib import Path
from typing import Any

import torch
from lora_papers import world
from lora_papers.base import Size, reading
from lora_papers.families import settings
from torch import Tensor

from debug_gym.lora import ExpertLibrary, attach
from debug_gym.lora.train import TrainingSettings
from debug_gym.lora.train.distill import collate_pairs, distillation_loss
from debug_gym.lora.train.experts import train_on

METHODS = ("next token", "SFT", "DCD")


def knowledge(model: Any, size: Size, seed: int, folder: Path) -> dict[str, float]:
    """Shares of right answers, the mean over documents: closed-book, and about others in context."""
    draw = torch.Generator().manual_seed(seed)
    keys, values = world.documents(size.documents, world.FACTS, draw)
    found: dict[str, list[float]] = {}
    for at in range(size.documents):
        here = keys[at : at + 1], values[at : at + 1]
        document = world.written(*here)
        asked, again = (
            world.questions(keys[at][:, None], values[at][:, None], ask)
            for ask in (world.ASK, world.ASK_AGAIN)
        )
        library = ExpertLibrary.create(folder / f"document-{at}", "base")
        _train(model, library, document, asked, settings(size, seed, rank=8, alpha=16, learning_rate=3e-3))
        routed = attach(model, library)
        for method in ("base", *METHODS):
            routed.use(None if method == "base" else method.replace(" ", "-"))
            found.setdefault(method, []).append(_right(model, again))
            found.setdefault(f"{method}, reading", []).append(reading(model, size.tested, 1000 + seed))
        routed.use(None)
        found.setdefault("base with the document", []).append(_right(model, again, document))
        routed.detach()
    return {what: sum(shares) / len(shares) for what, shares in found.items()}


def _train(
    model: Any, library: ExpertLibrary, document: Tensor, asked: Tensor, given: TrainingSettings
) -> None:
    """A module by each method, at the same rank, rate and number of updates."""
    work = library.folder.with_suffix(".work")
    read = torch.cat([document.expand(len(asked), -1), asked], 1)
    answers, texts = world.rows(asked, 2), world.rows(document)
    pairs = [
        {
            "input_ids": student["input_ids"],
            "labels": student["labels"],
            "teacher_ids": teacher["input_ids"],
            "teacher_labels": teacher["labels"],
        }
        for student, teacher in zip(answers, world.rows(read, read.shape[1] - 1), strict=True)
    ]
    if "next-token" not in library:
        train_on(library, "next-token", model, texts, given, work / "next-token")
    if "SFT" not in library:
        train_on(library, "SFT", model, answers, given, work / "SFT")
    if "DCD" not in library:
        distilled = {"loss": distillation_loss, "batched": collate_pairs}
        train_on(library, "DCD", model, pairs, given, work / "DCD", **distilled)


@torch.no_grad()
def _right(model: Any, asked: Tensor, document: Tensor | None = None) -> float:
    """Share of the questions (n, 3) that are answered rightly, after reading the document if there is one."""
    ids = asked if document is None else torch.cat([document.expand(len(asked), -1), asked], 1)
    logits = model(input_ids=ids[:, :-1].to(model.device)).logits[:, -1]
    return float((logits.argmax(-1).cpu() == ids[:, -1]).float().mean())
