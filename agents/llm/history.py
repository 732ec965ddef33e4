"""The conversation with a model, kept in turns so that no tool result ever loses its call."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Literal

from debug_gym.agents.models import Message

Policy = Literal["full", "window", "elide", "summarise"]
KEPT = 300
"""Characters of an old result's beginning, and of its end, that stay when it is elided."""
SHRUNK = 0.75
"""What is left of the conversation's length after shrinking, at most."""
ALL = sys.maxsize


class History:
    """Opening messages, then turns: each is a message of the model with everything that answers it.

    Turns stay or go as a whole. The last ``window`` of them stay as they are. What happens to older ones is
    for the policy to say: nothing (``full``), they are left out (``window``), their results are cut to
    beginning and end (``elide``), or a summary takes their place (``summarise``, see ``overdue``). Turns are
    elided, and summarised, several at a time, so that a server's prompt cache is of use in between.
    """

    def __init__(self, opening: Sequence[Message], policy: Policy = "full", window: int = 20) -> None:
        self.summary = ""
        """What stands for the turns that were summarised."""
        self._opening = list(opening)
        self._turns: list[list[Message]] = []
        self._summarised = self._dropped = 0
        self._summarises = policy == "summarise"
        self._whole = ALL if policy == "full" else window
        self._sent = window if policy == "window" else ALL

    def begin(self, message: Message) -> None:
        """Start a turn with what the model said."""
        self._turns.append([message])

    def answer(self, key: str, text: str) -> None:
        """Add the result of one of the turn's calls. Results stand in the order of their calls."""
        said, *answers = self._turns[-1]
        order = [call["id"] for call in said["tool_calls"]]
        answers.append({"role": "tool", "tool_call_id": key, "content": text})
        self._turns[-1][1:] = sorted(answers, key=lambda answer: order.index(answer["tool_call_id"]))

    def correct(self, text: str) -> None:
        """Answer a turn that has no calls."""
        self._turns[-1].append({"role": "user", "content": text})

    def messages(self) -> list[Message]:
        """What to send; the opening's last message says what is left out."""
        sent = self._turns[-self._sent :]
        opening, notes = list(self._opening), []
        if self.summary:
            notes.append(f"Summary of {self._summarised} earlier step(s):\n{self.summary}")
        if left_out := self._dropped + len(self._turns) - len(sent):
            notes.append(f"({left_out} earlier step(s) of this conversation are left out.)")
        if notes:
            opening[-1] = {**opening[-1], "content": "\n\n".join([opening[-1]["content"], *notes])}
        return [*opening, *self._flat(self._whole, self._sent)]

    def overdue(self) -> list[Message]:
        """The turns that a summary should replace now: none, or all but the last ``window``."""
        return [message for turn in self._turns[: self._due()] for message in turn]

    def replace_overdue(self, summary: str) -> None:
        """Put a summary, which covers the last one too, in the place of ``overdue``.

        An empty one changes nothing about the last one: the turns are left out.
        """
        due = self._due()
        del self._turns[:due]
        if summary.strip():
            self.summary = summary.strip()
            self._summarised += due
        else:
            self._dropped += due

    def shrink(self) -> bool:
        """Make the turns shorter by a quarter at least; False where that cannot be done.

        First old results are elided, then old turns are left out, then the last turn's results are elided.
        """
        count = min(self._sent, len(self._turns))
        goal = SHRUNK * _length(self._flat(self._whole, self._sent))
        for sent in _halves(count):
            for whole in _halves(min(self._whole, sent)):
                if _length(self._flat(whole, sent)) <= goal:
                    self._whole, self._sent = whole, self._sent if sent == count else sent
                    return True
        if count:
            self._turns[-1] = [_elided(message) for message in self._turns[-1]]
        return count > 0 and _length(self._flat(self._whole, self._sent)) <= goal

    def _due(self) -> int:
        due = self._summarises and len(self._turns) >= 2 * self._whole
        return len(self._turns) - self._whole if due else 0

    def _flat(self, whole: int, sent: int) -> list[Message]:
        """The last ``sent`` turns as messages; of all but the last ``whole``, or a few more, elided."""
        turns = self._turns[-sent:]
        old = max(0, len(turns) - whole)
        old -= old % max(1, whole // 2)
        elided = [_elided(message) for turn in turns[:old] for message in turn]
        return [*elided, *(message for turn in turns[old:] for message in turn)]


def _elided(message: Message) -> Message:
    text = message["content"]
    if message["role"] != "tool" or (left_out := len(text) - 2 * KEPT) <= KEPT:
        return message
    note = f"\n\n({left_out} characters of this result are left out.)\n\n"
    return {**message, "content": text[:KEPT] + note + text[-KEPT:]}


def _length(messages: Sequence[Message]) -> int:
    return len(json.dumps(messages))


def _halves(number: int) -> Iterator[int]:
    """The number, half of it, and so on down to 1."""
    while number:
        yield number
        number //= 2
