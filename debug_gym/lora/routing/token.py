"""Routers by which each token chooses experts on each layer, from the experts' weights alone."""

from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from debug_gym.errors import LibraryError
from debug_gym.lora import linalg
from debug_gym.lora.fold import Space
from debug_gym.lora.routing.base import TokenPlan
from debug_gym.lora.stack import ExpertStack, ModuleStack


class TokenRouter(Protocol):
    """A router whose plan is a :class:`TokenPlan`."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def plan(self, experts: ExpertStack) -> TokenPlan: ...  # noqa: D102


@dataclass(frozen=True)
class Arrow:
    """Arrow (Ostapenko et al. 2024, "Towards Modular LLMs by Building and Reusing a Library of LoRAs").

    An expert's prototype on a layer is the top right singular vector of B A, here exact and deterministic;
    its score for x is |v . x|. Nothing is trained.
    """

    top_k: int = 3
    temperature: float = 1.0
    name: str = "arrow"

    def plan(self, experts: ExpertStack) -> TokenPlan:
        """Prototypes of all layers, by QR and the SVD of r x r matrices."""
        vectors = {
            module: linalg.top_direction(one.A.float(), one.B.float())[:, None]
            for module, one in experts.items()
        }
        return TokenPlan(vectors, self.top_k, self.temperature)


@dataclass(frozen=True)
class Spectr:
    """SPECTR (Fleshman and Van Durme 2025, "SpectR: Dynamically Composing LM Experts with Spectral Routing").

    An expert's score is the length of what it would add, |s B A x|, worked out as |S V^T x| from the SVD of
    s B A. The experts' own weights stay as they are.
    """

    top_k: int = 3
    temperature: float = 1.0
    name: str = "spectr"

    def plan(self, experts: ExpertStack) -> TokenPlan:
        """The right singular vectors of all layers, as long as their singular values."""
        return TokenPlan(
            {module: _spectrum(one) for module, one in experts.items()}, self.top_k, self.temperature
        )


@dataclass(frozen=True)
class GenKnowSub:
    """General knowledge subtraction (2025): what experts of general text share is taken out of each expert.

    The mean of the ``general`` experts is subtracted from all others, which ``inner`` then routes; the
    general ones themselves are never chosen. ``space="outputs"`` subtracts products B A, at a higher rank;
    ``space="parameters"`` subtracts A from A and B from B, as the paper and PEFT do (PEFT overwrites the
    experts for it; here they stay as they are).
    """

    general: tuple[str, ...]
    inner: TokenRouter = field(default_factory=Arrow)
    space: Space = "outputs"
    name: str = "genknowsub"

    def plan(self, experts: ExpertStack) -> TokenPlan:
        """The inner router's plan for what is left of the experts."""
        at = [experts.index(name) for name in self.general]
        if not at or len(at) == len(experts.names):
            raise LibraryError("genknowsub needs one general expert at least, and one that is not general")
        subtract = _subtract_parameters if self.space == "parameters" else _subtract_outputs
        rest = ExpertStack(experts.names, {key: subtract(one, at) for key, one in experts.items()})
        plan = self.inner.plan(rest)
        bias = {}
        for module, one in rest.items():
            bias[module] = plan.bias.get(module, torch.zeros(len(one.A))).clone()
            bias[module][at] = -torch.inf
        return replace(plan, bias=bias, experts=rest)


def _spectrum(one: ModuleStack) -> Tensor:
    values, vectors = linalg.singular(one.A.float(), one.scaled_b())
    return values[..., None] * vectors


def _subtract_outputs(one: ModuleStack, at: list[int]) -> ModuleStack:
    """[A; A_g ...] and [s B, -s_g B_g / G ...]: the product is s B A minus the mean of the general ones."""
    count, scaled = len(one.A), one.scaled_b()
    shared_a = one.A[at].float().flatten(0, 1).expand(count, -1, -1)
    shared_b = -torch.cat(list(scaled[at]), 1).expand(count, -1, -1) / len(at)
    return ModuleStack(
        torch.cat([one.A.float(), shared_a], 1),
        torch.cat([scaled, shared_b], 2),
        torch.ones_like(one.scale),
        one.present,
    )


def _subtract_parameters(one: ModuleStack, at: list[int]) -> ModuleStack:
    a, b = one.A.float(), one.B.float()
    there = one.present[:, None, None]
    return ModuleStack((a - a[at].mean(0)) * there, (b - b[at].mean(0)) * there, one.scale, one.present)
