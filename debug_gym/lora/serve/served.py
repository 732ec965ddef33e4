"""What one loaded model can be asked as: its base, each expert of a library, each router among them."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from debug_gym.errors import UnknownNameError
from debug_gym.lora.attach import ROUTED, RoutedModel, Row, attach
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing import Router
from debug_gym.lora.routing.base import Folded, Plan, RequestPlan, TokenPlan

CONVERSATIONS = 256
"""Requests whose experts are remembered, for those that go on."""
BASE = "base"
"""The base model is known by this name too, beside its own."""


@dataclass(frozen=True)
class Choice:
    """Which experts one request uses."""

    row: Row = None
    """What its rows of a batch are assigned; ``ROUTED``: ``router`` decides for each token."""
    router: Router | None = None
    key: str = ""
    """Requests with the same key have the same keys and values for the same tokens."""


class ServedModels:
    """Names to choices. Not safe for threads: it runs the model to choose, as the engine does."""

    def __init__(
        self, model: Any, library: ExpertLibrary | None = None, routers: Sequence[Router] = ()
    ) -> None:
        """Attach the library, if there is one.

        Raises:
            LibraryError: the experts belong to another model.
        """
        self.model = model
        self._routers: Mapping[str, Router] = {router.name: router for router in routers}
        self._routed: RoutedModel | None = attach(model, library) if library is not None else None
        self._plans: dict[str, Plan] = {}
        self._chosen_for: deque[tuple[str, tuple[int, ...], Choice]] = deque(maxlen=CONVERSATIONS)
        self._using: Router | None = None

    @property
    def experts(self) -> tuple[str, ...]:
        """The experts' names."""
        return tuple(self._routed.experts.names) if self._routed else ()

    @property
    def routers(self) -> tuple[str, ...]:
        """The routers' names."""
        return tuple(self._routers)

    def check(self, name: str) -> None:
        """See that a name is known.

        Raises:
            UnknownNameError: it is not.
        """
        if name not in (BASE, *self.experts, *self.routers):
            raise UnknownNameError("expert or router", name, [BASE, *self.experts, *self.routers])

    def choose(self, name: str, prompt: Sequence[int]) -> Choice:
        """What a request uses that asks for a name.

        A request router reads its prompt; a conversation that goes on keeps what was chosen for it.
        """
        self.check(name)
        if name in self.experts:
            return Choice(row=name, key=name)
        if name not in self._routers or self._routed is None:
            return Choice()
        router = self._routers[name]
        if name not in self._plans:
            self._plans[name] = router.plan(self._routed.experts)
        plan = self._plans[name]
        if isinstance(plan, Folded | TokenPlan):
            return Choice(row=ROUTED, router=router, key=f"router {name}")
        choice = self._kept(name, prompt) or self._chosen(plan, self._routed, prompt)
        self._chosen_for.append((name, tuple(prompt), choice))
        return choice

    def _kept(self, name: str, prompt: Sequence[int]) -> Choice | None:
        """What was chosen for the beginning of this conversation."""
        for asked, begun, choice in reversed(self._chosen_for):
            if asked == name and begun == tuple(prompt[: len(begun)]):
                return choice
        return None

    def _chosen(self, plan: RequestPlan, routed: RoutedModel, prompt: Sequence[int]) -> Choice:
        ids = torch.tensor([list(prompt)], device=self.model.device)
        with torch.no_grad():
            weights = plan.choose(routed, ids, torch.ones_like(ids))[0].tolist()
        chosen = {expert: weight for expert, weight in zip(self.experts, weights, strict=True) if weight}
        return Choice(row=chosen, key=str(chosen))

    def assign(self, choices: Sequence[Choice]) -> None:
        """Say who uses what in the forward passes to come; at most one router may be among them."""
        if self._routed is None:
            return
        router = next((choice.router for choice in choices if choice.router), None)
        if router is not None and router != self._using:
            self._routed.use(router)
            self._using = router
        self._routed.assign([choice.row for choice in choices])

    def detach(self) -> None:
        """The model as it was before."""
        if self._routed is not None:
            self._routed.detach()
            self._routed = None
