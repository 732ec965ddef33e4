"""Ways to add a weighted sum of LoRA experts to a layer's output; the shape decides which is fastest.

All take the layer's input ``h`` (n, in), its output so far ``y`` (n, out), the experts' ``A`` (experts, rank,
in) and scaled ``B`` (experts, rank, out), and for each token the experts it chose ``index`` (n, k) and their
``weight`` (n, k); they return y with the experts added. With gradients enabled y is left alone and all of
them differentiate with respect to h, y, A, B and weight; without, y is changed in place.
"""

import torch
from torch import Tensor


def dense(h: Tensor, y: Tensor, A: Tensor, B: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Every expert for every token, in two matrix products: best for few experts, and to compile."""
    experts, rank, inside = A.shape
    share = torch.zeros(len(h), experts, dtype=h.dtype, device=h.device).scatter_add(1, index, weight)
    z = (h @ A.view(experts * rank, inside).T).view(-1, experts, rank) * share[..., None]
    return _addmm(y, z.view(-1, experts * rank), B.view(experts * rank, -1))


def gather(h: Tensor, y: Tensor, A: Tensor, B: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Each token reads its own experts: best for a few tokens, which is decoding."""
    n, k = index.shape
    rank = A.shape[1]
    if n == 1:
        a, b = A[index[0]].view(k * rank, -1), B[index[0]].view(k * rank, -1)
        z = (h @ a.T).view(k, rank) * weight[0, :, None]
        return _addmm(y, z.view(1, k * rank), b)
    z = torch.bmm(A[index].view(n, k * rank, -1), h[:, :, None]).view(n, k, rank) * weight[..., None]
    added = torch.bmm(z.view(n, 1, k * rank), B[index].view(n, k * rank, -1))[:, 0]
    return y + added if torch.is_grad_enabled() else y.add_(added)


def grouped(h: Tensor, y: Tensor, A: Tensor, B: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Expert by expert over the tokens that chose it: best on a CPU for many tokens and experts."""
    k = index.shape[1]
    chosen, order = index.reshape(-1).sort(stable=True)
    token, share = order // k, weight.reshape(-1)[order]
    ends = torch.searchsorted(chosen, torch.arange(len(A), device=h.device), right=True).tolist()
    start = 0
    for expert, end in enumerate(ends):
        if end > start:
            at = token[start:end]
            z = (h[at] @ A[expert].T) * share[start:end, None]
            y = (y.index_add if torch.is_grad_enabled() else y.index_add_)(0, at, z @ B[expert])
        start = end
    return y


def _addmm(y: Tensor, z: Tensor, b: Tensor) -> Tensor:
    return torch.addmm(y, z, b) if torch.is_grad_enabled() else y.addmm_(z, b)


def folded(h: Tensor, y: Tensor, pair: tuple[Tensor, Tensor] | None, where: Tensor | None) -> Tensor:
    """One LoRA, A (rank, in) and B (out, rank), for every token, or for those where ``where`` (n,) holds."""
    if pair is None:
        return y
    z = h @ pair[0].T
    return _addmm(y, z if where is None else z * where[:, None], pair[1].T)
