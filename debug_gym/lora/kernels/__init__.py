"""Kernels for inference, where a machine has what they need; torch computes the same without them."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from debug_gym.lora.kernels import native


class Kernel(Protocol):
    """Chooses experts and adds what they compute. Nothing here has a gradient."""

    def pack(self, A: Tensor, B: Sequence[Tensor]) -> Any:
        """Experts as ``add`` reads them: A (linears, experts, rank, in), each B (experts, rank, out)."""
        ...

    def choose(
        self,
        scores: Tensor,
        k: int,
        temperature: float,
        signed: bool,
        bias: Tensor | None,
        lengths: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Index and weight (linears, n, k) of the best of ``scores`` (n, linears, experts).

        Unless ``signed`` their magnitudes count, over ``lengths`` (n,), plus ``bias`` (linears, experts).
        ``scores`` may be overwritten.
        """
        ...

    def add(self, h: Tensor, outputs: Sequence[Tensor], packed: Any, index: Tensor, weight: Tensor) -> None:
        """Add to each of ``outputs`` (n, out) the experts that index and weight (linears, n, k) name."""
        ...


def kernel_for(h: Tensor) -> Kernel | None:
    """The kernel for inputs like ``h`` (n, in); None: torch's own operations."""
    if h.device.type == "cpu":
        return native.kernel() if h.dtype == torch.float32 and h.is_contiguous() else None
    if h.device.type == "cuda":
        from debug_gym.lora.kernels import gpu  # Triton is no dependency: it comes with torch's CUDA builds

        return gpu.kernel()
    return None
