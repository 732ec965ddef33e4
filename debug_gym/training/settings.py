"""How a learner is trained."""

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from debug_gym.errors import ConfigError
from debug_gym.task import Frozen


class TrainSettings(Frozen):
    """What supervised and reinforcement learning share."""

    rank: int = Field(default=16, ge=1)
    """Of the LoRA; the whole model is trained where no library is named."""
    alpha: float = Field(default=32, gt=0)
    targets: str | tuple[str, ...] = "all-linear"
    """``target_modules`` of PEFT."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    schedule: str = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.0, ge=0)
    batch: int = Field(default=4, ge=1)
    """Sequences in one forward pass."""
    checkpoint_every: int = Field(default=20, ge=1)
    """Updates between two checkpoints: what a crash costs at most."""
    log_every: int = Field(default=1, ge=1)
    recompute_activations: bool = False
    """Slower, in less memory."""
    bf16: bool = False
    cpu: bool = False
    """Train on the CPU though there is a GPU."""
    seed: int = 0
    chat_template: Path | None = None
    """A Jinja file, for models whose tokenizer has none or one that knows no tools."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Fields of TRL's ``SFTConfig`` or ``GRPOConfig``, by their names there."""


SettingsT = TypeVar("SettingsT", bound=TrainSettings)


class SFTSettings(TrainSettings):
    """Supervised fine-tuning on conversations."""

    epochs: float = Field(default=3, gt=0)
    max_steps: int = -1
    """Stop after as many updates; -1: after ``epochs``."""
    accumulate: int = Field(default=1, ge=1)
    """Forward passes in one update."""
    max_length: int = Field(default=4096, ge=2)
    """Tokens of a conversation; a longer one loses its end."""


class GRPOSettings(TrainSettings):
    """Reinforcement learning from the judge's verdicts."""

    learning_rate: float = Field(default=1e-5, gt=0)
    schedule: str = "constant_with_warmup"
    batch: int = Field(default=8, ge=1)
    """Rollouts in one forward pass of the update."""
    steps: int = Field(default=100, ge=1)
    """Updates."""
    prompts: int = Field(default=4, ge=1)
    """Tasks in one update."""
    group: int = Field(default=8, ge=2)
    """Rollouts of each task: what one is worth is measured by the others."""
    reward: Literal["sparse", "dense"] = "sparse"
    """``sparse``: the verdict. ``dense``: also the change in the share of visible tests that pass."""
    validity: float = Field(default=0.0, ge=0)
    """What a rollout gains whose calls are all right, beside its reward."""
    calls: int = Field(default=20, ge=1)
    """Tool calls in a rollout."""
    max_tokens: int = Field(default=2048, ge=1)
    """Tokens of a rollout after the prompt, what tools answer included."""
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.0, ge=0)
    """Weight of the divergence from the model that training began with."""
    loss: str = "dapo"
    """``loss_type`` of TRL's ``GRPOConfig``."""
    workers: int | None = Field(default=None, ge=1)
    """Rollouts that are judged at a time; None: one a CPU."""


def checked(kind: type[SettingsT], options: dict[str, Any]) -> SettingsT:
    """Settings from ``key=value`` options.

    Raises:
        ConfigError: there is no such setting, or a value is wrong.
    """
    for name in options:
        if name not in kind.model_fields:
            raise ConfigError(
                f"--set {name}: there is no such setting; those are: {', '.join(kind.model_fields)}"
            )
    try:
        return kind(**options)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigError(f"--set {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None
