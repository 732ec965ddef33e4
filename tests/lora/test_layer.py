"""The routed layer computes what routing is defined as, whichever way it computes it."""

import functools

import pytest
import torch
from torch import nn

from debug_gym.lora.choice import Scores
from debug_gym.lora.kernels import native
from debug_gym.lora.layer import RoutedGroup

from .reference import arrow_weights, mix

STRATEGIES = ("kernel", "dense", "gather", "grouped")


@pytest.fixture(scope="module", autouse=True)
def compiler():
    if native.kernel() is None:
        pytest.skip("needs a C compiler")


def make_group(experts=5, rank=4, inside=24, outs=(24, 16, 20), top_k=3, dtype=torch.float32, **more):
    torch.manual_seed(experts + rank)
    linears = [nn.Linear(inside, out, bias=out == outs[0]).to(dtype) for out in outs]
    A = [torch.randn(experts, rank, inside) * 0.3 for _ in outs]
    B = [torch.randn(experts, out, rank) * 0.3 for out in outs]
    return RoutedGroup(linears, A, B, 0.5, top_k, **more), linears, A, B


def expected(x, linear, A, B, top_k, scale=0.5, temperature=1.0):
    products = scale * B.double() @ A.double()
    weights = arrow_weights(x.double(), products, top_k, temperature)
    bias = 0 if linear.bias is None else linear.bias.double()
    return x.double() @ linear.weight.double().T + bias + mix(x.double(), products, weights)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("experts", "rank", "tokens", "top_k"),
    [
        (1, 4, 5, 3),
        (2, 16, 1, 2),
        (5, 4, 1, 3),
        (5, 3, 40, 3),
        (16, 16, 33, 3),
        (64, 32, 70, 4),
        (9, 20, 8, 1),
    ],
)
def test_equals_the_reference(strategy, experts, rank, tokens, top_k):
    group, linears, A, B = make_group(experts, rank, top_k=top_k, temperature=0.7)
    group.state.strategy = strategy
    x = torch.randn(1, tokens, 24)
    with torch.no_grad():
        for place, linear in enumerate(linears):
            wanted = expected(x[0], linear, A[place], B[place], min(top_k, experts), temperature=0.7)
            torch.testing.assert_close(group.member(x, place)[0].double(), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_kernel_gives_the_same_on_any_number_of_threads(threads):
    group, *_ = make_group(16, 16, 64, (200, 70), state=None)
    x, before = torch.randn(1, 300, 64), torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        with torch.no_grad():
            one = [group.member(x, place) for place in (0, 1)]
            torch.set_num_threads(1)
            again = [group.member(x.clone(), place) for place in (0, 1)]
    finally:
        torch.set_num_threads(before)
    routed = native.kernel()
    assert routed is not None
    for a, b in zip(one, again, strict=True):
        torch.testing.assert_close(a, b, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("strategy", ["dense", "gather", "grouped", "auto"])
def test_gradients_reach_the_input_through_experts_and_weights(strategy):
    group, linears, A, B = make_group(5, 4)
    group.state.strategy = strategy
    x = torch.randn(1, 7, 24, requires_grad=True)
    sum(group.member(x, place).pow(2).sum() for place in range(3)).backward()
    y = x.detach().double().requires_grad_()
    total = 0
    for place, linear in enumerate(linears):
        products = 0.5 * B[place].double() @ A[place].double()
        directions = torch.stack([torch.linalg.svd(p, full_matrices=False)[2][0] for p in products])
        values, best = (y[0] @ directions.T).abs().topk(3)
        weights = torch.zeros(7, 5, dtype=torch.float64).scatter(1, best, values.softmax(-1))
        bias = 0 if linear.bias is None else linear.bias.detach().double()
        out = y[0] @ linear.weight.detach().double().T + bias + mix(y[0], products, weights)
        total = total + out.pow(2).sum()
    total.backward()
    torch.testing.assert_close(x.grad.double(), y.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("strategy", ["dense", "gather", "grouped", "auto"])
def test_half_precision_follows_full(dtype, strategy):
    group, linears, A, B = make_group(5, 4, dtype=dtype)
    group.state.strategy = strategy
    x = torch.randn(1, 9, 24).to(dtype)
    with torch.no_grad():
        scores = (x[0] @ group._arrow().prototypes[0, :, 0].T).abs().sort(descending=True).values
        clear = (scores[:, 2] != scores[:, 3]).nonzero()[:, 0]  # equal scores may be broken either way
        got = group.member(x, 0)
        wanted = expected(x[0].float(), linears[0].float(), A[0], B[0], 3)
    assert got.dtype == dtype
    assert len(clear)
    error = (got[0][clear].double() - wanted[clear]).norm() / wanted[clear].norm()
    assert error < (0.03 if dtype == torch.bfloat16 else 0.004)


def test_autocast_keeps_the_types_of_the_base():
    group, *_ = make_group()
    x = torch.randn(1, 9, 24)
    with torch.no_grad():
        wanted = group.member(x, 0)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            got = group.member(x.clone(), 0)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), wanted, atol=0.05, rtol=0.05)


def test_members_share_one_pass(monkeypatch):
    group, *_ = make_group()
    passes = []
    monkeypatch.setattr(group, "_compute", lambda *a: passes.append(1) or type(group)._compute(group, *a))
    x = torch.randn(1, 4, 24)
    with torch.no_grad():
        for place in (0, 1, 2):
            group.member(x, place)
        assert len(passes) == 1
        group.member(x, 0)  # asked again: what was handed out is not kept
        assert len(passes) == 2
        group.state.version += 1
        group.member(x, 1)  # routing has changed since
        assert len(passes) == 3
    group.member(x, 2)  # with gradients now
    assert len(passes) == 4


def test_what_is_remembered_does_not_survive_its_use():
    group, *_ = make_group()
    with torch.no_grad():
        x = torch.randn(1, 4, 24)
        for place in (0, 1, 2):
            group.member(x, place)
    assert group._input is None and not group._ready


def test_compiled_equals_eager():
    group, *_ = make_group()
    x = torch.randn(1, 6, 24)
    with torch.no_grad():
        compiled = torch.compile(
            functools.partial(group.member, place=1), fullgraph=True, backend="aot_eager"
        )
        torch.testing.assert_close(compiled(x), group.member(x, 1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_other_scores(strategy):
    """Several prototypes count by the length of P x; unit length, bias and sign as told."""
    group, linears, A, B = make_group(6, 4, outs=(24,))
    prototypes, bias = torch.randn(1, 6, 3, 24), torch.randn(1, 6)
    bias[0, 2] = -torch.inf
    group.route(Scores(prototypes, 2, 0.5, unit=True, bias=bias))
    group.state.strategy = strategy
    x = torch.randn(1, 12, 24)
    with torch.no_grad():
        got = group.member(x, 0)[0].double()
    products, wanted = 0.5 * B[0].double() @ A[0].double(), []
    for token in x[0].double():
        scores = torch.stack([(p.double() @ token).norm() / token.norm() for p in prototypes[0]])
        scores = scores + bias[0].double()
        best = scores.topk(2).indices
        assert 2 not in best
        weights = torch.zeros(1, 6, dtype=torch.float64)
        weights[0, best] = (scores[best] / 0.5).softmax(0)
        base = token @ linears[0].weight.double().T + linears[0].bias.double()
        wanted.append(base + mix(token[None], products, weights)[0])
    torch.testing.assert_close(got, torch.stack(wanted), atol=1e-5, rtol=1e-5)
