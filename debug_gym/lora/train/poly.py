"""Skills learned jointly with what tasks make of them: Poly, and with several heads MHR, by PEFT's Poly.

Afterwards the skills are experts of a library, and the tasks a
:class:`~debug_gym.lora.routing.poly.PolyRouting`: each folds into one ordinary adapter.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PolyConfig
from pydantic import Field
from torch import Tensor, nn

from debug_gym.errors import LibraryError
from debug_gym.lora.adapter import AdapterConfig, Pairs, write_config, write_pairs
from debug_gym.lora.expert import ExpertCard
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing.poly import PolyRouting
from debug_gym.lora.stack import ExpertStack, ModuleStack
from debug_gym.lora.train.data import Rows
from debug_gym.lora.train.fit import Progress, TrainingSettings, adapted, fit

_NAME = "default"


class PolySettings(TrainingSettings):
    """How skills are trained jointly. PEFT's Poly has no alpha and no dropout: they are not used."""

    skills: int = Field(default=8, ge=1)
    heads: int = Field(default=1, ge=1)
    """1 is Poly; more is MHR: so many blocks of each layer's features get weights of their own."""


def train_poly(
    model: nn.Module,
    tasks: Mapping[str, Rows],
    settings: PolySettings,
    folder: Path,
    *,
    on_progress: Progress | None = None,
) -> tuple[list[Pairs], PolyRouting]:
    """Learn skills and routing together; the model is as it was afterwards.

    Args:
        model: the base.
        tasks: name -> its rows (see :func:`debug_gym.lora.train.experts.rows_of`).
        settings: ``heads`` must divide the features of every target.
        folder: for checkpoints and ``curve.json``; an interrupted training goes on from there.
        on_progress: told of each measured loss.

    Returns:
        A and B of each skill, to be scaled by 1 / rank, and the routing of the tasks over ``skill-0`` ...
    """
    with adapted(model, _config(settings, len(tasks)), settings.seed) as peft:
        fit(peft, _numbered(tasks), settings, folder, on_progress=on_progress)
        names = tuple(f"skill-{at}" for at in range(settings.skills))
        return _skills(peft), PolyRouting(tuple(tasks), names, _logits(peft, settings))


def add_skills(library: ExpertLibrary, skills: Sequence[Pairs], routing: PolyRouting, file: str) -> None:
    """Make skills experts of the library, and save the routing in its folder as ``file``."""
    for name, pairs in zip(routing.skills, skills, strict=True):
        rank = len(next(iter(pairs.values()))[0])
        config = AdapterConfig(
            r=rank, lora_alpha=1, target_modules=sorted(pairs), base_model_name_or_path=library.base
        )

        def fill(into: Path, config: AdapterConfig = config, pairs: Pairs = pairs) -> None:
            write_config(into, config)
            write_pairs(into, pairs)

        card = ExpertCard(base=library.base, trained_on=", ".join(routing.tasks), made_by={"poly": name})
        library.write(name, fill, card)
    routing.save(library.folder / file)


def fit_task(
    model: nn.Module,
    library: ExpertLibrary,
    routing: PolyRouting,
    task: str,
    rows: Rows,
    settings: TrainingSettings,
    folder: Path,
) -> PolyRouting:
    """MHR-z: a new task is made of the skills that there are; only its z is trained, all else is frozen.

    A task that is a person gives that person's style vector: ``routing.vector(task)``.
    """
    _, learned = _fit_new(model, library, routing, task, rows, settings, folder, skills_too=False)
    return routing.with_task(task, learned.vector(task))


