"""Keys and values of many conversations at a time, in one tensor a layer: a row a conversation.

A row's tokens stand at its beginning, one column a token, so that positions are columns and nothing is padded
on the left. The rows in use come first, so that a batch is a slice and nothing is copied to make it. A row
that is out of use keeps its tokens: a conversation that goes on, or another that begins alike, is computed
from the first token that differs.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import Cache

COLUMNS = 256
"""Columns are allocated in multiples of this."""


@dataclass
class Row:
    """What a row holds."""

    key: Hashable = None
    """Tokens can be used again only under the same key: their keys and values depend on the experts."""
    tokens: list[int] = field(default_factory=list)
    used: int = 0
    """When it was last used, on a counter."""

    def common(self, key: Hashable, tokens: Sequence[int]) -> int:
        """How many of the first tokens it shares."""
        if key != self.key:
            return 0
        count = min(len(self.tokens), len(tokens))
        if self.tokens[:count] == list(tokens[:count]):
            return count
        return next(i for i in range(count) if self.tokens[i] != tokens[i])


class RowCache(Cache):
    """A ``transformers`` cache over rows; ``aim`` says which rows and columns the next forward writes."""

    def __init__(self, most: int) -> None:
        """``most``: rows that there may be."""
        super().__init__(layers=[])
        self._most = most
        self.rows: list[Row] = []
        self.active = 0
        """The first rows are in use."""
        self._keys: dict[int, Tensor] = {}
        self._values: dict[int, Tensor] = {}
        self._columns = self._clock = 0
        self._rows, self._positions, self._width = slice(0, 0), torch.empty(0), 0

    def reserve(self, rows: int, columns: int) -> None:
        """Make room; what is there stays. It grows by half at least, so that little is copied."""
        if rows > len(self.rows):
            self.rows += [Row() for _ in range(rows - len(self.rows))]
        if columns > self._columns:
            self._columns = _rounded(max(columns, self._columns * 3 // 2))
        longest = max(len(row.tokens) for row in self.rows)
        for store in (self._keys, self._values):
            for layer, kept in store.items():
                if kept.shape[0] < len(self.rows) or kept.shape[2] < self._columns:
                    grown = store[layer] = self._empty(kept)
                    grown[: kept.shape[0], :, :longest] = kept[:, :, :longest]

    def size_after(self, columns: int) -> int:
        """Tokens that there would be room for with one more conversation of this length."""
        rows = min(self._most, len(self.rows) + 1) if columns else len(self.rows)
        return rows * max(self._columns, _rounded(columns))

    def clear(self) -> None:
        """Give the memory back and forget all rows."""
        self._keys.clear()
        self._values.clear()
        self.rows, self._columns, self.active = [], 0, 0

    def begin(self, key: Hashable, tokens: Sequence[int]) -> int:
        """Take a further row into use for a conversation that begins with these tokens.

        The row's number is ``active - 1`` afterwards. All rows must not be in use yet.

        Returns:
            How many tokens the row holds already; one is always left to compute.
        """
        shared = [row.common(key, tokens) for row in self.rows]
        best = max(range(len(shared)), key=shared.__getitem__, default=0)
        count = min(shared[best], len(tokens) - 1) if shared else 0
        idle = range(self.active, len(self.rows))
        if best in idle and 2 * count >= len(self.rows[best].tokens):
            chosen = best
        else:  # what idle rows hold may be wanted again
            chosen = len(self.rows)
            if chosen == self._most:
                chosen = min(idle, key=lambda number: self.rows[number].used)
        self.reserve(chosen + 1, len(tokens))
        if count and chosen != best:
            self._copy(best, chosen, count)
        self.swap(chosen, self.active)
        self._clock += 1
        self.rows[self.active] = Row(key, list(tokens[:count]), self._clock)
        self.active += 1
        return count

    def end(self, number: int) -> None:
        """Take a row out of use; the last one in use gets its number."""
        self.active -= 1
        self.swap(number, self.active)
        self._clock += 1
        self.rows[self.active].used = self._clock

    def aim(self, start: int, positions: Tensor, width: int) -> None:
        """Say where the next forward writes: rows from ``start`` on, at ``positions`` (rows, tokens).

        It reads the first ``width`` columns.
        """
        self._rows = slice(start, start + len(positions))
        self._positions, self._width = positions, width

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's keys and values (rows, heads, tokens, size), and return all that is to be read."""
        return (
            self._write(self._keys, layer_idx, key_states),
            self._write(self._values, layer_idx, value_states),
        )

    def _write(self, store: dict[int, Tensor], layer: int, states: Tensor) -> Tensor:
        if layer not in store:
            store[layer] = self._empty(states)
        kept = store[layer]
        first = int(self._positions[0, 0])
        if len(states) == 1:
            kept[self._rows, :, first : first + states.shape[2]] = states
        else:
            numbers = torch.arange(self._rows.start, self._rows.stop, device=states.device)
            kept[numbers[:, None], :, self._positions] = states.transpose(1, 2)
        return kept[self._rows, :, : self._width]

    def _empty(self, like: Tensor) -> Tensor:
        """Zeros: what is masked must still be finite."""
        return like.new_zeros(len(self.rows), like.shape[1], self._columns, like.shape[3])

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Columns before those of the next forward; of several rows, the most."""
        return self._width - self._positions.shape[-1]

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        """Columns that the next forward reads, from the first one on."""
        return self._width, 0

    def _tensors(self) -> list[Tensor]:
        return [*self._keys.values(), *self._values.values()]

    def _copy(self, source: int, target: int, count: int) -> None:
        for tensor in self._tensors():
            tensor[target, :, :count] = tensor[source, :, :count]

    def swap(self, one: int, other: int) -> None:
        """Let two rows change places."""
        if one == other:
            return
        rows = self.rows
        count = max(len(rows[one].tokens), len(rows[other].tokens))
        for tensor in self._tensors():
            kept = tensor[one, :, :count].clone()
            tensor[one, :, :count] = tensor[other, :, :count]
            tensor[other, :, :count] = kept
        rows[one], rows[other] = rows[other], rows[one]


def _rounded(columns: int) -> int:
    return -(-columns // COLUMNS) * COLUMNS
