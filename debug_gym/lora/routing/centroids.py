"""Routing by where experts' training data lies: the mean input of each layer over an expert's own texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from debug_gym.errors import LibraryError
from debug_gym.lora.expert import PROTOTYPES, Expert
from debug_gym.lora.library import ExpertLibrary
from debug_gym.lora.routing.base import TokenPlan
from debug_gym.lora.stack import ExpertStack

if TYPE_CHECKING:
    from debug_gym.lora.attach import RoutedModel

Batch = tuple[Tensor, Tensor]
"""Token ids and attention mask, (batch, tokens) each."""


@dataclass(frozen=True, eq=False)
class Centroids:
    """The expert whose centroid lies in the direction of x, seen from the mean of all centroids.

    The score is (x - m) . (c - m) / |c - m|, with c the expert's centroid on the layer and m their mean.
    """

    centers: Mapping[str, Mapping[str, Tensor]]
    """Expert -> module -> (in,), float32."""
    top_k: int = 1
    temperature: float = 1.0
    name: str = "centroids"

    @classmethod
    def stored(cls, library: ExpertLibrary, top_k: int = 1, temperature: float = 1.0) -> "Centroids":
        """Those that :func:`store_centroids` left in the experts' folders.

        Raises:
            LibraryError: an expert has none.
        """
        return cls({name: _read(library[name]) for name in library}, top_k, temperature)

    def plan(self, experts: ExpertStack) -> TokenPlan:
        """Directions from the mean to each centroid, and the bias that moves the origin into the mean."""
        vectors, bias = {}, {}
        for module, one in experts.items():
            rows = [self._center(name, module, one.A.shape[-1]) for name in experts.names]
            centers = torch.stack(rows).float()
            mean = centers.mean(0)
            direction = torch.nn.functional.normalize(centers - mean, dim=-1)
            vectors[module], bias[module] = direction[:, None], -(direction @ mean)
        return TokenPlan(vectors, self.top_k, self.temperature, signed=True, bias=bias)

    def _center(self, expert: str, module: str, width: int) -> Tensor:
        found = self.centers.get(expert, {}).get(module)
        if found is None or found.shape != (width,):
            raise LibraryError(
                f"the expert {expert!r} has no centroid on {module}: store some with store_centroids()"
            )
        return found


def centroids(model: "RoutedModel", batches: Iterable[Batch]) -> dict[str, Tensor]:
    """Module -> (in,), float32: the mean input of each of the base's layers, over all tokens but padding."""
    sums = {module: torch.zeros(one.A.shape[-1]) for module, one in model.experts.items()}
    count = 0
    mask: Tensor | None = None

    def watch(module: str) -> torch.utils.hooks.RemovableHandle:
        def add(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            assert mask is not None
            sums[module] += inputs[0][mask].float().sum(0).cpu()

        return model.model.get_submodule(module).register_forward_pre_hook(add)

    handles = [watch(module) for module in sums]
    try:
        with model.off(), torch.no_grad():
            for ids, attention in batches:
                mask, count = attention.bool(), count + int(attention.sum())
                model.model(input_ids=ids, attention_mask=attention, use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    if not count:
        raise LibraryError("there are no tokens to take centroids of")
    return {module: total / count for module, total in sums.items()}


def store_centroids(library: ExpertLibrary, name: str, centers: Mapping[str, Tensor]) -> Expert:
    """Keep an expert's centroids beside its weights; its checksums then cover them too."""

    def fill(folder: Path) -> None:
        save_file({module: center.contiguous() for module, center in centers.items()}, folder / PROTOTYPES)

    return library.amend(name, fill)


def _read(expert: Expert) -> dict[str, Tensor]:
    path = expert.folder / PROTOTYPES
    if not path.is_file():
        raise LibraryError(f"the expert {expert.name!r} has no centroids: store some with store_centroids()")
    return load_file(path)
