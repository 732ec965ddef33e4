"""What TRL's trainers have in common here: arguments, curves on disk, and going on after a crash."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from debug_gym.errors import ConfigError
from debug_gym.lora.train.fit import last_checkpoint
from debug_gym.training.settings import TrainSettings

CURVE, PLAN = "curve.json", "training.json"
Progress = Callable[[int, int, Mapping[str, float]], None]
"""Called with the step, the last step, and what was measured."""


def arguments(settings: TrainSettings, folder: Path) -> dict[str, Any]:
    """Fields of ``TrainingArguments`` that both trainers take."""
    return {
        "output_dir": str(folder),
        "per_device_train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "logging_steps": settings.log_every,
        "save_steps": settings.checkpoint_every,
        "save_total_limit": 2,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": settings.bf16,
        "use_cpu": settings.cpu,
        _recompute(): settings.recompute_activations,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available() and not settings.cpu,
        **settings.extra,
    }


def _recompute() -> str:
    known = "activation_checkpointing"
    return known if known in TrainingArguments.__dataclass_fields__ else "gradient_checkpointing"


def begin(folder: Path, plan: Mapping[str, Any]) -> None:
    """Make sure that what the folder holds belongs to this training.

    Args:
        folder: of the checkpoints.
        plan: all that decides what is learned; it is written down there.

    Raises:
        ConfigError: another training was begun there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / PLAN
    told = json.loads(json.dumps(plan, default=str))
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        if changed := sorted(key for key in {*before, *told} if before.get(key) != told.get(key)):
            raise ConfigError(
                f"{folder} holds a training with other {', '.join(changed)}: give those of before to go on, "
                f"or delete that folder to begin anew"
            )
    else:
        _write(file, told)


def digest(value: Any) -> str:
    """Of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def train(
    trainer: Any, folder: Path, measures: Mapping[str, str], on_progress: Progress | None = None
) -> list[dict[str, float]]:
    """Train to the end, from the last whole checkpoint if there is one, and as if there had been no break.

    Args:
        trainer: one of TRL's.
        folder: of the checkpoints; the curve is kept there while training goes on.
        measures: what the curve is to show: its names for them, and the trainer's.
        on_progress: told of each point of the curve.

    Returns:
        The curve: for each logged step ``step`` and the measures that there are.
    """
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Curve(folder / CURVE, measures, on_progress))
    trainer.add_callback(_Drawn())
    resumed = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    curve = _curve(trainer.state, measures)
    _write(folder / CURVE, curve)
    return curve


class _Curve(TrainerCallback):
    def __init__(self, path: Path, measures: Mapping[str, str], on_progress: Progress | None) -> None:
        self._path, self._measures, self._on_progress = path, measures, on_progress

    def on_log(
        self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **kwargs: Any
    ) -> None:
        curve = _curve(state, self._measures)
        _write(self._path, curve)
        if self._on_progress and curve and curve[-1]["step"] == state.global_step:
            self._on_progress(state.global_step, state.max_steps, curve[-1])


class _Drawn(TrainerCallback):
    """What a step draws at random follows from its number: after a break it draws the same."""

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        torch.manual_seed(args.seed * 1_000_003 + state.global_step)


def _curve(state: TrainerState, measures: Mapping[str, str]) -> list[dict[str, float]]:
    points = []
    for entry in state.log_history:
        found = {name: float(entry[key]) for name, key in measures.items() if key in entry}
        if found:
            points.append({"step": float(entry["step"]), **found})
    return points


def _write(path: Path, value: Any) -> None:
    scratch = path.with_suffix(".json.new")
    scratch.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)
