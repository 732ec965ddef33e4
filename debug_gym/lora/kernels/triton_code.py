"""Triton programs: imported only where Triton is. Sums are in float32, whatever the weights are."""
# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201

import triton
import triton.language as tl


@triton.jit
def choose(
    scores, bias, index, weight, n, experts, temperature,
    K: tl.constexpr, SIGNED: tl.constexpr, BIASED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The K best of one token's scores for one linear, the first of equal ones first; and their softmax."""
    token, linear, linears = tl.program_id(0), tl.program_id(1), tl.num_programs(1)
    e = tl.arange(0, BLOCK)
    row = scores + (token * linears + linear).to(tl.int64) * experts
    s = tl.load(row + e, mask=e < experts, other=0.0).to(tl.float32)
    if not SIGNED:
        s = tl.abs(s)
    if BIASED:
        s += tl.load(bias + linear * experts + e, mask=e < experts, other=0.0)
    s = tl.where(e < experts, s, -float("inf"))
    top = tl.max(s, 0)
    total = 0.0
    out = (linear * n + token).to(tl.int64) * K
    for slot in tl.static_range(K):
        best = tl.max(s, 0)
        at = tl.min(tl.where(s == best, e, BLOCK), 0)
        at = tl.minimum(at, experts - 1)  # NaN equals nothing: it must not point outside
        share = tl.exp((best - top) / temperature)
        total += share
        tl.store(index + out + slot, at)
        tl.store(weight + out + slot, share)
        s = tl.where(e == at, -float("inf"), s)
    for slot in tl.static_range(K):
        tl.store(weight + out + slot, tl.load(weight + out + slot) / total)


@triton.jit
def down(
    x, a, index, weight, z, n, experts, inside,
    K: tl.constexpr, RANK: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Some ranks of A x times the weight, for one token, linear and place among its choices."""
    token, linear, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    slot, first = part // (RANK // ROWS), part % (RANK // ROWS) * ROWS
    choice = (linear * n + token).to(tl.int64) * K + slot
    expert = tl.load(index + choice)
    ranks = first + tl.arange(0, ROWS)
    rows = ((linear * experts + expert) * RANK + ranks).to(tl.int64) * inside
    total = tl.zeros((ROWS, BLOCK), dtype=tl.float32)
    for start in range(0, inside, BLOCK):
        at = start + tl.arange(0, BLOCK)
        there = at < inside
        values = tl.load(x + token.to(tl.int64) * inside + at, mask=there, other=0.0).to(tl.float32)
        total += (
            tl.load(a + rows[:, None] + at[None, :], mask=there[None, :], other=0.0).to(tl.float32) * values
        )
    tl.store(z + choice * RANK + ranks, tl.sum(total, 1) * tl.load(weight + choice))


@triton.jit
def up(y, b, index, z, outside, K: tl.constexpr, RANK: tl.constexpr, BLOCK: tl.constexpr):
    """y += B z for one token and a block of columns of one linear."""
    token = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there, ranks = at < outside, tl.arange(0, RANK)
    total = tl.zeros((RANK, BLOCK), dtype=tl.float32)
    for slot in tl.static_range(K):
        expert = tl.load(index + token * K + slot)
        values = tl.load(z + (token * K + slot) * RANK + ranks)
        rows = (expert * RANK + ranks) * outside
        total += (
            tl.load(b + rows[:, None] + at[None, :], mask=there[None, :], other=0.0).to(tl.float32)
            * values[:, None]
        )
    out = y + token * outside + at
    tl.store(
        out, (tl.load(out, mask=there).to(tl.float32) + tl.sum(total, 0)).to(y.dtype.element_ty), mask=there
    )


@triton.jit
def mix(
    down_, index, weight, z, n, experts, linears, K: tl.constexpr, RANK: tl.constexpr, BLOCK: tl.constexpr
):
    """All experts' A x of one token and linear, each times its weight: zero where it was not chosen."""
    token, linear = tl.program_id(0).to(tl.int64), tl.program_id(1)
    e, ranks = tl.arange(0, BLOCK), tl.arange(0, RANK)
    share = tl.zeros((BLOCK,), dtype=tl.float32)
    for slot in tl.static_range(K):
        choice = (linear * n + token) * K + slot
        share += tl.where(e == tl.load(index + choice), tl.load(weight + choice).to(tl.float32), 0.0)
    at = e[:, None] * RANK + ranks[None, :]
    row = down_ + (token * linears + linear) * experts * RANK
    chosen, there = (share != 0)[:, None], (e < experts)[:, None]
    values = tl.load(row + at, mask=chosen & there, other=0.0).to(tl.float32) * share[:, None]
    out = z + (linear * n + token) * experts * RANK
    tl.store(out + at, values.to(z.dtype.element_ty), mask=there)
