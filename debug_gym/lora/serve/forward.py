"""One forward pass of any transformers decoder over rows of a cache."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from debug_gym.errors import ConfigError
from debug_gym.lora.serve.cache import RowCache

FULL, SLIDING = "full_attention", "sliding_attention"


class Forward:
    """Runs a model on tokens that stand anywhere in their rows."""

    def __init__(self, model: Any) -> None:
        """Take a causal language model of transformers.

        Raises:
            ConfigError: its layers keep another state than keys and values.
        """
        self.model, self.config = model, model.config.get_text_config()
        kinds = set(getattr(self.config, "layer_types", None) or ())
        if unknown := kinds - {FULL, SLIDING}:
            raise ConfigError(
                f"{type(model).__name__} has layers of the kind {sorted(unknown)[0]}, whose state is not "
                "kept here: serve it with vLLM and use it with --base-url"
            )
        self._window = getattr(self.config, "sliding_window", None)
        self._kinds = kinds or ({SLIDING} if self._window else {FULL})
        parameters = inspect.signature(model.forward).parameters
        self._cache_name = "cache" if "cache" in parameters else "past_key_values"

    @property
    def vocabulary(self) -> int:
        """The number of logits."""
        return int(self.model.get_output_embeddings().weight.shape[0])

    @property
    def max_length(self) -> int:
        """Tokens that the model was made for."""
        return int(getattr(self.config, "max_position_embeddings", 0) or 4096)

    @property
    def bytes_per_token(self) -> int:
        """Memory for the keys and values of a token."""
        config = self.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * config.num_hidden_layers * heads * size * self.model.dtype.itemsize)

    def free_bytes(self) -> int:
        """Memory that is free now where the model is."""
        if self.model.device.type == "cuda":
            return torch.cuda.mem_get_info(self.model.device)[0]
        try:
            with open("/proc/meminfo") as file:  # noqa: PTH123 - no path of a file system
                lines = dict(line.split(":", 1) for line in file)
            return int(lines["MemAvailable"].split()[0]) * 1024
        except (OSError, KeyError):
            return 8 * 1024**3

    def __call__(
        self, cache: RowCache, row: int, tokens: Sequence[Sequence[int]], starts: Sequence[int]
    ) -> Tensor:
        """Compute tokens of the rows from ``row`` on, and keep their keys and values.

        Args:
            cache: where the rows are.
            row: the first row.
            tokens: token ids of each row, of equal length.
            starts: the column of each row's first token.

        Returns:
            Logits after the last token of each row: (rows, vocabulary).
        """
        device = self.model.device
        ids = torch.tensor(tokens, device=device)
        positions = torch.tensor(starts, device=device)[:, None] + torch.arange(ids.shape[1], device=device)
        width = max(starts) + ids.shape[1]
        cache.aim(row, positions, width)
        output = self.model(
            input_ids=ids,
            attention_mask=self._mask(positions, width),
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **{self._cache_name: cache},
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    def _mask(self, positions: Tensor, width: int) -> Tensor | dict[str, Tensor]:
        """What each token sees: the columns up to its own, in layers with a window the last ones alone."""
        columns = torch.arange(width, device=positions.device)
        sees = columns <= positions[:, None, :, None]
        masks = {FULL: sees}
        if self._window:
            masks[SLIDING] = sees & (columns > positions[:, None, :, None] - self._window)
        if self.config._attn_implementation == "eager":
            masks = {kind: self._additive(mask) for kind, mask in masks.items()}
        return masks[next(iter(self._kinds))] if len(self._kinds) == 1 else masks

    def _additive(self, mask: Tensor) -> Tensor:
        least = torch.finfo(self.model.dtype).min
        return torch.zeros_like(mask, dtype=self.model.dtype).masked_fill(~mask, least)
