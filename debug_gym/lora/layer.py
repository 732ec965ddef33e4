"""The routed layer: linear layers that share one input, and experts on them, routed once for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from debug_gym.lora import linalg, strategies
from debug_gym.lora.choice import RowChoice, Scores, combine
from debug_gym.lora.kernels import Kernel, kernel_for

Mode = Literal["routed", "off"]
Strategy = Literal["auto", "kernel", "dense", "gather", "grouped"]


@dataclass
class RoutingState:
    """What all layers of a model do now: their owner changes it, they read it."""

    mode: Mode = "routed"
    """``off``: exactly the base."""
    strategy: Strategy = "auto"
    rows: RowChoice | None = None
    """Experts assigned to the rows of the batches to come; None: the router decides for all."""
    version: int = 0
    """Grows with every change, so that no layer uses what it remembers of the time before."""


class RoutedGroup:
    """Linears that share one input, and experts on them.

    :meth:`member` gives one linear's routed output. The first call with an input routes and computes all
    linears of the group; the others find theirs ready. The linears are never changed.

    Args:
        linears: modules that map (..., in) to (..., out).
        A: for each of them (experts, rank, in).
        B: for each of them (experts, out, rank).
        scale: what B A x is multiplied with: a number, (experts,) or (linears, experts).
        top_k: how many experts a token mixes.
        temperature: of the softmax over the scores of those.
        scores: how experts are scored; default: by Arrow's prototypes.
        state: shared by the groups of a model.
    """

    def __init__(
        self,
        linears: Sequence[nn.Module],
        A: Sequence[Tensor],
        B: Sequence[Tensor],
        scale: float | Tensor = 1.0,
        top_k: int = 3,
        temperature: float = 1.0,
        *,
        scores: Scores | None = None,
        state: RoutingState | None = None,
    ) -> None:
        self._forwards = [linear.forward for linear in linears]
        self.state = state or RoutingState()
        self.A: Tensor
        """(linears, experts, rank, in)."""
        self.B: list[Tensor]
        """For each linear (experts, rank, out), scaled."""
        self.scores = scores
        """How tokens choose; None: by Arrow's prototypes, made when first needed."""
        self._top_k, self._temperature = top_k, temperature
        self.folded: list[tuple[Tensor, Tensor] | None] | None = None
        """A static plan instead of ``scores``: for each linear A (rank, in) and B (out, rank), or nothing."""
        self._packed: Any = None
        self.load(A, B, scale)
        like = next(linears[0].parameters())
        self._move(like.device, like.dtype if like.is_floating_point() else torch.float32)
        self._input: Tensor | None = None
        self._ready: dict[int, Tensor] = {}
        self._made_for: tuple[int, bool] | None = None

    def member(self, x: Tensor, place: int) -> Tensor:
        """The output of linear ``place`` for ``x`` (..., in)."""
        if self.state.mode == "off":
            base: Tensor = self._forwards[place](x)
            return base
        if torch.compiler.is_compiling():  # a compiler sees that the inputs are one and shares what it can
            return self._compute(x, slice(place, place + 1))[0]
        made_for = (self.state.version, torch.is_grad_enabled())
        if self._input is not x or self._made_for != made_for or place not in self._ready:
            self._input, self._made_for = x, made_for
            self._ready = dict(enumerate(self._compute(x, slice(None))))
        y = self._ready.pop(place)
        if not self._ready:
            self._input = None
        return y

    def load(self, A: Sequence[Tensor], B: Sequence[Tensor], scale: float | Tensor = 1.0) -> None:
        """Other experts, as the constructor takes them."""
        rank = max(a.shape[1] for a in A)
        scales = torch.as_tensor(scale, dtype=torch.float32).expand(len(A), len(A[0]))
        old, pad = getattr(self, "A", None), nn.functional.pad
        self.A = torch.stack([pad(a, (0, 0, 0, rank - a.shape[1])) for a in A])
        self.B = [
            (pad(b.float(), (0, rank - b.shape[2])) * s[:, None, None]).mT.contiguous()
            for b, s in zip(B, scales, strict=True)
        ]
        self._packed = None
        if old is not None:
            self._move(old.device, old.dtype)

    def route(self, scores: Scores) -> None:
        """Let each token choose by these scores."""
        scores.to(self.A.device, self.A.dtype)
        self.scores, self.folded = scores, None

    def fold(self, pairs: Sequence[tuple[Tensor, Tensor] | None]) -> None:
        """One LoRA for every token: for each linear A (rank, in) and B (out, rank), or nothing."""
        self.folded = [pair and (_like(pair[0], self.A), _like(pair[1], self.A)) for pair in pairs]

    def _compute(self, x: Tensor, places: slice) -> list[Tensor]:
        outputs = [forward(x) for forward in self._forwards[places]]
        if not x.numel():
            return outputs
        if x.device != self.A.device or x.dtype != self.A.dtype:
            self._move(x.device, x.dtype)
        if torch.is_autocast_enabled(x.device.type):  # the base computes in a smaller type than its inputs'
            with torch.autocast(x.device.type, enabled=False):
                added = self._add(x, [y.to(x.dtype) for y in outputs], places)
            return [y.to(output.dtype) for y, output in zip(added, outputs, strict=True)]
        return self._add(x, outputs, places)

    def _add(self, x: Tensor, outputs: list[Tensor], places: slice) -> list[Tensor]:
        h = x.reshape(-1, x.shape[-1])
        flat = [y.reshape(h.shape[0], y.shape[-1]) for y in outputs]
        rows, kernel = self.state.rows, self._kernel(h, places)
        spread = rows.spread(h, x.shape[0]) if rows else None
        routed = None
        if rows is None or rows.any_follow:
            if self.folded is None:
                self.scores = self.scores or self._arrow()
                routed = self.scores.choose_by(kernel, h) if kernel else self.scores.choose(h, places)
            else:
                flat = [
                    strategies.folded(h, y, pair, None if spread is None else spread[2])
                    for y, pair in zip(flat, self.folded[places], strict=True)
                ]
        if spread is not None:
            routed = combine(spread, routed, len(flat))
        if routed is not None and kernel:
            self._packed = self._packed or kernel.pack(self.A, self.B)
            kernel.add(h, flat, self._packed, *(part.contiguous() for part in routed))
        elif routed is not None:
            add = getattr(strategies, self._strategy(routed[0]))
            flat = [
                add(h, y, a, b, index, weight)
                for y, a, b, index, weight in zip(flat, self.A[places], self.B[places], *routed, strict=True)
            ]
        return [y.view(output.shape) for y, output in zip(flat, outputs, strict=True)]

    def _kernel(self, h: Tensor, places: slice) -> Kernel | None:
        """The kernel for this input, where one can serve: for inference, of the whole group."""
        if self.state.strategy not in {"auto", "kernel"} or places != slice(None):
            return None
        return None if torch.is_grad_enabled() or torch.compiler.is_compiling() else kernel_for(h)

    def _arrow(self) -> Scores:
        directions = [
            linalg.top_direction(a.float(), b.mT.float()) for a, b in zip(self.A, self.B, strict=True)
        ]
        prototypes = torch.stack(directions)[:, :, None].to(self.A.dtype)
        return Scores(prototypes, self._top_k, self._temperature)

    def _strategy(self, index: Tensor) -> str:
        """As measured by scripts/bench_lora.py."""
        _, n, k = index.shape
        experts, rank = self.A.shape[1:3]
        if self.state.strategy != "auto":
            return self.state.strategy
        if index.is_cuda or torch.compiler.is_compiling():
            return "gather" if n * k <= experts else "dense"
        inside, outside = self.A.shape[-1], sum(b.shape[-1] for b in self.B)
        few = experts * rank * (len(self.B) * inside + outside) <= 0.3 * inside * outside
        return "gather" if n * k <= 6 else "dense" if few else "grouped"

    def _move(self, device: torch.device, dtype: torch.dtype) -> None:
        self.A, self.B = self.A.to(device, dtype), [b.to(device, dtype) for b in self.B]
        self._packed = None
        if self.scores is not None:
            self.scores.to(device, dtype)
        if self.folded is not None:
            self.fold(self.folded)


def _like(tensor: Tensor, other: Tensor) -> Tensor:
    return tensor.to(other.device, other.dtype)
