"""Many experts into one ordinary PEFT adapter, in the library or in a folder; one into its base."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from debug_gym.errors import LibraryError
from debug_gym.lora import fold
from debug_gym.lora.adapter import CONFIG, Pairs, write_config, write_pairs
from debug_gym.lora.expert import Expert, ExpertCard
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing.base import Folded, Router


def merge(
    library: ExpertLibrary,
    weights: Mapping[str, float] | Sequence[str],
    into: str,
    *,
    space: fold.Space = "outputs",
    rank: int | None = None,
    replace: bool = False,
) -> Expert:
    """Add the weighted sum of experts to the library, as a new expert.

    Args:
        library: where they are.
        weights: by name; or names alone, which are averaged.
        into: the new expert's name.
        space: see :func:`debug_gym.lora.fold.average`.
        rank: of the new expert at most; None: exact, the sum of their ranks.
        replace: overwrite an expert of that name.

    Raises:
        UnknownNameError: no such expert.
        LibraryError: no experts, or the name is taken.
    """
    if not isinstance(weights, Mapping):
        weights = dict.fromkeys(weights, 1 / max(1, len(weights)))
    stack = library.stack(weights)
    pairs = fold.average(stack, list(weights.values()), space, rank)
    made_by = {"merge": dict(weights), "space": space, "rank": rank}
    card = ExpertCard(base=library.base, description=f"{' + '.join(weights)}", made_by=made_by)
    return add_pairs(library, into, pairs, card, replace=replace)


def add_pairs(
    library: ExpertLibrary, name: str, pairs: Pairs, card: ExpertCard, *, replace: bool = False
) -> Expert:
    """Add an expert that is at hand as A and B of scale 1, rather than in a folder."""
    return library.write(name, lambda folder: write_adapter(folder, pairs, card.base), card, replace=replace)


def fold_router(library: ExpertLibrary, router: Router, folder: Path, rank: int | None = None) -> Path:
    """Write a static router as one PEFT adapter that computes what it computes: any server can serve it.

    Raises:
        LibraryError: the router chooses by token or by request, or ``folder`` exists.
    """
    plan = router.plan(library.stack())
    if not isinstance(plan, Folded):
        raise LibraryError(
            f"the router {router.name!r} chooses by token or request: only static routers fold"
        )
    if folder.exists():
        raise LibraryError(f"{folder} exists already: choose a new folder for the adapter")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".folding-") as scratch:
        made = Path(scratch, "adapter")
        made.mkdir()
        write_adapter(made, plan.pairs if rank is None else fold.truncate(plan.pairs, rank), library.base)
        made.rename(folder)
    return folder


def write_adapter(folder: Path, pairs: Pairs, base: str | None) -> None:
    """``adapter_config.json`` and ``adapter_model.safetensors`` for A and B of scale 1."""
    write_config(folder, fold.config_of(pairs, base))
    write_pairs(folder, pairs)


def open_module(folder: str | Path) -> Expert:
    """The one adapter in ``folder``: the folder of an expert, or a library that holds only one.

    Raises:
        LibraryError: there is none, or there are several.
    """
    place = Path(folder).expanduser()
    if (place / CONFIG).is_file():
        return Expert.read(place)
    library = ExpertLibrary.open(place)
    if len(library) != 1:
        known = ", ".join(str(place / name) for name in library) or "none"
        raise LibraryError(f"{place} holds {len(library)} modules: name the folder of one ({known})")
    return next(iter(library.values()))


def merge_into(model: nn.Module, expert: Expert) -> None:
    """Add an adapter to the weights of its base, in place: W + s B A. It then acts beside everything else.

    Raises:
        LibraryError: the adapter belongs to another model, or the weights are quantised.
    """
    for module, (a, b) in expert.pairs().items():
        try:
            weight = model.get_submodule(module).weight
        except AttributeError:
            raise LibraryError(
                f"{expert.folder} changes {module}, which {type(model).__name__} does not have: it belongs "
                "to another model"
            ) from None
        if not isinstance(weight, Tensor) or not weight.is_floating_point():
            raise LibraryError(f"{module} is quantised: an adapter cannot be added to its weights")
        change = expert.config.scale(module) * (b.float() @ a.float())
        if type(model.get_submodule(module)).__name__ == "Conv1D":  # GPT-2 keeps W transposed
            change = change.T
        if change.shape != weight.shape:
            raise LibraryError(
                f"{expert.folder} changes {module} by {tuple(change.shape)}, but its weight is "
                f"{tuple(weight.shape)}: it belongs to another model"
            )
        with torch.no_grad():
            weight.copy_((weight.float() + change.to(weight.device)).to(weight.dtype))