def tune_task(
    model: nn.Module,
    library: ExpertLibrary,
    routing: PolyRouting,
    task: str,
    rows: Rows,
    settings: TrainingSettings,
    folder: Path,
) -> Pairs:
    """Poly and MHR: for a new task its z and copies of the skills are trained together.

    Returns:
        The task's LoRA, of the skills' rank and scale 1. The library is as it was.
    """
    skills, learned = _fit_new(model, library, routing, task, rows, settings, folder, skills_too=True)
    stacks = {}
    for module, (a, _) in skills[0].items():
        scale, present = torch.full((len(skills),), 1 / len(a)), torch.ones(len(skills), dtype=torch.bool)
        pairs = [one[module] for one in skills]
        both = (torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs]))
        stacks[module] = ModuleStack(*both, scale, present)
    mixed = learned.task(task).plan(ExpertStack(routing.skills, stacks))
    return dict(mixed.pairs)


def _fit_new(
    model: nn.Module,
    library: ExpertLibrary,
    routing: PolyRouting,
    task: str,
    rows: Rows,
    settings: TrainingSettings,
    folder: Path,
    *,
    skills_too: bool,
) -> tuple[list[Pairs], PolyRouting]:
    """Skills, to be scaled by 1 / rank, and z of one new task."""
    stack = library.stack(routing.skills)
    heads = next(iter(routing.logits.values())).shape[1]
    rank = next(iter(stack.values())).A.shape[1]
    targets = tuple(sorted(routing.logits))
    poly = PolySettings(
        **{**settings.model_dump(), "rank": rank, "targets": targets}, skills=len(stack.names), heads=heads
    )
    with adapted(model, _config(poly, 1), poly.seed) as peft:
        for module, layer in _layers(peft):
            one = stack[module]
            if not torch.equal(one.scale, one.scale[:1].expand_as(one.scale)):
                raise LibraryError("the skills have different scales: they were not trained together")
            layer.poly_lora_A[_NAME].data.copy_(_split_a(one.A.float(), heads))
            layer.poly_lora_B[_NAME].data.copy_(_split_b(one.B.float() * one.scale[0] * rank, heads))
            layer.poly_lora_A[_NAME].requires_grad_(skills_too)
            layer.poly_lora_B[_NAME].requires_grad_(skills_too)
        fit(peft, _numbered({task: rows}), poly, folder)
        return _skills(peft), PolyRouting((task,), routing.skills, _logits(peft, poly))


def _config(settings: PolySettings, tasks: int) -> PolyConfig:
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    return PolyConfig(
        task_type="CAUSAL_LM",
        r=settings.rank,
        target_modules=targets,
        n_tasks=tasks,
        n_skills=settings.skills,
        n_splits=settings.heads,
    )


def _numbered(tasks: Mapping[str, Rows]) -> Rows:
    return [{**row, "task_ids": torch.tensor(at)} for at, rows in enumerate(tasks.values()) for row in rows]


def _layers(peft: Any) -> Iterator[tuple[str, Any]]:
    for name, module in peft.base_model.model.named_modules():
        if hasattr(module, "poly_lora_A"):
            yield name, module


def _logits(peft: Any, settings: PolySettings) -> dict[str, Tensor]:
    shape = (-1, settings.heads, settings.skills)
    return {
        name: layer.poly_router[_NAME].module_logits.detach().float().cpu().view(shape).clone()
        for name, layer in _layers(peft)
    }


def _skills(peft: Any) -> list[Pairs]:
    """PEFT keeps A as (heads, skills, in / heads, rank), B as (heads, skills, rank, out / heads)."""
    found: list[Pairs] = []
    for name, layer in _layers(peft):
        a = layer.poly_lora_A[_NAME].detach().cpu().permute(1, 3, 0, 2).flatten(2)
        b = layer.poly_lora_B[_NAME].detach().cpu().permute(1, 0, 3, 2).flatten(1, 2)
        found = found or [{} for _ in a]
        for pairs, one_a, one_b in zip(found, a, b, strict=True):
            pairs[name] = (one_a.clone(), one_b.clone())
    return found


def _split_a(a: Tensor, heads: int) -> Tensor:
    return a.view(*a.shape[:2], heads, -1).permute(2, 0, 3, 1)


def _split_b(b: Tensor, heads: int) -> Tensor:
    return b.view(len(b), heads, -1, b.shape[-1]).permute(1, 0, 3, 2)
