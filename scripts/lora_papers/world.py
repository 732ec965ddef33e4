"""What the small model reads: sequences that are rewritten, and documents that are asked about.

Tokens: 24 symbols, 16 keys, 16 values, and markers. A rewriting is ``BEGIN x SPLIT y``, where y follows from
x symbol by symbol; a document is ``DOCUMENT k v k v ...``, a question about it ``ASK k v``.
"""

import torch
from torch import Tensor

SYMBOLS, KEYS = 24, 16
FIRST_KEY, FIRST_VALUE = SYMBOLS, SYMBOLS + KEYS
BEGIN, SPLIT, DOCUMENT, ASK, ASK_AGAIN = range(SYMBOLS + 2 * KEYS, SYMBOLS + 2 * KEYS + 5)
VOCABULARY = ASK_AGAIN + 1
LENGTH = 8
"""Symbols in a sequence."""
FACTS = 8
"""Facts in a document."""
IGNORED = -100

Row = dict[str, Tensor]


def rewriting(x: Tensor, rule: Tensor) -> Tensor:
    """(n, 2 LENGTH + 2) token ids for sequences x (n, LENGTH) and a rule (SYMBOLS,): symbol -> symbol."""
    begin, split = torch.full((len(x), 1), BEGIN), torch.full((len(x), 1), SPLIT)
    return torch.cat([begin, x, split, rule[x]], 1)


def documents(count: int, facts: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Keys and values (count, facts); no key and no value comes twice in a document."""
    keys, values = (torch.rand(count, KEYS, generator=random).argsort(1)[:, :facts] for _ in range(2))
    return FIRST_KEY + keys, FIRST_VALUE + values


def written(keys: Tensor, values: Tensor) -> Tensor:
    """(n, 1 + 2 facts): the documents' tokens."""
    mark = torch.full((len(keys), 1), DOCUMENT)
    return torch.cat([mark, torch.stack([keys, values], -1).flatten(1)], 1)


def questions(keys: Tensor, values: Tensor, ask: Tensor | int) -> Tensor:
    """(n, 3 asked): ``ask k v`` for each key and value (n, asked)."""
    mark = torch.as_tensor(ask).expand(keys.shape)
    return torch.stack([mark, keys, values], -1).flatten(1)


def rows(ids: Tensor, learned_from: int = 1) -> list[Row]:
    """Rows to train on; what comes before ``learned_from`` is only read."""
    labels = ids.clone()
    labels[:, :learned_from] = IGNORED
    where = torch.arange(ids.shape[1])
    return [
        {"input_ids": one, "labels": wanted, "position_ids": where}
        for one, wanted in zip(ids, labels, strict=True)
    ]
