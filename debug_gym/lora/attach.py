"""Make a transformers model use a library of experts, and say how."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

from debug_gym.errors import LibraryError
from debug_gym.lora.choice import RowChoice, Scores
from debug_gym.lora.layer import Mode, RoutedGroup, RoutingState
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing.base import Folded, Plan, RequestPlan, Router, TokenPlan
from debug_gym.lora.routing.static import OneExpert
from debug_gym.lora.stack import ExpertStack, ModuleStack

SHARED_INPUTS = (
    ("q_proj", "k_proj", "v_proj"),
    ("query", "key", "value"),
    ("gate_proj", "up_proj"),
    ("w1", "w3"),
)
"""Linears of one parent that transformers' models call with one and the same input."""


class Routed:
    """Marks a row of a batch that the router decides: see :data:`ROUTED`."""


ROUTED: Final = Routed()
Row = str | Mapping[str, float] | Routed | None
"""An expert's name, weights by name, :data:`ROUTED`, or None for the base alone."""


def attach(
    model: nn.Module,
    library: ExpertLibrary | ExpertStack,
    router: Router | str | None = None,
    *,
    experts: Sequence[str] | None = None,
) -> "RoutedModel":
    """Let ``model`` use the experts of a library. The model is changed in place; ``detach`` undoes it.

    Args:
        model: a transformers model on which the library's experts were trained.
        library: the library, or the stack of its experts that should be at hand.
        router: what decides; the name of an expert: that one; None: the base alone, until told otherwise.
        experts: only these experts of the library.

    Raises:
        LibraryError: the experts belong to a model of other layers or shapes, or others are attached already.
    """
    stack = library.stack(experts) if isinstance(library, ExpertLibrary) else library
    if experts is not None and isinstance(library, ExpertStack):
        stack = library.select(experts)
    routed = RoutedModel(model, stack)
    routed.use(router)
    return routed


