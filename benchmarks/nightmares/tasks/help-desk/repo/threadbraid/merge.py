"""Merging of sequences that are in order already."""

from __future__ import annotations

from typing import Any, Callable, Sequence, TypeVar

T = TypeVar("T")


def merge(first: Sequence[T], second: Sequence[T], key: Callable[[T], Any]) -> list[T]:
    """Merge two ordered sequences into one."""
    merged: list[T] = []
    i = j = 0
    while i < len(first) and j < len(second):
        if key(first[i]) < key(second[j]):
            merged.append(first[i])
            i += 1
        else:
            merged.append(second[j])
            j += 1
    merged.extend(first[i:])
    merged.extend(second[j:])
    return merged


def merge_all(sequences: Sequence[Sequence[T]], key: Callable[[T], Any]) -> list[T]:
    """Merge any number of ordered sequences, pair by pair, so that each item moves only a few times."""
    runs: list[Sequence[T]] = list(sequences)
    while len(runs) > 1:
        paired = [merge(runs[n], runs[n + 1], key) for n in range(0, len(runs) - 1, 2)]
        runs = [*paired, runs[-1]] if len(runs) % 2 else list(paired)
    return list(runs[0]) if runs else []
