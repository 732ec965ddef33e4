"""The weights of many experts as one tensor for each module: what routing, folding and clustering work on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from debug_gym.errors import LibraryError, UnknownNameError
from debug_gym.lora.expert import Expert


@dataclass(frozen=True)
class ModuleStack:
    """All experts of one linear layer. Smaller ranks are padded with zeros, which changes no product B A."""

    A: Tensor
    """(experts, rank, in)."""
    B: Tensor
    """(experts, out, rank)."""
    scale: Tensor
    """(experts,), float32: what B A x is multiplied with."""
    present: Tensor
    """(experts,), bool: the experts that have a LoRA on this layer; the others' A and B are zero."""

    def scaled_b(self) -> Tensor:
        """B times its scale, in float32."""
        return self.B.float() * self.scale[:, None, None]


class ExpertStack(Mapping[str, ModuleStack]):
    """Module name -> :class:`ModuleStack`; ``names`` are the experts, in the order of first dimensions."""

    def __init__(self, names: Sequence[str], modules: Mapping[str, ModuleStack]) -> None:
        self.names, self._modules = tuple(names), dict(modules)

    @classmethod
    def of(cls, experts: Sequence[Expert]) -> "ExpertStack":
        """Read experts from their folders.

        Raises:
            LibraryError: there are none, or their shapes differ, which experts of one base cannot.
        """
        if not experts:
            raise LibraryError("there are no experts: add some with  debug-gym library add")
        loaded = [expert.pairs() for expert in experts]
        modules = {module: None for pairs in loaded for module in pairs}
        built = {}
        for module in modules:
            pairs = [found.get(module) for found in loaded]
            scales = [expert.config.scale(module) for expert in experts]
            built[module] = _stack(module, [expert.name for expert in experts], pairs, scales)
        return cls([expert.name for expert in experts], built)

    def __getitem__(self, module: str) -> ModuleStack:
        return self._modules[module]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        """How many modules; the number of experts is ``len(stack.names)``."""
        return len(self._modules)

    def index(self, name: str) -> int:
        """The place of an expert.

        Raises:
            UnknownNameError: there is no such expert.
        """
        if name not in self.names:
            raise UnknownNameError("expert", name, self.names)
        return self.names.index(name)

    def select(self, names: Iterable[str]) -> "ExpertStack":
        """Some of the experts, in the order given."""
        chosen = list(names)
        at = torch.tensor([self.index(name) for name in chosen])
        cut = {
            key: ModuleStack(one.A[at], one.B[at], one.scale[at], one.present[at])
            for key, one in self.items()
            if bool(one.present[at].any())
        }
        return ExpertStack(chosen, cut)


def _stack(
    module: str,
    names: Sequence[str],
    pairs: Sequence[tuple[Tensor, Tensor] | None],
    scales: Sequence[float],
) -> ModuleStack:
    first_a, first_b = next(pair for pair in pairs if pair is not None)
    ends = (first_a.shape[1], first_b.shape[0])
    for name, pair in zip(names, pairs, strict=True):
        if pair is not None and (pair[0].shape[1], pair[1].shape[0]) != ends:
            raise LibraryError(
                f"the expert {name!r} changes {module} from {pair[0].shape[1]} to {pair[1].shape[0]} "
                f"features, others from {ends[0]} to {ends[1]}: it belongs to another base model"
            )
    rank = max(pair[0].shape[0] for pair in pairs if pair is not None)
    A = [_widen(first_a.new_zeros(1, ends[0]) if pair is None else pair[0], 0, rank) for pair in pairs]
    B = [_widen(first_b.new_zeros(ends[1], 1) if pair is None else pair[1], 1, rank) for pair in pairs]
    present = torch.tensor([pair is not None for pair in pairs])
    return ModuleStack(torch.stack(A), torch.stack(B), torch.tensor(scales, dtype=torch.float32), present)


def _widen(matrix: Tensor, dimension: int, rank: int) -> Tensor:
    missing = rank - matrix.shape[dimension]
    if not missing:
        return matrix
    return torch.nn.functional.pad(matrix, (0, 0, 0, missing) if dimension == 0 else (0, missing))
