"""Many experts into one adapter: what static routers amount to."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from debug_gym.errors import LibraryError
from debug_gym.lora import linalg
from debug_gym.lora.adapter import AdapterConfig, Pairs
from debug_gym.lora.stack import ExpertStack, ModuleStack

Space = Literal["outputs", "parameters"]


def average(
    experts: ExpertStack, weights: Sequence[float], space: Space = "outputs", rank: int | None = None
) -> Pairs:
    """The weighted sum of experts as one LoRA of scale 1, float32.

    Args:
        experts: of any ranks and targets; on a layer that one lacks it counts as zero.
        weights: one for each expert.
        space: ``outputs`` sums w B A, ``parameters`` multiplies the sums of w B and of w A.
        rank: at most this, by the best approximation; None: exact.

    Raises:
        LibraryError: the weights are not one for each expert.
    """
    if len(weights) != len(experts.names):
        raise LibraryError(f"there are {len(experts.names)} experts but {len(weights)} weights")
    pairs = (average_parameters if space == "parameters" else average_outputs)(experts, weights)
    return pairs if rank is None else truncate(pairs, rank)


def average_outputs(experts: ExpertStack, weights: Sequence[float]) -> Pairs:
    """sum(w_e B_e A_e), exactly: the experts' ranks one after the other."""
    return {module: _concatenate(one, torch.tensor(weights)) for module, one in experts.items()}


def average_parameters(experts: ExpertStack, weights: Sequence[float]) -> Pairs:
    """(sum w_e s_e B_e)(sum w_e A_e) at the experts' own rank; s_e is the scale."""
    w = torch.tensor(weights)
    return {
        module: (
            torch.einsum("e,eri->ri", w, one.A.float()),
            torch.einsum("e,eor->or", w, one.scaled_b()),
        )
        for module, one in experts.items()
    }


def average_blocks(experts: ExpertStack, weights: Mapping[str, Tensor]) -> Pairs:
    """Multi-head mixing: A's columns and B's rows are cut into equal blocks, each with weights of its own.

    Args:
        experts: all of one rank.
        weights: module -> (heads, experts).

    Raises:
        LibraryError: features that the heads do not divide.
    """
    mixed = {}
    for module, w in weights.items():
        one = experts[module]
        heads, inside, outside = len(w), one.A.shape[-1], one.B.shape[1]
        if inside % heads or outside % heads:
            raise LibraryError(f"{module} goes from {inside} to {outside} features: not {heads} equal blocks")
        a = one.A.float().view(len(one.A), -1, heads, inside // heads)
        b = one.scaled_b().view(len(one.B), heads, outside // heads, -1)
        mixed[module] = (
            torch.einsum("he,erhi->rhi", w, a).reshape(-1, inside),
            torch.einsum("he,ehor->hor", w, b).reshape(outside, -1),
        )
    return mixed


def truncate(pairs: Pairs, rank: int) -> Pairs:
    """Each B A at no more than ``rank``; smaller ones stay as they are."""
    return {
        module: linalg.truncate(a, b, rank) if len(a) > rank else (a, b) for module, (a, b) in pairs.items()
    }


def config_of(pairs: Pairs, base: str | None, revision: str | None = None) -> AdapterConfig:
    """The ``adapter_config.json`` under which PEFT computes exactly B A x: scale 1 on every module."""
    ranks = {module: len(a) for module, (a, _) in pairs.items()}
    common = max(set(ranks.values()), key=list(ranks.values()).count)
    others = {module: rank for module, rank in sorted(ranks.items()) if rank != common}
    return AdapterConfig(
        base_model_name_or_path=base,
        revision=revision,
        r=common,
        lora_alpha=common,
        rank_pattern=dict(others),
        alpha_pattern=dict(others),
        target_modules=sorted(pairs),
        inference_mode=True,  # type: ignore[call-arg]  # extra fields are kept
    )


def _concatenate(one: ModuleStack, weights: Tensor) -> tuple[Tensor, Tensor]:
    keep = one.present & (weights != 0)
    if not keep.any():
        return one.A[0, :1].float() * 0, one.B[0, :, :1].float() * 0
    a, b = one.A[keep].float(), one.scaled_b()[keep] * weights[keep][:, None, None]
    return a.reshape(-1, a.shape[-1]), b.transpose(0, 1).reshape(b.shape[1], -1)
