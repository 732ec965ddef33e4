"""Ways to write a tool call in plain text that models are told of: JSON in a fence or tags, or tags alone."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from debug_gym.toolcalls import loose_json
from debug_gym.toolcalls.cursor import Schema, UnreadableCallError, properties, typed

FENCED = re.compile(r"```[ \t]*(\w*)\s*(.*?)(?:```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
FENCES = ("json", "tool_call", "")
BARE = re.compile(r"^(?=\{)", re.MULTILINE)
NAMED = re.compile(r"[\"']?\bname\b[\"']?\s*:")
CALL = re.compile(r"(?:```(?:xml)?\s*)?<call\s+name\s*=\s*[\"']?([^\"'<>\s/]+)[\"']?\s*(/?)>")
CALL_END = re.compile(r"\s*</call>\s*(?:```)?")
ARGUMENT = re.compile(
    r"\s*<([A-Za-z_]\w*)>(.*?)</\1>(?=\s*(?:<[A-Za-z_]\w*>|</call>|(?:```)?\s*\Z))", re.DOTALL
)
JSON_RULES = "The block is valid JSON: line breaks and double quotes in texts are escaped."
QUOTED = 200
"""Characters of a wrong call that are quoted back to the model."""
NO_CALL = "There was no tool call."
CUT = "Your reply ended before the call did."
LEFT_OUT = "What you wrote after the call was left out: wait for its answer."


@dataclass(frozen=True)
class Found:
    """A call in a text."""

    name: str
    arguments: dict[str, Any]
    before: str
    """The text before it."""
    note: str = ""
    """What was mended and left out, for the model to know."""


class Writing(Protocol):
    """How calls are written."""

    example: str
    rules: str

    def write(self, name: str, arguments: dict[str, Any]) -> str:
        """A call as text."""
        ...


class Notation(Writing, Protocol):
    """And how they are read, with a sentence for the model where they cannot be."""

    def read(self, text: str, tools: Sequence[Schema], *, whole: bool) -> Found:
        """The first call in a text; ``whole``: the model ended the text itself, so that it may be mended.

        Raises:
            UnreadableCallError: see there.
        """
        ...


class HermesNotation:
    """A JSON object between tags, as Hermes, Qwen and many others are trained on it."""

    example = '<tool_call>\n{"name": "view", "arguments": {"path": "src/main.py"}}\n</tool_call>'
    rules = JSON_RULES

    def write(self, name: str, arguments: dict[str, Any]) -> str:
        """See ``Writing.write``."""
        return f"<tool_call>\n{_json(name, arguments)}\n</tool_call>"


class JSONNotation:
    """A fenced block with a JSON object: ``name`` and ``arguments``."""

    example = '```json\n{"name": "view", "arguments": {"path": "src/main.py"}}\n```'
    rules = JSON_RULES

    def write(self, name: str, arguments: dict[str, Any]) -> str:
        """See ``Writing.write``."""
        return f"```json\n{_json(name, arguments)}\n```"

    def read(self, text: str, tools: Sequence[Schema], *, whole: bool) -> Found:
        """See ``Notation.read``. A block that is not fenced, or whose fence is not closed, will do."""
        before, block, after = _json_block(text)
        try:
            call, mended = loose_json.loads(block)
        except loose_json.BrokenJSONError as error:
            raise UnreadableCallError(f"The JSON of your call cannot be read: {error}.") from None
        if mended and not whole:
            raise UnreadableCallError(CUT)
        name, arguments = call.pop("name", None), call.pop("arguments", {})
        if call or not isinstance(name, str) or not isinstance(arguments, dict):
            raise UnreadableCallError(
                "A call is an object with the keys name, a text, and arguments, an object."
            )
        return Found(name, arguments, before.strip(), _note(mended, after))


def _json(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


def _json_block(text: str) -> tuple[str, str, str]:
    """The text before the first block that looks like a call, the block, and the text after it."""
    for match in FENCED.finditer(text):
        language, block = match.groups()
        if language in FENCES and block.startswith("{") and NAMED.search(block):
            return text[: match.start()], block, text[match.end() :]
    bare = BARE.search(text)
    if bare and NAMED.search(text, bare.start()):
        return text[: bare.start()], text[bare.start() :], ""
    raise UnreadableCallError(NO_CALL)


class XMLNotation:
    """Tags for the call and for each argument; what stands between them is not escaped."""

    example = '<call name="view">\n<path>src/main.py</path>\n</call>'
    rules = (
        "One tag for each argument. Write texts as they are, with nothing escaped; numbers, lists and "
        "objects are JSON. A line break right after an opening tag, and one right before a closing tag, do "
        "not count."
    )

    def write(self, name: str, arguments: dict[str, Any]) -> str:
        """See ``Writing.write``."""
        lines = [f'<call name="{name}">']
        for key, value in arguments.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if "\n" in text:
                text = f"\n{text}\n"
            lines.append(f"<{key}>{text}</{key}>")
        return "\n".join([*lines, "</call>"])

    def read(self, text: str, tools: Sequence[Schema], *, whole: bool) -> Found:
        """See ``Notation.read``. A missing ``</call>`` at the end will do."""
        call = CALL.search(text)
        if call is None:
            raise UnreadableCallError(NO_CALL)
        known = properties(tools, call[1])
        arguments: dict[str, Any] = {}
        mended: list[str] = []
        at = call.end()
        while not call[2] and (match := ARGUMENT.match(text, at)):
            if match[1] in arguments:
                raise UnreadableCallError(f"Your call has the argument {match[1]} twice.")
            arguments[match[1]], repairs = typed(match[2], known.get(match[1], {}))
            mended += repairs
            at = match.end()
        end = CALL_END.match(text, at)
        if end is None and not call[2]:
            if not whole:
                raise UnreadableCallError(CUT)
            if rest := text[at:].strip("`\n "):
                raise UnreadableCallError(f"In your call this is no complete argument: {rest[:QUOTED]!r}.")
            mended.append("a missing </call>")
        after = text[end.end() if end else at :]
        return Found(call[1], arguments, text[: call.start()].strip(), _note(mended, after.strip("`")))


def _note(mended: Sequence[str], after: str) -> str:
    notes = [loose_json.report(mended)] if mended else []
    return " ".join([*notes, LEFT_OUT] if after.strip() else notes)


JSON, XML, HERMES = JSONNotation(), XMLNotation(), HermesNotation()
