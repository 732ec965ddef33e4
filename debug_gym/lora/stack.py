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
    there = [pair for pair in pairs if pair is not None]
    rank = max(len(a) for a, _ in there)
    inside, outside = there[0][0].shape[1], there[0][1].shape[0]
    kind = there[0][0].dtype
    A = torch.empty(len(pairs), rank, inside, dtype=kind)
    B = torch.empty(len(pairs), outside, rank, dtype=kind)
    for e, pair in enumerate(pairs):
        if pair is None:
            A[e], B[e] = 0, 0
            continue
        a, b = pair
        if a.shape[1] != inside or b.shape[0] != outside:
            raise LibraryError(
                f"the expert {names[e]!r} changes {module} from {a.shape[1]} to {b.shape[0]} features, "
                f"others from {inside} to {outside}: it belongs to another base model"
            )
        A[e, : len(a)], B[e, :, : len(a)] = a, b
        A[e, len(a) :], B[e, :, len(a) :] = 0, 0
    present = torch.tensor([pair is not None for pair in pairs])
    return ModuleStack(A, B, torch.tensor(scales, dtype=torch.float32), present)
