"""The routed layer's kernel for CUDA, in Triton, which comes with torch's CUDA builds.

Few tokens: each reads its own experts, in two launches and one for each linear. Many: all experts' A x by
one matrix product, weighted and masked, and one product back for each linear. Nothing waits for the GPU:
steps can be captured in CUDA graphs.
"""

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Packed:
    """Ranks are padded to a power of two, 16 at least."""

    A: Tensor
    """(linears, experts, rank, in)."""
    B: list[Tensor]
    """For each linear (experts, rank, out)."""


class TritonKernel:
    """See :class:`debug_gym.lora.kernels.Kernel`."""

    def __init__(self) -> None:
        from debug_gym.lora.kernels import triton_code

        self._code = triton_code

    def pack(self, A: Tensor, B: Sequence[Tensor]) -> Packed:
        """Copies only where the rank is no power of two."""
        rank = max(16, _power(A.shape[2]))
        missing = (0, 0, 0, rank - A.shape[2])
        pad = torch.nn.functional.pad
        whole = rank == A.shape[2]
        return Packed(A if whole else pad(A, missing), [part if whole else pad(part, missing) for part in B])

    def choose(
        self,
        scores: Tensor,
        k: int,
        temperature: float,
        signed: bool,
        bias: Tensor | None,
        lengths: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """One launch."""
        if lengths is not None:
            scores = scores / lengths[:, None, None]
        n, linears, experts = scores.shape
        index = torch.empty(linears, n, k, dtype=torch.int64, device=scores.device)
        weight = torch.empty(linears, n, k, device=scores.device)
        options = {"K": k, "SIGNED": signed, "BIASED": bias is not None, "BLOCK": max(16, _power(experts))}
        self._code.choose[(n, linears)](
            scores.contiguous(),
            scores if bias is None else bias,
            index,
            weight,
            n,
            experts,
            temperature,
            **options,
        )
        return index, weight

    def add(
        self, h: Tensor, outputs: Sequence[Tensor], packed: Packed, index: Tensor, weight: Tensor
    ) -> None:
        """Gathers while the tokens choose fewer experts than there are, as measured on an H200."""
        _, n, k = index.shape
        experts = packed.A.shape[1]
        (self._gather if n * k <= max(experts, 4) else self._dense)(h, outputs, packed, index, weight)

    def _gather(
        self, h: Tensor, outputs: Sequence[Tensor], packed: Packed, index: Tensor, weight: Tensor
    ) -> None:
        linears, n, k = index.shape
        _, experts, rank, inside = packed.A.shape
        z = torch.empty(linears, n, k, rank, device=h.device)
        few = linears * n * k * rank <= 8192  # then more programs, each with less to read
        rows = 4 if few else rank
        self._code.down[(n, linears, k * (rank // rows))](
            h.contiguous(), packed.A, index, weight, z, n, experts, inside,
            K=k, RANK=rank, ROWS=rows, BLOCK=1024 if few else 256,
        )  # fmt: skip
        for y, b, chosen, part in zip(outputs, packed.B, index, z, strict=True):
            outside = y.shape[-1]
            self._code.up[(n, -(-outside // 128))](y, b, chosen, part, outside, K=k, RANK=rank, BLOCK=128)

    def _dense(
        self, h: Tensor, outputs: Sequence[Tensor], packed: Packed, index: Tensor, weight: Tensor
    ) -> None:
        linears, n, k = index.shape
        _, experts, rank, inside = packed.A.shape
        down = h @ packed.A.view(-1, inside).T
        z = torch.empty(linears, n, experts * rank, dtype=h.dtype, device=h.device)
        block = max(16, _power(experts))
        self._code.mix[(n, linears)](down, index, weight, z, n, experts, linears, K=k, RANK=rank, BLOCK=block)
        for y, b, part in zip(outputs, packed.B, z, strict=True):
            y.addmm_(part, b.reshape(experts * rank, -1))


@functools.cache
def kernel() -> TritonKernel | None:
    """None where there is no Triton."""
    return TritonKernel() if importlib.util.find_spec("triton") else None


def _power(number: int) -> int:
    return 1 << (number - 1).bit_length()