class RoutedModel:
    """A model with a library attached. Which experts act can be changed between any two forward passes."""

    def __init__(self, model: nn.Module, experts: ExpertStack) -> None:
        self.model, self.experts, self.state = model, experts, RoutingState()
        self.router: Router | None = None
        self._plans: dict[Router, Plan] = {}
        self._loaded = experts
        self._requests: RequestPlan | None = None
        self._by_hand = False
        """Whether somebody assigned rows: a request router then leaves them alone."""
        self._hook = model.register_forward_pre_hook(self._before, with_kwargs=True)
        self._groups = _make_groups(model, experts, self.state)
        self._linears: list[nn.Module] = []
        for modules, group in self._groups:
            for place, module in enumerate(modules):
                linear = model.get_submodule(module)
                linear.forward = functools.partial(group.member, place=place)
                self._linears.append(linear)

    def use(self, router: Router | str | None) -> None:
        """Change what decides: a router, an expert's name, or None for the base. Forgets assigned rows."""
        wanted = OneExpert(router) if isinstance(router, str) else router
        if wanted is not None and wanted not in self._plans:
            self._plans[wanted] = wanted.plan(self.experts)
        self._requests, self.router = None, wanted
        if wanted is not None:
            self._apply(self._plans[wanted])
        self.assign(None)

    def assign(self, rows: Sequence[Row] | None) -> None:
        """Choose experts for each row of the batches to come; None: the router decides for all again.

        Raises:
            UnknownNameError: no such expert.
            LibraryError: a row should be routed, but no router that could is in use.
        """
        if rows is None:
            self.state.version += 1
            self.state.rows, self._by_hand = None, False
            self.state.mode = "off" if self.router is None or self._requests else "routed"
            return
        follow = torch.tensor([row is ROUTED for row in rows])
        if (self.router is None or self._requests) and bool(follow.any()):
            raise LibraryError(
                "a row should be routed, but no router by token is in use: call use(router); for a router "
                "by request assign the weights that choose() gives"
            )
        weights = torch.zeros(len(rows), len(self.experts.names))
        for at, row in enumerate(rows):
            chosen = {row: 1.0} if isinstance(row, str) else row if isinstance(row, Mapping) else {}
            for name, weight in chosen.items():
                weights[at, self.experts.index(name)] = weight
        self.assign_weights(weights, follow)

    def assign_weights(self, weights: Tensor, follow: Tensor | None = None) -> None:
        """The same from a tensor (rows, experts); ``follow`` (rows,): rows that the router decides."""
        self._assign(weights, follow)
        self._by_hand = True

    def _assign(self, weights: Tensor, follow: Tensor | None = None) -> None:
        self.state.version += 1
        nobody = torch.zeros(len(weights), dtype=torch.bool)
        self.state.rows = RowChoice(weights.detach().float().cpu(), nobody if follow is None else follow)
        self.state.mode = "routed"

    def choose(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """What the request router in use chooses for prompts (batch, tokens): weights (batch, experts).

        Nothing is assigned. It happens by itself, and is assigned, whenever the model is called with a new
        prompt; a server that batches prompts itself asks here and assigns rows.

        Raises:
            LibraryError: the router in use does not choose by request.
        """
        requests, before = self._requests, (self.state.rows, self.state.mode, self._by_hand)
        if requests is None:
            raise LibraryError("the router in use does not choose by request")
        self._requests = None  # what it computes with this model is no request
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        try:
            with torch.no_grad():
                return requests.choose(self, input_ids, mask)
        finally:
            self._requests = requests
            self.state.rows, self.state.mode, self._by_hand = before
            self.state.version += 1

    @contextmanager
    def off(self) -> Iterator[nn.Module]:
        """Within it the model is exactly its base: a teacher for distillation at no cost."""
        mode, requests = self.state.mode, self._requests
        self._requests = None
        self._set_mode("off")
        try:
            yield self.model
        finally:
            self._requests = requests
            self._set_mode(mode)

    def detach(self) -> nn.Module:
        """The model as it was before."""
        self._hook.remove()
        for linear in self._linears:
            vars(linear).pop("forward", None)
        self._linears = []
        return self.model

    def _set_mode(self, mode: Mode) -> None:
        self.state.mode = mode
        self.state.version += 1

    def _apply(self, plan: Plan) -> None:
        if not isinstance(plan, Folded | TokenPlan):
            self._requests = plan
            return
        wanted = (isinstance(plan, TokenPlan) and plan.experts) or self.experts
        for modules, group in self._groups:
            if wanted is not self._loaded:
                group.load(*_weights(modules, wanted))
            if isinstance(plan, Folded):
                group.fold([plan.pairs.get(module) for module in modules])
            else:
                group.route(_scores(plan, [self.experts[module] for module in modules], modules))
        self._loaded = wanted

    def _before(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A request router sees each new prompt; what continues one keeps its experts."""
        requests = self._requests
        past = kwargs.get("cache", kwargs.get("past_key_values"))  # transformers is renaming it
        if requests is None or self._by_hand or (past is not None and past.get_seq_length() > 0):
            return
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None:
            raise LibraryError("a request router needs input_ids: it cannot read inputs_embeds")
        self._assign(self.choose(ids, kwargs.get("attention_mask")))


def _scores(plan: TokenPlan, stacks: Sequence[ModuleStack], modules: Sequence[str]) -> Scores:
    bias = torch.zeros(len(modules), stacks[0].present.shape[0])
    for at, (module, stack) in enumerate(zip(modules, stacks, strict=True)):
        bias[at] = plan.bias.get(module, bias[at])
        bias[at, ~stack.present] = -torch.inf
    prototypes = torch.stack([plan.prototypes[module] for module in modules])
    return Scores(
        prototypes, plan.top_k, plan.temperature, plan.signed, plan.unit, bias if bool(bias.any()) else None
    )


def _make_groups(
    model: nn.Module, experts: ExpertStack, state: RoutingState
) -> list[tuple[list[str], RoutedGroup]]:
    for module, stack in experts.items():
        _check_fits(model, module, stack)
    return [(modules, _make_group(model, modules, experts, state)) for modules in _by_input(list(experts))]


def _make_group(
    model: nn.Module, modules: Sequence[str], experts: ExpertStack, state: RoutingState
) -> RoutedGroup:
    A, B, scale = _weights(modules, experts)
    return RoutedGroup([model.get_submodule(module) for module in modules], A, B, scale, state=state)


def _weights(modules: Sequence[str], experts: ExpertStack) -> tuple[list[Tensor], list[Tensor], Tensor]:
    stacks = [experts[module] for module in modules]
    scale = torch.stack([stack.scale for stack in stacks])
    return [stack.A for stack in stacks], [stack.B for stack in stacks], scale


def _by_input(modules: Sequence[str]) -> list[list[str]]:
    """Groups of modules that get the same input."""
    groups: dict[tuple[str, object], list[str]] = {}
    for module in modules:
        parent, _, name = module.rpartition(".")
        shared = next((names for names in SHARED_INPUTS if name in names), name)
        groups.setdefault((parent, shared), []).append(module)
    return list(groups.values())


def _check_fits(model: nn.Module, module: str, stack: ModuleStack) -> None:
    try:
        linear = model.get_submodule(module)
    except AttributeError:
        raise LibraryError(
            f"the experts change {module}, which {type(model).__name__} does not have: they belong to "
            "another model"
        ) from None
    if "forward" in vars(linear):
        raise LibraryError(
            f"{module} is attached or patched already: detach the first library before the next"
        )
    inside, outside = stack.A.shape[-1], stack.B.shape[1]
    weight = getattr(linear, "weight", None)
    has = (getattr(linear, "in_features", None), getattr(linear, "out_features", None))
    if has == (None, None) and isinstance(weight, Tensor) and weight.ndim == 2:  # GPT-2's Conv1D
        has = (weight.shape[0], weight.shape[1])
    if has != (inside, outside):
        raise LibraryError(
            f"the experts change {module} from {inside} to {outside} features, but this model's goes from "
            f"{has[0]} to {has[1]}: they belong to another base model"
        )
