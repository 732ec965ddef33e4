"""Poly and MHR: skills learned jointly by tasks that are made of them, then new tasks of few examples.

The symbols are in three groups; for each there are three rules. A task is a choice of one rule for each
group, so that new tasks are new combinations of rules that were seen.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lora_papers import world
from lora_papers.base import Size, loss_after
from lora_papers.families import settings
from torch import Tensor

from debug_gym.lora import ExpertLibrary, attach
from debug_gym.lora.adapter import Pairs
from debug_gym.lora.routing.base import Folded
from debug_gym.lora.routing.poly import PolyRouting
from debug_gym.lora.routing.static import OneExpert, Uniform
from debug_gym.lora.stack import ExpertStack
from debug_gym.lora.train import PolySettings, TrainingSettings, add_skills, fit_task, train_poly, tune_task
from debug_gym.lora.train.experts import train_on

GROUPS, RULES, RANK, SKILLS = 3, 3, 4, 8
TRAINED = 12
"""Tasks of the joint training."""


class Combinations:
    """Tasks ``000`` to ``222``: the rule of each group."""

    def __init__(self, size: Size, seed: int) -> None:
        self.draw = torch.Generator().manual_seed(seed)
        width = world.SYMBOLS // GROUPS
        self.rules = [
            [torch.randperm(width, generator=self.draw) + width * group for _ in range(RULES)]
            for group in range(GROUPS)
        ]
        choices = list(itertools.product(range(RULES), repeat=GROUPS))
        order = torch.randperm(len(choices), generator=self.draw).tolist()
        self.trained = [choices[at] for at in order[:TRAINED]]
        self.new = [choices[at] for at in order[TRAINED : TRAINED + size.new_tasks]]

    def data(self, choice: tuple[int, ...], count: int) -> Tensor:
        """Sequences of a task."""
        rule = torch.cat([self.rules[group][at] for group, at in enumerate(choice)])
        x = torch.randint(world.SYMBOLS, (count, world.LENGTH), generator=self.draw)
        return world.rewriting(x, rule)


def skills(model: Any, size: Size, seed: int, folder: Path) -> dict[str, float]:
    """Nats for a token of new tasks of few examples, the mean over them."""
    tasks = Combinations(size, seed)
    trained = {_name(one): _rows(tasks.data(one, size.joint_examples)) for one in tasks.trained}
    joint: dict[str, tuple[ExpertLibrary, PolyRouting]] = {}
    for how, heads in (("Poly", 1), ("MHR", 8)):
        library = ExpertLibrary.create(folder / how, "base")
        given = settings(size, seed, rank=RANK, max_steps=size.joint_steps).model_dump()
        poly = PolySettings(**given, skills=SKILLS, heads=heads)
        found, routing = train_poly(model, trained, poly, folder / f"{how}.work")
        if not len(library):
            add_skills(library, found, routing, "routing.safetensors")
        joint[how] = library, routing
    scores: dict[str, list[float]] = {}
    for choice in tasks.new:
        few, test = _rows(tasks.data(choice, size.few)), tasks.data(choice, size.tested)
        work = folder / f"new-{_name(choice)}"
        scores.setdefault("base", []).append(
            float(loss_after(model, test.to(model.device), world.LENGTH + 2))
        )
        given = settings(size, seed, rank=RANK, max_steps=size.few_steps)
        for how, pairs in _adapted(model, joint, few, given, work):
            scores.setdefault(how, []).append(_loss(model, joint["Poly"][0], pairs, test))
    return {how: sum(found) / len(found) for how, found in scores.items()}


def _adapted(
    model: Any,
    joint: dict[str, tuple[ExpertLibrary, PolyRouting]],
    few: list[world.Row],
    given: TrainingSettings,
    work: Path,
) -> Iterator[tuple[str, Pairs]]:
    """Each method's LoRA for a new task."""
    fast = given.model_copy(update={"learning_rate": 0.1})
    alone = ExpertLibrary.create(work / "library", "base")
    train_on(alone, "lora", model, few, given, work / "lora", replace=True)
    yield "LoRA alone", _folded(alone, "lora")
    for how, (library, routing) in joint.items():
        yield how, tune_task(model, library, routing, "new", few, given, work / how)
        frozen = fit_task(model, library, routing, "new", few, fast, work / f"{how}-z")
        yield f"{how}-z", dict(frozen.task("new").plan(library.stack()).pairs)
        mean = Uniform(space="parameters").plan(library.stack()).pairs
        name = f"{how}-mu"
        train_on(alone, name, model, few, given, work / name, start=mean, replace=True)
        yield name, _folded(alone, name)


def _folded(library: ExpertLibrary, name: str) -> Pairs:
    return dict(OneExpert(name).plan(library.stack([name])).pairs)


class _Ready:
    """A router that gives one LoRA, whatever the library holds."""

    name = "ready"

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def plan(self, experts: ExpertStack) -> Folded:
        return Folded(self.pairs)


@torch.no_grad()
def _loss(model: Any, library: ExpertLibrary, pairs: Pairs, test: Tensor) -> float:
    routed = attach(model, library, _Ready(pairs))
    try:
        return float(loss_after(model, test.to(model.device), world.LENGTH + 2))
    finally:
        routed.detach()


def _rows(ids: Tensor) -> list[world.Row]:
    return world.rows(ids, world.LENGTH + 2)


def _name(choice: tuple[int, ...]) -> str:
    return "".join(map(str, choice))
