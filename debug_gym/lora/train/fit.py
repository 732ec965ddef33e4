"""Training with transformers' ``Trainer``: it goes on where it was killed, and losses are kept as JSON."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, get_peft_model
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from debug_gym.errors import LibraryError
from debug_gym.lora.train.data import Rows, collate

CURVE = "curve.json"
Loss = Callable[[Any, dict[str, Any]], Tensor]
"""The loss of a model on a batch, a mean over what the batch holds."""
Progress = Callable[[int, int, dict[str, float]], None]
"""Called with the step, the last step, and what was measured: ``loss``, ``learning_rate``, ``eval_loss``."""


class TrainingSettings(BaseModel):
    """How an expert is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    targets: str | tuple[str, ...] = "all-linear"
    """``target_modules`` of PEFT."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    epochs: float = Field(default=3, gt=0)
    max_steps: int = -1
    """Stop after as many updates; -1: after ``epochs``."""
    batch: int = Field(default=4, ge=1)
    """Rows in one forward pass."""
    accumulate: int = Field(default=1, ge=1)
    """Forward passes in one update."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens in a row: short examples are packed, longer ones lose their end."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps."""
    schedule: str = "cosine"
    checkpoint_every: int = Field(default=50, ge=1)
    """Updates between two checkpoints: what a crash costs at most."""
    log_every: int = Field(default=10, ge=1)
    recompute_activations: bool = False
    bf16: bool = False
    cpu: bool = False
    """Train on the CPU though there is a GPU."""
    seed: int = 0


@contextmanager
def adapted(model: nn.Module, config: PeftConfig, seed: int) -> Iterator[Any]:
    """The model under a new PEFT adapter whose initial weights follow from ``seed``; afterwards as it was."""
    before, training = {id(p): p.requires_grad for p in model.parameters()}, model.training
    set_seed(seed)
    peft: Any = get_peft_model(model, config)
    try:
        yield peft
    finally:
        peft.unload()
        model.train(training)
        for parameter in model.parameters():
            parameter.requires_grad_(before[id(parameter)])


def fit(
    model: nn.Module,
    rows: Rows,
    settings: TrainingSettings,
    folder: Path,
    *,
    evaluation: Rows | None = None,
    on_progress: Progress | None = None,
    loss: Loss | None = None,
    batched: Callable[[Rows], dict[str, Any]] = collate,
) -> list[dict[str, float]]:
    """Train what requires gradients; returns the loss curve, which is also ``folder/curve.json``.

    Checkpoints are kept in ``folder``: when it is called again after it was killed, it goes on from the last
    one that is whole, and gives what it would have given.

    Args:
        model: usually under an adapter (:func:`adapted`).
        rows: what it is trained on.
        settings: how.
        folder: for checkpoints and the curve.
        evaluation: rows whose loss is measured after each epoch.
        on_progress: told of what is measured.
        loss: what is minimised; None: the model's own, which is that of the next token.
        batched: makes a batch of rows.

    Raises:
        LibraryError: there is nothing to train on.
    """
    if not rows:
        raise LibraryError("there is nothing to train on: no example has a turn of the assistant that fits")
    arguments = TrainingArguments(**_arguments(settings, len(rows), folder, evaluation is not None))
    trainer = _Trainer(
        model,
        arguments,
        data_collator=batched,
        train_dataset=_Rows(rows),
        eval_dataset=_Rows(evaluation) if evaluation else None,
        callbacks=[_Curve(folder / CURVE, on_progress)],
    )
    trainer.own_loss = loss
    trainer.remove_callback(PrinterCallback)  # on_progress is how progress is shown
    resumed = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    curve = [entry for entry in trainer.state.log_history if "loss" in entry or "eval_loss" in entry]
    _write(folder / CURVE, curve)
    return curve


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; halves that a killed run left are deleted."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        try:  # written last
            step = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
            whole.append((int(step), checkpoint))
        except (OSError, ValueError, KeyError):
            shutil.rmtree(checkpoint)
    return max(whole)[1] if whole else None


class _Trainer(Trainer):
    """The ``Trainer``, on a loss of one's own if there is one."""

    own_loss: Loss | None = None

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self.own_loss is None:
            return super().compute_loss(model, inputs, *args, **kwargs)
        return self.own_loss(model, inputs)

    def floating_point_ops(self, inputs: Any) -> int:
        return 0 if self.own_loss else super().floating_point_ops(inputs)


class _Rows(torch.utils.data.Dataset[dict[str, Tensor]]):
    def __init__(self, rows: Sequence[dict[str, Tensor]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        return self.rows[at]


class _Curve(TrainerCallback):
    """Keeps the curve on disk while training goes on."""

    def __init__(self, path: Path, on_progress: Progress | None) -> None:
        self.path, self.on_progress = path, on_progress

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        _write(self.path, [entry for entry in state.log_history if "loss" in entry or "eval_loss" in entry])
        if self.on_progress and logs:
            self.on_progress(state.global_step, state.max_steps, dict(logs))


def _arguments(settings: TrainingSettings, rows: int, folder: Path, evaluate: bool) -> dict[str, Any]:
    updates = max(1, -(-rows // (settings.batch * settings.accumulate)))
    steps = settings.max_steps if settings.max_steps > 0 else int(updates * settings.epochs)
    activations = "activation_checkpointing"
    if activations not in TrainingArguments.__dataclass_fields__:
        activations = "gradient_checkpointing"  # its name before transformers 5.20
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": settings.batch,
        "per_device_eval_batch_size": settings.batch,
        "gradient_accumulation_steps": settings.accumulate,
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": int(settings.warmup * steps),
        "logging_steps": settings.log_every,
        "logging_first_step": True,
        "save_steps": settings.checkpoint_every,
        "save_total_limit": 2,
        "eval_strategy": "epoch" if evaluate else "no",
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": settings.bf16,
        "use_cpu": settings.cpu,
        activations: settings.recompute_activations,
        f"{activations}_kwargs": {"use_reentrant": False} if settings.recompute_activations else None,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available() and not settings.cpu,
    }


def _write(path: Path, curve: list[dict[str, float]]) -> None:
    scratch = path.with_suffix(".json.new")
    scratch.write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)
