"""Routers by which each token chooses experts on each layer."""

from dataclasses import dataclass

from debug_gym.lora import linalg
from debug_gym.lora.routing.base import TokenPlan
from debug_gym.lora.stack import ExpertStack


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
        directions = {
            module: linalg.top_direction(one.A.float(), one.B.float())[:, None]
            for module, one in experts.items()
        }
        return TokenPlan(directions, self.top_k, self.temperature)
