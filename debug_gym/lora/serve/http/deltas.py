"""The text of a stream as it may be sent: what could still become a tool call or reasoning is held back."""

from debug_gym.toolcalls import FoundCalls
from debug_gym.toolcalls.find import THOUGHT, THOUGHT_END

OPENERS = "<[{`"
"""Every format of tool calls begins with one of these, and nearly no prose has them."""


class Deltas:
    """Turns the pieces of one choice's text into deltas of a message."""

    def __init__(self, *, tools: bool) -> None:
        """``tools``: the text may hold tool calls, so that it is held back from where one could begin."""
        self._tools = tools
        self._text = self._sent = self._thought = ""
        self._at = 0
        """Where what is neither sent nor reasoning begins."""
        self._thinking: bool | None = None
        """None: the text has not begun yet."""

    def add(self, piece: str) -> dict[str, str]:
        """A further piece of the text; what may be sent of it: ``content`` or ``reasoning_content``."""
        self._text += piece
        if self._thinking is None and not self._begin():
            return {}
        if self._thinking:
            return self._think()
        return self._say()

    def end(self, found: FoundCalls) -> dict[str, str]:
        """The rest, once it is known what the whole text was."""
        rest = {}
        if found.reasoning.startswith(self._thought) and (thought := found.reasoning[len(self._thought) :]):
            rest["reasoning_content"] = thought
        if found.text.startswith(self._sent) and (said := found.text[len(self._sent) :]):
            rest["content"] = said
        return rest

    def _begin(self) -> bool:
        """Whether it is certain by now if the text begins with reasoning."""
        begun = self._text.lstrip()
        if match := THOUGHT.match(begun):
            self._thinking, self._at = True, len(self._text) - len(begun) + match.end()
        elif begun and not (begun[0] in "<[" and len(begun) < len("<|start|>assistant<|channel|>analysis")):
            self._thinking, self._at = False, len(self._text) - len(begun)
        return self._thinking is not None

    def _think(self) -> dict[str, str]:
        end = THOUGHT_END.search(self._text, self._at)
        tag = self._text.find("<", self._at)
        new = self._take(
            end.start() if end else tag if tag >= 0 else len(self._text), begun=bool(self._thought)
        )
        self._thought += new
        if end:
            self._thinking, self._at = False, end.end()
        return {"reasoning_content": new} if new else {}

    def _say(self) -> dict[str, str]:
        upto = len(self._text)
        if self._tools:
            found = [at for sign in OPENERS if (at := self._text.find(sign, self._at)) >= 0]
            upto = min(found, default=upto)
        new = self._take(upto, begun=bool(self._sent))
        self._sent += new
        return {"content": new} if new else {}

    def _take(self, upto: int, *, begun: bool) -> str:
        """The text up to there, without white space at its ends: that belongs to no message."""
        new = self._text[self._at : upto].rstrip()
        if not begun:
            new = new.lstrip()
        if new:
            self._at = self._text.index(new, self._at) + len(new)
        return new
