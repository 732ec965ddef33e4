"""Routers that choose experts once for a request, by its prompt. Any server can serve what they choose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from debug_gym.errors import LibraryError
from debug_gym.lora.stack import ExpertStack

if TYPE_CHECKING:
    from debug_gym.lora.attach import RoutedModel


@dataclass(frozen=True)
class PrefixLikelihood:
    """The expert under which the prompt's first tokens are likeliest.

    One forward pass of ``tokens`` tokens for each expert and prompt, then ordinary decoding with one adapter.
    It has no prototypes and nothing to train, and was by far the best router on natural text of the ones that
    are here (see docs/local-models.md).
    """

    tokens: int = 64
    chunk: int = 32
    """Rows in one forward pass: each prompt counts once for each expert."""
    name: str = "likelihood"

    def plan(self, experts: ExpertStack) -> "PrefixLikelihood":
        """Nothing to prepare."""
        return self

    def choose(self, model: "RoutedModel", input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """One-hot weights (batch, experts)."""
        count = len(model.experts.names)
        rows = [prefix(ids, mask, self.tokens) for ids, mask in zip(input_ids, attention_mask, strict=True)]
        picks = []
        for ids in rows:
            costs = []
            for start in range(0, count, self.chunk):
                weights = torch.eye(count)[start : start + self.chunk]
                model.assign_weights(weights)
                logits = model.model(input_ids=ids.expand(len(weights), -1), use_cache=False).logits
                costs.append(_negative_log_likelihood(logits, ids))
            picks.append(torch.cat(costs).argmin())
        return torch.nn.functional.one_hot(torch.stack(picks), count).float()


@dataclass(frozen=True, eq=False)
class Retrieval:
    """The experts whose training texts are nearest to the prompt, by the base's own hidden states.

    ``embeddings`` maps experts to vectors that :func:`embed` made of their texts; ``center`` is subtracted
    from them and from the prompt's before the cosine, or all texts look alike.
    """

    embeddings: Mapping[str, Tensor]
    center: Tensor
    layer: int = -1
    top_k: int = 1
    temperature: float = 0.1
    name: str = "retrieval"

    def plan(self, experts: ExpertStack) -> "Retrieval":
        """Checks that every expert has an embedding."""
        missing = [name for name in experts.names if name not in self.embeddings]
        if missing:
            raise LibraryError(f"the experts {', '.join(missing)} have no embedding: make one with embed()")
        return self

    def choose(self, model: "RoutedModel", input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Weights (batch, experts): softmax of the cosines of the ``top_k`` nearest."""
        with model.off():
            found = embed(model.model, input_ids, attention_mask, self.layer).cpu() - self.center
        known = torch.stack([self.embeddings[name] for name in model.experts.names]) - self.center
        cosines = (
            torch.nn.functional.normalize(found, dim=-1) @ torch.nn.functional.normalize(known, dim=-1).T
        )
        values, index = cosines.topk(min(self.top_k, len(known)), -1)
        return torch.zeros_like(cosines).scatter(1, index, (values / self.temperature).softmax(-1))


def embed(model: Any, input_ids: Tensor, attention_mask: Tensor, layer: int = -1) -> Tensor:
    """(batch, hidden), float32: the mean of one layer's hidden states over the tokens that are no padding."""
    states = model(
        input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True, use_cache=False
    )
    hidden, mask = states.hidden_states[layer].float(), attention_mask[..., None].float()
    mean: Tensor = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
    return mean


def prefix(ids: Tensor, mask: Tensor, tokens: int) -> Tensor:
    """(1, up to ``tokens``): the first tokens of a prompt that are no padding."""
    return ids[mask.bool()][:tokens][None]


def _negative_log_likelihood(logits: Tensor, ids: Tensor) -> Tensor:
    targets = ids[:, 1:].expand(len(logits), -1)
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].float().transpose(1, 2), targets, reduction="none"
    ).sum(1)
