"""LoRA adapters in PEFT's own format: what their configuration means, and their tensors.

An adapter is a folder with ``adapter_config.json`` and ``adapter_model.safetensors``. Nothing is ever
unpickled: an adapter that comes as ``adapter_model.bin`` is refused.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from debug_gym.errors import LibraryError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_TENSOR = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<side>[AB])(?:\.default)?\.weight")

Pairs = dict[str, tuple[Tensor, Tensor]]
"""Module name in the base model -> (A of shape (rank, in), B of shape (out, rank)), unscaled."""

_UNSUPPORTED = {
    "use_dora": "DoRA rescales every column of the base's weights and cannot be mixed as a sum of experts",
    "use_qalora": "QALoRA pools the input by groups",
    "use_bdlora": "block-diagonal LoRA has other shapes",
    "lora_bias": "a bias in lora_B is not part of B A",
    "modules_to_save": "whole modules beside the adapter cannot be mixed",
    "trainable_token_indices": "trained token embeddings cannot be mixed",
    "target_parameters": "adapters on bare parameters are not supported",
    "layer_replication": "the base's layers are replicated",
    "megatron_config": "Megatron's parallel layers are not supported",
    "alora_invocation_tokens": "an activated LoRA acts only after its invocation tokens",
}
_CHANGE_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


class AdapterConfig(BaseModel):
    """``adapter_config.json``: the fields that decide what an adapter computes; the rest is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True)

    peft_type: str = "LORA"
    task_type: str | None = "CAUSAL_LM"
    base_model_name_or_path: str | None = None
    revision: str | None = None
    r: int = Field(default=8, ge=1)
    lora_alpha: float = 8
    use_rslora: bool = False
    rank_pattern: dict[str, int] | None = None
    alpha_pattern: dict[str, float] | None = None
    target_modules: list[str] | str | None = None
    bias: str = "none"
    init_lora_weights: bool | str | None = True

    def rank(self, module: str) -> int:
        """The rank that the configuration gives a module; ``rank_pattern`` as PEFT matches it."""
        return int(_by_pattern(self.rank_pattern, module, self.r))

    def scale(self, module: str) -> float:
        """What B A x is multiplied with: alpha / r, or alpha / sqrt(r) with rsLoRA."""
        alpha, rank = _by_pattern(self.alpha_pattern, module, self.lora_alpha), self.rank(module)
        return float(alpha / math.sqrt(rank) if self.use_rslora else alpha / rank)

    def refusal(self) -> str | None:
        """Why a library cannot hold such an adapter; None: it can."""
        if self.peft_type != "LORA":
            return f"its type is {self.peft_type}: only LORA adapters can be experts"
        extra = self.model_extra or {}
        for field, why in _UNSUPPORTED.items():
            if extra.get(field):
                return f"it uses {field}: {why}"
        if self.bias != "none":
            return f"it trains biases (bias={self.bias!r}): retrain it with bias='none'"
        start = str(self.init_lora_weights).lower()
        if start.startswith(_CHANGE_THE_BASE):
            return (
                f"it was initialised with {start}, which changes the base's weights: save it again with "
                "PEFT's save_pretrained(..., path_initial_model_for_weight_conversion=...)"
            )
        return None


def read_config(folder: Path) -> AdapterConfig:
    """The configuration of the adapter in ``folder``.

    Raises:
        LibraryError: it is missing, unreadable, or of a kind that cannot be mixed.
    """
    path = folder / CONFIG
    try:
        config = AdapterConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LibraryError(f"{folder} holds no adapter: {CONFIG} is missing") from None
    except (OSError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise LibraryError(f"{path} cannot be read: {reason}") from error
    if refusal := config.refusal():
        raise LibraryError(f"{folder} cannot be an expert: {refusal}")
    return config


def read_pairs(folder: Path, config: AdapterConfig) -> Pairs:
    """All pairs (A, B) of the adapter in ``folder``, checked against its configuration.

    Raises:
        LibraryError: there is no safetensors file, a tensor is no LoRA of a linear, or a rank contradicts the
            configuration.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        pickled = (folder / "adapter_model.bin").exists()
        hint = (
            "adapter_model.bin is a pickle, which is never loaded: load and save it with a recent PEFT"
            if pickled
            else f"{WEIGHTS} is missing"
        )
        raise LibraryError(f"{folder} cannot be an expert: {hint}")
    sides: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118  # not a dict
                match = _TENSOR.fullmatch(key)
                if match is None:
                    raise LibraryError(f"{path}: {key} is not the LoRA of a linear layer and cannot be mixed")
                sides.setdefault(match["module"], {})[match["side"]] = tensors.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise LibraryError(f"{path} cannot be read: {error}") from error
    return {module: _pair(path, module, found, config) for module, found in sides.items()}


def write_config(folder: Path, config: AdapterConfig) -> None:
    """``adapter_config.json`` as PEFT and vLLM read it."""
    text = json.dumps(config.model_dump(mode="json", exclude_none=True), indent=2, sort_keys=True)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def write_pairs(folder: Path, pairs: Pairs) -> None:
    """``adapter_model.safetensors`` under PEFT's names."""
    from safetensors.torch import save_file

    tensors = {}
    for module, (a, b) in pairs.items():
        tensors[f"{_PREFIX}{module}.lora_A.weight"] = a.detach().contiguous()
        tensors[f"{_PREFIX}{module}.lora_B.weight"] = b.detach().contiguous()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def _pair(path: Path, module: str, found: dict[str, Tensor], config: AdapterConfig) -> tuple[Tensor, Tensor]:
    if set(found) != {"A", "B"}:
        raise LibraryError(f"{path}: {module} has lora_{'/'.join(found)} and lacks its other half")
    a, b = found["A"], found["B"]
    if a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise LibraryError(f"{path}: {module} has A and B of shapes {shapes}, not (rank, in) and (out, rank)")
    if len(a) != config.rank(module):
        raise LibraryError(
            f"{path}: {module} has rank {len(a)}, but {CONFIG} says {config.rank(module)} "
            "(r or rank_pattern): its scale cannot be known"
        )
    return a, b


def _by_pattern(patterns: dict[str, Any] | None, module: str, default: float) -> Any:
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default
