"""Linear algebra on B A without forming it, against forming it."""

import pytest
import torch

from debug_gym.lora import linalg


def pair(experts=5, rank=4, inside=20, outside=30, dtype=torch.float32):
    torch.manual_seed(3)
    return torch.randn(experts, rank, inside, dtype=dtype), torch.randn(experts, outside, rank, dtype=dtype)


@pytest.mark.parametrize(("rank", "inside", "outside"), [(4, 20, 30), (1, 5, 5), (8, 6, 30), (8, 30, 3)])
def test_singular_values_and_vectors(rank, inside, outside):
    A, B = pair(3, rank, inside, outside)
    values, vectors = linalg.singular(A, B)
    count = min(rank, inside, outside)
    for e in range(3):
        _, s, v = torch.linalg.svd((B[e] @ A[e]).double(), full_matrices=False)
        torch.testing.assert_close(values[e, :count].double(), s[:count], atol=1e-5, rtol=1e-5)
        cosines = (vectors[e, :count].double() * v[:count]).sum(-1).abs()
        torch.testing.assert_close(cosines, torch.ones(count, dtype=torch.float64), atol=1e-5, rtol=0)


def test_the_top_direction_is_the_same_for_every_factorisation_of_one_product():
    """A -> G A, B -> B G^-1 changes nothing, sign included."""
    A, B = pair(dtype=torch.float64)
    G = torch.randn(5, 4, 4, dtype=torch.float64)
    one, other = linalg.top_direction(A, B), linalg.top_direction(G @ A, B @ torch.linalg.inv(G))
    torch.testing.assert_close(one, other, atol=1e-9, rtol=0)
    torch.testing.assert_close(linalg.top_direction(A, -B), one, atol=1e-9, rtol=0)
    torch.testing.assert_close(one.norm(dim=-1), torch.ones(5, dtype=torch.float64))


def test_an_expert_that_does_nothing_has_no_direction():
    A, B = pair()
    B[1] = 0
    directions = linalg.top_direction(A, B)
    assert directions[1].abs().max() == 0 and directions.isfinite().all()


@pytest.mark.parametrize(("experts", "rank"), [(5, 4), (7, 400)])
def test_inner_products(experts, rank):
    A, B = pair(experts, rank, dtype=torch.float64)
    products = (B @ A).flatten(1)
    torch.testing.assert_close(linalg.inner_products(A, B), products @ products.T, atol=1e-6, rtol=1e-9)


def test_truncation_is_the_best_there_is():
    A, B = pair(2, 6)
    a, b = linalg.truncate(A, B, 3)
    assert a.shape == (2, 3, 20) and b.shape == (2, 30, 3)
    for e in range(2):
        product = (B[e] @ A[e]).double()
        left = torch.linalg.svd(product)[1][3:].norm()
        torch.testing.assert_close((product - (b[e] @ a[e]).double()).norm(), left, atol=1e-4, rtol=1e-4)
