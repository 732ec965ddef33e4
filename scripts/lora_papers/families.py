"""MBC and Arrow: tasks of a few families, one expert a task, and who should share and who should act.

A family is a rule, symbol to symbol. A task of it shows some of the symbols, so that what a sequence is made
of tells something about its task, and what its brothers show helps it.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lora_papers import world
from lora_papers.base import Size, loss_after
from torch import Tensor

from debug_gym.lora import Arrow, ExpertLibrary, Uniform, attach
from debug_gym.lora.routing import PrefixLikelihood
from debug_gym.lora.train import TrainingSettings, cluster
from debug_gym.lora.train.experts import train_on

SHOWN = 16
"""Symbols of a task."""
PRIVATE = "private"
"""Folder of experts of one task each, trained to the end."""
Groups = Sequence[Sequence[str]]


class Tasks:
    """Tasks ``f0-t0`` ... with their data."""

    def __init__(self, size: Size, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.families: dict[str, int] = {}
        self.train: dict[str, Tensor] = {}
        self.test: dict[str, Tensor] = {}
        for family in range(size.families):
            rule = torch.randperm(world.SYMBOLS, generator=draw)
            for task in range(size.tasks):
                name = f"f{family}-t{task}"
                shown = torch.randperm(world.SYMBOLS, generator=draw)[:SHOWN]
                self.families[name] = family
                for part, count in ((self.train, size.examples), (self.test, size.tested)):
                    x = shown[torch.randint(SHOWN, (count, world.LENGTH), generator=draw)]
                    part[name] = world.rewriting(x, rule)


def settings(size: Size, seed: int, **more: Any) -> TrainingSettings:
    """As all experts here are trained."""
    given = {"rank": 4, "alpha": 8, "learning_rate": 5e-3, "batch": 16, "max_steps": size.steps}
    return TrainingSettings(**{**given, "checkpoint_every": 10**6, "log_every": 50, "seed": seed, **more})


def build(model: Any, tasks: Tasks, groups: Groups, folder: Path, made: TrainingSettings) -> ExpertLibrary:
    """One expert for each group of tasks, called like its first; initialisations are independent."""
    library = ExpertLibrary.create(folder / "library", "base")
    for at, group in enumerate(groups):
        data = torch.cat([tasks.train[name] for name in group])
        if group[0] not in library:
            updates = made.max_steps * len(group)  # as many in all, whoever shares
            own = made.model_copy(update={"seed": 1000 * made.seed + at, "max_steps": updates})
            train_on(library, group[0], model, world.rows(data), own, folder / group[0])
    return library


def clusters(model: Any, size: Size, seed: int, folder: Path) -> dict[str, float]:
    """Nats for a token of what is rewritten, the mean over tasks: who shares an expert with whom."""
    tasks = Tasks(size, seed)
    names = list(tasks.train)
    private = build(model, tasks, [[name] for name in names], folder / PRIVATE, settings(size, seed))
    stack = private.stack()
    shuffled = random.Random(seed).sample(names, len(names))
    groupings: dict[str, Groups] = {
        "MBC": cluster(stack, size.families, seed=seed),
        "random": [shuffled[at :: size.families] for at in range(size.families)],
        "shared": [names],
    }
    scores = {"base": _mean(model, tasks, None, {})}
    scores["private"] = _mean(model, tasks, private, {name: name for name in names})
    for how, groups in groupings.items():
        library = build(model, tasks, groups, folder / how, settings(size, seed))
        scores[how] = _mean(model, tasks, library, {name: group[0] for group in groups for name in group})
    by_parameters = cluster(stack, size.families, compare="parameters", seed=seed)
    scores["found by functions"] = rand_index(groupings["MBC"], tasks.families)
    scores["found by parameters"] = rand_index(by_parameters, tasks.families)
    return scores


def routers(model: Any, size: Size, seed: int, folder: Path, steps: int) -> dict[str, float]:
    """Nats for a token, by who chooses among the tasks' own experts, trained for so many steps."""
    tasks = Tasks(size, seed)
    made = settings(size, seed, max_steps=steps)
    place = folder / (PRIVATE if steps == size.steps else f"after-{steps}")
    library = build(model, tasks, [[name] for name in tasks.train], place, made)
    scores = {"base": _mean(model, tasks, None, {})}
    scores["oracle"] = _mean(model, tasks, library, {name: name for name in tasks.train})
    for router in (Uniform(), Arrow(), PrefixLikelihood(tokens=world.LENGTH + 1)):
        scores[router.name] = _mean(model, tasks, library, dict.fromkeys(tasks.train, router))
    return scores


def _mean(model: Any, tasks: Tasks, library: ExpertLibrary | None, by: Mapping[str, Any]) -> float:
    """The mean over tasks of the loss under what ``by`` names for each: an expert or a router."""
    return sum(_losses(model, tasks, library, by)) / len(tasks.test)


@torch.no_grad()
def _losses(
    model: Any, tasks: Tasks, library: ExpertLibrary | None, by: Mapping[str, Any]
) -> Iterator[float]:
    routed = attach(model, library) if library else None
    try:
        for name, ids in tasks.test.items():
            if routed:
                routed.use(by[name])
            yield float(loss_after(model, ids.to(model.device), world.LENGTH + 2))
    finally:
        if routed:
            routed.detach()


def rand_index(groups: Groups, families: Mapping[str, int]) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985): 1: the groups are the families; 0: as by chance."""
    found = {name: at for at, group in enumerate(groups) for name in group}
    names = list(families)
    pairs = [(one, other) for at, one in enumerate(names) for other in names[:at]]
    together = sum(found[a] == found[b] for a, b in pairs)
    kin = sum(families[a] == families[b] for a, b in pairs)
    both = sum(found[a] == found[b] and families[a] == families[b] for a, b in pairs)
    chance, most = together * kin / len(pairs), (together + kin) / 2
    return (both - chance) / (most - chance) if most != chance else 1.0
