"""A place in a model's text, from which calls are read piece by piece."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from debug_gym.toolcalls import loose_json

Schema = Mapping[str, Any]
"""One tool in the form of OpenAI's function calling."""
SPACE = re.compile(r"\s*")
NAMES = ("name", "tool_name", "function", "tool", "action", "recipient_name")
"""Keys under which models write a tool's name, by how common they are."""
ARGUMENTS = ("arguments", "parameters", "args", "input", "action_input", "tool_input")
"""Keys under which they write its arguments."""
BESIDE = {"id", "type", "index", "tool_call_id", "thought"}
"""Keys that may stand beside those."""


class UnreadableCallError(ValueError):
    """This is no call, or none that can be read without guessing; the message tells the model."""


@dataclass(frozen=True)
class WrittenCall:
    """A tool call that stood in a text."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """The arguments as JSON text."""
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass
class Cursor:
    """A position in a text, moved on by what is read."""

    text: str
    at: int
    tools: Sequence[Schema] = ()
    mended: list[str] = field(default_factory=list)
    """What was mended on the way, for the model to know."""

    def skip(self) -> None:
        """Pass white space."""
        self.at = SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, pattern: str) -> re.Match[str] | None:
        """Pass white space and a pattern, if it follows."""
        match = re.compile(rf"\s*(?:{pattern})", re.DOTALL).match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def expect(self, pattern: str, what: str) -> re.Match[str]:
        """Pass white space and a pattern that must follow.

        Raises:
            UnreadableCallError: something else follows.
        """
        return self.take(pattern) or self.fail(f"{what} is missing")

    def fail(self, why: str) -> NoReturn:
        """Give up with a sentence for the model.

        Raises:
            UnreadableCallError: always.
        """
        shown = self.text[self.at : self.at + 80]
        raise UnreadableCallError(f"Your call cannot be read: {why}" + (f" at {shown!r}." if shown else "."))

    def json(self, closing: str = "") -> Any:
        """A JSON value, mended if it is slightly broken (``loose_json``).

        Args:
            closing: the pattern of what ends it, for a value whose last brackets are missing.

        Raises:
            UnreadableCallError: it cannot be read without guessing.
        """
        self.skip()
        try:
            value, self.at, mended = loose_json.read(self.text, self.at)
        except loose_json.BrokenJSONError as error:
            end = re.compile(closing).search(self.text, self.at) if closing else None
            if end is None:
                raise UnreadableCallError(f"The JSON of your call cannot be read: {error}.") from None
            try:
                value, mended = loose_json.loads(self.text[self.at : end.start()])
            except loose_json.BrokenJSONError:
                raise UnreadableCallError(f"The JSON of your call cannot be read: {error}.") from None
            self.at = end.start()
        self.mended += mended
        return value


def properties(tools: Sequence[Schema], name: str) -> Mapping[str, Any]:
    """The schemas of a tool's arguments; empty for a tool that is not known."""
    for tool in tools:
        if tool["function"]["name"] == name:
            found: Mapping[str, Any] = tool["function"].get("parameters", {}).get("properties", {})
            return found
    return {}


def calls_in(value: object) -> list[WrittenCall]:
    """The calls that a JSON value describes: an object, a list of them, or what a server would send.

    Raises:
        UnreadableCallError: it describes none.
    """
    if isinstance(value, list) and value:
        return [call for item in value for call in calls_in(item)]
    if not isinstance(value, dict):
        raise UnreadableCallError("A call is an object with the keys name, a text, and arguments, an object.")
    for wrapper in ("tool_calls", "function_call", "tool_call", "tool_uses"):
        if set(value) == {wrapper}:
            return calls_in(value[wrapper])
    if isinstance(value.get("function"), dict) and set(value) <= {"function", *BESIDE}:
        return calls_in(value["function"])
    return [_call(value)]


def _call(value: dict[str, Any]) -> WrittenCall:
    named = next((key for key in NAMES if key in value), "name")
    given = next((key for key in ARGUMENTS if key in value), "arguments")
    name, arguments = value.get(named), value.get(given)
    if isinstance(arguments, str):  # OpenAI's wire format: JSON inside JSON
        try:
            arguments = loose_json.loads(arguments or "{}")[0]
        except loose_json.BrokenJSONError as error:
            raise UnreadableCallError(f"The arguments of your call cannot be read: {error}.") from None
    arguments = {} if arguments is None else arguments
    if not isinstance(name, str) or not isinstance(arguments, dict) or set(value) - {named, given, *BESIDE}:
        raise UnreadableCallError("A call is an object with the keys name, a text, and arguments, an object.")
    return WrittenCall(name, arguments)


def is_text(schema: Mapping[str, Any]) -> bool:
    """Whether an argument may be text, which is then written as it is."""
    return any(option.get("type", "string") == "string" for option in schema.get("anyOf", [schema]))


def typed(text: str, schema: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """An argument that was written between tags, by its schema, and what was mended to read it.

    Text stays as it is, but for one line break after the opening tag and one before the closing tag.
    """
    text = text.removeprefix("\n").removesuffix("\n")
    if is_text(schema):
        return text, []
    try:
        return loose_json.loads(text)
    except loose_json.BrokenJSONError:
        return text, []  # the tool says what it expects


def closed(cursor: Cursor, closing: str, calls: list[WrittenCall]) -> list[WrittenCall]:
    """The calls, if a closing marker or the end of the text follows."""
    if not cursor.take(closing) and cursor.text[cursor.at :].strip():
        cursor.fail("its end is missing")
    return calls


def tagged(cursor: Cursor, name: str, argument: str) -> WrittenCall:
    """Arguments one after the other, each a match with the groups key and value."""
    arguments = {}
    known = properties(cursor.tools, name)
    while match := cursor.take(argument):
        key, text = match[1], match[2]
        if key in arguments:
            raise UnreadableCallError(f"Your call has the argument {key} twice.")
        arguments[key], mended = typed(text, known.get(key, {}))
        cursor.mended += mended
    return WrittenCall(name, arguments)


def object_at(cursor: Cursor, closing: str) -> dict[str, Any]:
    """A JSON object; see ``Cursor.json``."""
    value = cursor.json(closing)
    if not isinstance(value, dict):
        cursor.fail("its arguments are no JSON object")
    return value
