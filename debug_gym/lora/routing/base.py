"""The protocol that all routers follow, and the plans that they make of a stack of experts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from debug_gym.lora.adapter import Pairs
from debug_gym.lora.stack import ExpertStack

if TYPE_CHECKING:
    from debug_gym.lora.attach import RoutedModel


@dataclass(frozen=True)
class Folded:
    """A static plan: every token gets the same LoRA. It is an ordinary PEFT adapter of scale 1."""

    pairs: Pairs


@dataclass(frozen=True)
class TokenPlan:
    """Each token chooses experts on each layer: score them, keep the ``top_k``, mix by softmax(score / T).

    The score of an expert with prototypes P (p, in) for an input x is |P x| (the Euclidean norm; for one
    prototype the absolute dot product), or P x itself when ``signed``, plus its bias.
    """

    prototypes: Mapping[str, Tensor]
    """Module -> (experts, p, in), float32."""
    top_k: int
    temperature: float
    signed: bool = False
    unit: bool = False
    """Whether x is scaled to unit length first, so that scores are cosines."""
    bias: Mapping[str, Tensor] = field(default_factory=dict)
    """Module -> (experts,), float32."""
    experts: ExpertStack | None = None
    """Experts to mix in place of the stack's own (its names, in its order)."""


class RequestPlan(Protocol):
    """Each request chooses experts once, by its prompt."""

    def choose(self, model: "RoutedModel", input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, experts) weights for prompts of shape (batch, tokens); mask 0: padding."""
        ...


Plan = Folded | TokenPlan | RequestPlan


class Router(Protocol):
    """What decides which experts act."""

    @property
    def name(self) -> str:
        """How it is called in lists of models."""
        ...

    def plan(self, experts: ExpertStack) -> Plan:
        """How these experts act: worked out once, when the router is attached."""
        ...
