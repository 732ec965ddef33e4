"""Routers that treat every token alike. Each folds into one ordinary PEFT adapter."""

from dataclasses import dataclass

from debug_gym.lora import fold
from debug_gym.lora.routing.base import Folded
from debug_gym.lora.stack import ExpertStack


@dataclass(frozen=True)
class OneExpert:
    """The oracle: somebody knows which expert a task needs."""

    expert: str

    @property
    def name(self) -> str:
        """The expert's."""
        return self.expert

    def plan(self, experts: ExpertStack) -> Folded:
        """That expert alone, at its own rank."""
        return Folded(fold.average_outputs(experts.select([self.expert]), [1.0]))


@dataclass(frozen=True)
class Uniform:
    """All experts, weighted alike.

    ``space="outputs"`` averages what they compute, sum(B_e A_e) / E, exactly at rank E r, or at ``rank`` by a
    truncated SVD. ``space="parameters"`` averages A and B apart, as the papers do: (sum B / E)(sum A / E);
    experts that did not start from one initialisation do not survive that.
    """

    space: fold.Space = "outputs"
    rank: int | None = None
    name: str = "uniform"

    def plan(self, experts: ExpertStack) -> Folded:
        """The average."""
        weights = [1 / len(experts.names)] * len(experts.names)
        return Folded(fold.average(experts, weights, self.space, self.rank))
