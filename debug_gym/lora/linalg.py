"""Exact linear algebra on products B A that are never formed: only r x r matrices are decomposed.

Shapes: A is (..., rank, in), B is (..., out, rank); leading dimensions are batched. Decompositions are in
float64.
"""

import torch
from torch import Tensor


def top_direction(A: Tensor, B: Tensor) -> Tensor:
    """The top right singular vector of B A, (..., in), of unit length; zero where B A is zero.

    With B = Qb Rb and A^T = Qa Ra (QR), B A = Qb (Rb Ra^T) Qa^T: the SVD of the r x r matrix in the
    middle gives it exactly. Its sign is free; here the entry of largest magnitude is positive, so that equal
    experts get equal vectors on every machine.
    """
    return singular(A, B)[1][..., 0, :]


def singular(A: Tensor, B: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values (..., rank) of B A in falling order and its right singular vectors (..., rank, in).

    The sign of each vector is that which makes its entry of largest magnitude positive. A rank greater than
    ``in`` or ``out`` gives min(rank, in, out) of them.
    """
    a, b = A.double(), B.double()
    _, rb = torch.linalg.qr(b)
    qa, ra = torch.linalg.qr(a.mT)
    _, values, right = torch.linalg.svd(rb @ ra.mT, full_matrices=False)
    vectors = right @ qa.mT
    peak = vectors.abs().argmax(-1, keepdim=True)
    vectors = vectors * vectors.gather(-1, peak).sign()
    there = values > values[..., :1] * 1e-12
    return values.to(A.dtype), (vectors * there[..., None]).to(A.dtype)


def inner_products(A: Tensor, B: Tensor) -> Tensor:
    """(experts, experts), float64: <B_i A_i, B_j A_j>; A (experts, rank, in), B (experts, out, rank).

    <B1 A1, B2 A2> = sum((B1^T B2) * (A1 A2^T)): r x r work for each pair instead of out x in. The products
    are made in the type that A and B have, a thousand rows at a time.
    """
    experts, rank, _ = A.shape
    a, b = A.flatten(0, 1), B.mT.flatten(0, 1)
    rows = []
    for some in torch.split(torch.arange(experts), max(1, 1024 // rank)):
        part = slice(int(some[0]) * rank, (int(some[-1]) + 1) * rank)
        pairs = (a[part] @ a.T) * (b[part] @ b.T)
        rows.append(pairs.view(len(some), rank, experts, rank).sum((1, 3), dtype=torch.float64))
    return torch.cat(rows)


def truncate(A: Tensor, B: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The best (A, B) of at most ``rank`` for B A in the Frobenius norm (Eckart and Young, 1936)."""
    a, b = A.double(), B.double()
    qb, rb = torch.linalg.qr(b)
    qa, ra = torch.linalg.qr(a.mT)
    left, values, right = torch.linalg.svd(rb @ ra.mT, full_matrices=False)
    root = values[..., :rank].sqrt()
    new_a = root[..., :, None] * (right[..., :rank, :] @ qa.mT)
    new_b = (qb @ left[..., :, :rank]) * root[..., None, :]
    return new_a.to(A.dtype), new_b.to(B.dtype)
