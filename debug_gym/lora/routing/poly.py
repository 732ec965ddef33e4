"""Poly and multi-head routing: tasks as learned mixtures of skills, on each layer and block of features.

Ponti et al. 2022, "Combining Modular Skills in Multitask Learning"; Caccia et al. 2022, "Multi-Head Adapter
Routing for Cross-Task Generalization". :mod:`debug_gym.lora.train.poly` learns them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from debug_gym.errors import LibraryError, UnknownNameError
from debug_gym.lora import fold
from debug_gym.lora.routing.base import Folded
from debug_gym.lora.stack import ExpertStack


@dataclass(frozen=True, eq=False)
class Mixture:
    """One task of a :class:`PolyRouting`: A and B of the skills, mixed block by block with its weights."""

    skills: tuple[str, ...]
    weights: Mapping[str, Tensor]
    """Module -> (heads, skills), each row summing to 1. One head is Poly, several are MHR."""
    name: str = "poly"

    def plan(self, experts: ExpertStack) -> Folded:
        """One LoRA of the skills' own rank."""
        return Folded(fold.average_blocks(experts.select(self.skills), self.weights))


@dataclass(frozen=True, eq=False)
class PolyRouting:
    """What tasks are made of. Saved as one safetensors file."""

    tasks: tuple[str, ...]
    skills: tuple[str, ...]
    logits: Mapping[str, Tensor]
    """Module -> z of shape (tasks, heads, skills), float32."""

    def task(self, name: str) -> Mixture:
        """The router of a task: sigmoid(z), scaled to sum 1 over the skills.

        Raises:
            UnknownNameError: no such task.
        """
        at = self._index(name)
        weights = {module: mixing_weights(z[at]) for module, z in self.logits.items()}
        return Mixture(self.skills, weights, f"poly:{name}")

    def vector(self, name: str) -> Tensor:
        """All z of a task in one row, modules in alphabetical order; if tasks are people: their style."""
        at = self._index(name)
        return torch.cat([self.logits[module][at].flatten() for module in sorted(self.logits)])

    def with_task(self, name: str, vector: Tensor) -> "PolyRouting":
        """The same with one more task (or a task replaced), given as a row like :meth:`vector`'s."""
        sizes = [self.logits[module][0].numel() for module in sorted(self.logits)]
        if vector.shape != (sum(sizes),):
            raise LibraryError(
                f"a task's vector here has {sum(sizes)} entries, not the shape {tuple(vector.shape)}"
            )
        keep = [at for at, task in enumerate(self.tasks) if task != name]
        parts = dict(zip(sorted(self.logits), torch.split(vector.float(), sizes), strict=True))
        logits = {
            key: torch.cat([z[keep], parts[key].view(1, *z.shape[1:])]) for key, z in self.logits.items()
        }
        return PolyRouting((*(self.tasks[at] for at in keep), name), self.skills, logits)

    def save(self, path: Path) -> None:
        """Write to one file, atomically."""
        about = {"tasks": json.dumps(self.tasks), "skills": json.dumps(self.skills), "format": "pt"}
        scratch = path.with_name(path.name + ".new")
        save_file({module: z.contiguous() for module, z in self.logits.items()}, scratch, metadata=about)
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> "PolyRouting":
        """Read what :meth:`save` wrote.

        Raises:
            LibraryError: there is no such file, or it is another kind of file.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
                logits = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # not a dict
            return cls(tuple(json.loads(about["tasks"])), tuple(json.loads(about["skills"])), logits)
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise LibraryError(f"{path} holds no Poly routing: {error}") from error

    def _index(self, task: str) -> int:
        if task not in self.tasks:
            raise UnknownNameError("task", task, self.tasks)
        return self.tasks.index(task)


def mixing_weights(logits: Tensor) -> Tensor:
    """sigmoid(z) / sum over the last dimension, as Poly defines it (and PEFT computes it)."""
    gates = logits.float().sigmoid()
    return gates / (gates.sum(-1, keepdim=True) + 1e-12)


def steer(vector: Tensor, group: Sequence[Tensor], population: Sequence[Tensor], strength: float) -> Tensor:
    """z + strength (mean of the group - mean of the population): a vector moved towards a group's style."""
    return vector + strength * (torch.stack(list(group)).mean(0) - torch.stack(list(population)).mean(0))
