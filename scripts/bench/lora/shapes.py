"""Shapes of models, and what routing must cost on them at least."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A decoder in the way of Qwen 2."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int

    @property
    def linears(self) -> list[tuple[int, int]]:
        """(in, out) of the routed linears of one layer."""
        kv = self.hidden // self.heads * self.kv_heads
        attention = [
            (self.hidden, self.hidden),
            (self.hidden, kv),
            (self.hidden, kv),
            (self.hidden, self.hidden),
        ]
        return [*attention, (self.hidden, self.inner), (self.hidden, self.inner), (self.inner, self.hidden)]


SHAPES = {
    "tiny": Shape(64, 160, 2, 4, 2, 512),
    "100m": Shape(768, 2048, 12, 12, 6, 32_000),
    "1.5b": Shape(1536, 8960, 28, 12, 2, 151_936),
    "7b": Shape(3584, 18_944, 28, 28, 4, 152_064),
}


def bound(shape: Shape, experts: int, rank: int, top_k: int, tokens: int) -> float:
    """The least ratio to the base that reading and multiplying allow.

    Many tokens cost arithmetic: k r (in + out) + experts * in beside in * out for each. A few cost reading
    weights: of all experts that they choose, once.
    """
    k = min(top_k, experts)
    ends = sum(i + o for i, o in shape.linears)
    inputs, weights = sum(i for i, _ in shape.linears), sum(i * o for i, o in shape.linears)
    head = shape.hidden * shape.vocabulary / shape.layers
    if tokens > experts:
        return 1 + (k * rank * ends + experts * inputs) / weights
    read = min(experts, tokens * k) * rank * ends + experts * inputs
    return 1 + read / (weights + head)
