"""Which experts each token uses, and how much of each: decided by scores, or ahead for rows of a batch."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from debug_gym.errors import LibraryError
from debug_gym.lora.kernels import Kernel


@dataclass
class Scores:
    """How the tokens of a group score the experts (see :class:`~debug_gym.lora.routing.base.TokenPlan`)."""

    prototypes: Tensor
    """(linears, experts, p, in)."""
    top_k: int = 3
    temperature: float = 1.0
    signed: bool = False
    unit: bool = False
    bias: Tensor | None = None
    """(linears, experts); minus infinity for an expert that has nothing on a linear."""

    def choose(self, h: Tensor, places: slice) -> tuple[Tensor, Tensor]:
        """Experts and weights, (linears, n, k) each, for inputs (n, in) of the linears at ``places``."""
        s = self._project(h, places).float()
        s = (s if self.signed else s.abs()).transpose(0, 1)
        if self.unit:
            s = s / _lengths(h)[:, None]
        if self.bias is not None:
            s = s + self.bias[places, None]
        values, index = s.topk(min(self.top_k, s.shape[-1]), -1)
        return index, (values / self.temperature).softmax(-1).to(h.dtype)

    def choose_by(self, kernel: Kernel, h: Tensor) -> tuple[Tensor, Tensor]:
        """The same for all linears, by the compiled kernel."""
        linears, experts = self.prototypes.shape[:2]
        if experts == 1:
            shape, device = (linears, h.shape[0], 1), h.device
            return torch.zeros(shape, dtype=torch.int64, device=device), torch.ones(shape, device=device)
        lengths = _lengths(h) if self.unit else None
        s = self._project(h, slice(None))
        k = min(self.top_k, s.shape[-1])
        return kernel.choose(s, k, self.temperature, self.signed, self.bias, lengths)

    def _project(self, h: Tensor, places: slice) -> Tensor:
        """(n, linears, experts): P x, or |P x| where an expert has several prototypes."""
        chosen = self.prototypes[places]
        linears, experts, depth, inside = chosen.shape
        s = h @ chosen.reshape(-1, inside).T
        if depth == 1:
            return s.view(-1, linears, experts)
        several: Tensor = torch.linalg.vector_norm(s.view(-1, linears, experts, depth).float(), dim=-1)
        return several

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move to where the layer's inputs are."""
        self.prototypes = self.prototypes.to(device, dtype)
        self.bias = None if self.bias is None else self.bias.to(device)


@dataclass(frozen=True)
class RowChoice:
    """Experts chosen for whole rows of a batch, ahead of the forward pass."""

    weights: Tensor
    """(rows, experts), float32; all zero: the base alone."""
    follow: Tensor
    """(rows,), bool: rows that the router decides after all, whatever their weights say."""
    _spread: dict[object, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict, repr=False)

    @cached_property
    def any_follow(self) -> bool:
        """Whether the router has anything to decide."""
        return bool(self.follow.any())

    @cached_property
    def width(self) -> int:
        """The greatest number of experts that a row mixes."""
        return max(1, int((self.weights != 0).sum(-1).max()))

    def spread(self, h: Tensor, rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """Index (n, k), weight (n, k) and follow (n,) for all n tokens of an input with ``rows`` rows.

        Beam search and sampling several answers repeat each row: so are the choices.
        """
        count = self.weights.shape[0]
        if rows % count:
            raise LibraryError(f"experts were assigned to {count} rows, but the batch has {rows}")
        key = (h.device, h.dtype, h.shape[0])
        if key not in self._spread:  # all layers ask for the same
            index = self.weights.abs().topk(self.width, -1).indices
            weight = torch.where(self.follow[:, None], 0.0, self.weights.gather(1, index))
            parts = (index, weight.to(h.dtype), self.follow)
            index, weight, follow = (
                part.repeat_interleave(h.shape[0] // count, 0).to(h.device) for part in parts
            )
            self._spread.clear()
            self._spread[key] = (index, weight, follow)
        return self._spread[key]


def combine(
    rows: tuple[Tensor, Tensor, Tensor], routed: tuple[Tensor, Tensor] | None, linears: int
) -> tuple[Tensor, Tensor]:
    """Index and weight (linears, n, k): the rows' own, and the router's where rows follow it."""
    index, weight, follow = rows
    if routed is None:
        return index.expand(linears, -1, -1), weight.expand(linears, -1, -1)
    width = max(index.shape[-1], routed[0].shape[-1])
    fill = [_widen(part, width) for part in (index, weight, *routed)]
    mask = follow[:, None]
    return torch.where(mask, fill[2], fill[0]), torch.where(mask, fill[3], fill[1])


def _lengths(h: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(h.float(), dim=-1)
    return lengths.clamp(min=1e-12)


def _widen(part: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(part, (0, width - part.shape[-1]))
