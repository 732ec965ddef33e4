"""The conversation with a model, kept in turns so that no tool result ever loses its call."""

from collections.abc import Sequence

from debug_gym.agents.models import Message


class History:
    """Opening messages, then turns: each is a message of the model with everything that answers it.

    A window of N sends the opening and the last N turns. Turns stay or go as a whole.
    """

    def __init__(self, opening: Sequence[Message], window: int | None = None) -> None:
        self._opening = list(opening)
        self._turns: list[list[Message]] = []
        self._window = window

    def begin(self, message: Message) -> None:
        """Start a turn with what the model said."""
        self._turns.append([message])

    def answer(self, message: Message) -> None:
        """Add an answer to the turn that runs."""
        self._turns[-1].append(message)

    def messages(self) -> list[Message]:
        """What to send: the opening says how many turns are left out."""
        kept = self._turns if self._window is None else self._turns[-self._window :]
        opening = list(self._opening)
        if left_out := len(self._turns) - len(kept):
            note = f"\n\n({left_out} earlier step(s) of this conversation are left out.)"
            opening[-1] = {**opening[-1], "content": opening[-1]["content"] + note}
        return [*opening, *(message for turn in kept for message in turn)]

    def shrink(self) -> bool:
        """Halve the window; False where there is none or only one turn is left."""
        if self._window is None or (kept := min(self._window, len(self._turns))) < 2:
            return False
        self._window = kept // 2
        return True
