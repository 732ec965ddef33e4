"""One expert for each task, or for each group of tasks."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from torch import nn

from debug_gym.errors import LibraryError
from debug_gym.lora.adapter import Pairs
from debug_gym.lora.expert import Expert
from debug_gym.lora.library import ExpertLibrary, check_name
from debug_gym.lora.train.data import IGNORED, Encoded, Example, Rows, collate, encode, pack
from debug_gym.lora.train.fit import Loss, Progress, TrainingSettings, adapted, fit


def build_experts(
    library: ExpertLibrary,
    model: nn.Module,
    tokenizer: Any,
    tasks: Mapping[str, Sequence[Example]],
    settings: TrainingSettings,
    work: Path,
    *,
    on_progress: Progress | None = None,
) -> list[Expert]:
    """Train one expert for each task that the library does not have yet, so that it can be called again.

    Args:
        library: gets the experts, named like the tasks.
        model: the base, which is as it was afterwards.
        tokenizer: with the base's chat template.
        tasks: name -> examples; merge those of a cluster under one name to train one expert for all of them.
        settings: of each training.
        work: a folder for checkpoints and loss curves, one folder for each task.
        on_progress: told of each measured loss.
    """
    made = []
    for name, examples in tasks.items():
        if name not in library:
            expert = train_expert(
                library, name, model, tokenizer, examples, settings, work / name, on_progress=on_progress
            )
            made.append(expert)
    return made


def train_expert(
    library: ExpertLibrary,
    name: str,
    model: nn.Module,
    tokenizer: Any,
    examples: Sequence[Example],
    settings: TrainingSettings,
    work: Path,
    *,
    held_out: Sequence[Example] = (),
    start: Pairs | None = None,
    on_progress: Progress | None = None,
    **card: Any,
) -> Expert:
    """Train one expert and add it to the library.

    Args:
        library: gets the expert.
        name: its name there.
        model: the base, which is as it was afterwards.
        tokenizer: with the base's chat template.
        examples: what it learns.
        settings: how.
        work: its folder for checkpoints and ``curve.json``; an interrupted training goes on from there.
        held_out: examples to measure the loss on after each epoch.
        start: A and B (of scale 1) to start from instead of nothing, such as a static router's; their rank is
            that of the settings. Fine-tuning the mean of a library's skills is MHR-mu (Caccia et al. 2022).
        on_progress: told of each measured loss.
        card: fields of :class:`~debug_gym.lora.expert.ExpertCard`.
    """
    return train_on(
        library,
        name,
        model,
        rows_of(examples, tokenizer, settings.max_length),
        settings,
        work,
        evaluation=rows_of(held_out, tokenizer, settings.max_length) or None,
        start=start,
        on_progress=on_progress,
        **{"trained_on": f"{len(examples)} examples of {examples[0].task}", **card},
    )


def train_on(
    library: ExpertLibrary,
    name: str,
    model: nn.Module,
    rows: Rows,
    settings: TrainingSettings,
    work: Path,
    *,
    evaluation: Rows | None = None,
    start: Pairs | None = None,
    loss: Loss | None = None,
    batched: Callable[[Rows], dict[str, Any]] = collate,
    on_progress: Progress | None = None,
    replace: bool = False,
    **card: Any,
) -> Expert:
    """The same on rows that are ready, by a loss of one's own if need be (see ``fit``)."""
    check_name(name)
    work.mkdir(parents=True, exist_ok=True)
    with adapted(model, _lora(settings), settings.seed) as peft:
        if start is not None:
            _load(peft, start, settings)
        curve = fit(
            peft,
            rows,
            settings,
            work,
            evaluation=evaluation,
            on_progress=on_progress,
            loss=loss,
            batched=batched,
        )
        losses = [entry["loss"] for entry in curve if "loss" in entry]
        held = [entry["eval_loss"] for entry in curve if "eval_loss" in entry]
        metrics = {"loss": losses[-1]} | ({"held_out_loss": held[-1]} if held else {})
        made_by = {"training": settings.model_dump(mode="json")}
        with tempfile.TemporaryDirectory(dir=work) as scratch:
            peft.save_pretrained(scratch)
            said = {"metrics": metrics, "made_by": made_by, **card}
            return library.add(scratch, name, base=library.base, replace=replace, **said)


def rows_of(examples: Sequence[Example], tokenizer: Any, max_length: int) -> Rows:
    """Examples, encoded and packed."""
    return pack((one for example in examples for one in encode(example, tokenizer, max_length)), max_length)


def text_rows(texts: Iterable[str], tokenizer: Any, max_length: int) -> Rows:
    """Plain texts, each in rows of its own, of which every token is learned: next-token training."""
    rows: Rows = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        for part in (ids[at : at + max_length] for at in range(0, len(ids), max_length)):
            if len(part) > 1:
                rows += pack([Encoded(part, [IGNORED, *part[1:]])], max_length)
    return rows


def _lora(settings: TrainingSettings) -> LoraConfig:
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # PEFT divides it
        lora_dropout=settings.dropout,
        target_modules=targets,
    )


def _load(peft: Any, start: Pairs, settings: TrainingSettings) -> None:
    """Set the adapter so that it computes ``start`` before the first step."""
    scale = settings.alpha / settings.rank
    for module, (a, b) in start.items():
        layer = peft.get_submodule(f"base_model.model.{module}")
        inside, outside = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        if a.shape != inside.shape or b.shape != outside.shape:
            raise LibraryError(
                f"the start has rank {len(a)} on {module}, but the settings say {settings.rank}"
            )
        with torch.no_grad():
            inside.copy_(a)
            outside.copy_(b / scale)
