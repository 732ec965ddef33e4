"""Model-based clustering (MBC): tasks whose experts do alike things share one expert.

Ostapenko et al. 2024 compare experts' parameters, [A, B] flattened. But A -> G A, B -> B G^-1 is the same
expert, so that experts of different initialisations look unlike each other whatever they learned; here by
default their functions are compared, the products B A, which are never formed.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from debug_gym.errors import LibraryError
from debug_gym.lora import linalg
from debug_gym.lora.stack import ExpertStack

Compare = Literal["functions", "parameters"]


def similarity(experts: ExpertStack, compare: Compare = "functions") -> Tensor:
    """(experts, experts), float64: cosines of the experts, over all modules together."""
    total = torch.zeros(len(experts.names), len(experts.names), dtype=torch.float64)
    for one in experts.values():
        if compare == "functions":
            total += linalg.inner_products(one.A.float(), one.scaled_b())
        else:
            flat = torch.cat([one.A.flatten(1), one.B.flatten(1)], 1).double()
            total += flat @ flat.T
    lengths = total.diagonal().clamp(min=1e-300).sqrt()
    return total / lengths[:, None] / lengths


def cluster(
    experts: ExpertStack, count: int, compare: Compare = "functions", seed: int = 0
) -> list[list[str]]:
    """``count`` groups of experts by k-means on the rows of their similarity, as in the paper.

    Deterministic for a seed. Groups are in the order of their first member.

    Raises:
        LibraryError: fewer experts than groups.
    """
    if not 1 <= count <= len(experts.names):
        raise LibraryError(f"{len(experts.names)} experts do not make {count} clusters")
    labels = _k_means(similarity(experts, compare), count, seed)
    groups: dict[int, list[str]] = {}
    for name, label in zip(experts.names, labels.tolist(), strict=True):
        groups.setdefault(label, []).append(name)
    return list(groups.values())


def _k_means(points: Tensor, count: int, seed: int, tries: int = 20) -> Tensor:
    """Labels (points,) of the best of several k-means++ starts."""
    random = torch.Generator().manual_seed(seed)
    found = [_lloyd(points, _spread(points, count, random)) for _ in range(tries)]
    return min(found, key=lambda one: one[0])[1]


def _spread(points: Tensor, count: int, random: torch.Generator) -> Tensor:
    """k-means++ (Arthur and Vassilvitskii 2007): far points are likelier starts."""
    chosen = [int(torch.randint(len(points), (1,), generator=random))]
    while len(chosen) < count:
        near = torch.cdist(points, points[chosen]).min(1).values.square()
        near[chosen] = 0
        free = torch.ones(len(points), dtype=near.dtype)
        free[chosen] = 0
        weights: Sequence[float] | Tensor = near if near.sum() > 0 else free
        chosen.append(int(torch.multinomial(torch.as_tensor(weights), 1, generator=random)))
    return points[chosen]


def _lloyd(points: Tensor, centers: Tensor, rounds: int = 100) -> tuple[float, Tensor]:
    labels = torch.full((len(points),), -1)
    for _ in range(rounds):
        new = torch.cdist(points, centers).argmin(1)
        if torch.equal(new, labels):
            break
        labels = new
        members = torch.nn.functional.one_hot(labels, len(centers)).to(points.dtype)
        sizes = members.sum(0)
        means = members.T @ points / sizes.clamp(min=1)[:, None]
        centers = torch.where(sizes[:, None] > 0, means, centers)
    return float((points - centers[labels]).square().sum()), labels
