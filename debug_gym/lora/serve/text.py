"""Tokens to text as they come: whole characters only, and nothing of a stop string."""

from collections.abc import Sequence
from typing import Any

REPLACED = "\N{REPLACEMENT CHARACTER}"
WINDOW = 8
"""Tokens that are decoded again with each new one: characters of several tokens, and spaces between words,
depend on the neighbours."""


class TextStream:
    """The text of one reply as it grows."""

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self._tokenizer, self._stop = tokenizer, [text for text in stop if text]
        self._tokens: list[int] = []
        self._start = self._read = 0
        self._whole = ""
        self._given = 0
        self.stopped = False
        """A stop string was written; the text ends before it."""

    @property
    def text(self) -> str:
        """All of it so far, whole characters only."""
        return self._whole

    def add(self, token: int) -> str:
        """A further token; what of the text is certain now and was not given before."""
        self._tokens.append(token)
        before = self._decode(self._tokens[self._start : self._read])
        now = self._decode(self._tokens[self._start :])
        if not now.endswith(REPLACED) or len(self._tokens) - self._read >= WINDOW:
            self._whole += now[len(before) :]
            self._start, self._read = self._read, len(self._tokens)
        return self._certain()

    def end(self) -> str:
        """The reply is over; the rest of the text."""
        if not self.stopped and self._read < len(self._tokens):
            before = self._decode(self._tokens[self._start : self._read])
            self._whole += self._decode(self._tokens[self._start :])[len(before) :]
            self._read = len(self._tokens)
        rest = self._certain()
        rest += self._whole[self._given :]
        self._given = len(self._whole)
        return rest

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def _certain(self) -> str:
        searched = max(0, self._given)
        found = [at for stop in self._stop if (at := self._whole.find(stop, searched)) >= 0]
        if found:
            self.stopped, self._whole = True, self._whole[: min(found)]
        held = 0 if self.stopped else max((_overlap(self._whole, stop) for stop in self._stop), default=0)
        new = self._whole[self._given : len(self._whole) - held]
        self._given += len(new)
        return new


def _overlap(text: str, stop: str) -> int:
    """How many of the text's last characters could be the beginning of a stop string."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
