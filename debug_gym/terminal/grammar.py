"""What a person types, as a tool call: short forms of the tools' arguments, and commands of the debugger."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from debug_gym.episode import ToolCall
from debug_gym.errors import DebugGymError, UnknownNameError
from debug_gym.sandbox.server.debug.commands import BREAKPOINTS, BY_WORD, ENDING

DEBUGGER = "pdb"
"""The tool that gets the debugger's commands."""
_FREE = "command"
"""An argument of this name takes all that is left of the line, as it stands."""
_NAMED = re.compile(r"\s*(\w+)=('[^']*'|\"[^\"]*\"|\S+)\s*")
_LINES = re.compile(r"(.+?):(\d+)(?:-(\d+))?")
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_KINDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}

COMMANDS = frozenset(BY_WORD)
"""The debugger's commands, which can be typed by themselves."""
_AT_A_LINE = BREAKPOINTS | {"until", "unt"}


class CommandError(DebugGymError, ValueError):
    """What was typed is no call; the sentence says what is missing. It costs no step."""


class Grammar:
    """Reads and completes command lines.

    Args:
        schemas: the tools in the form of OpenAI's function calling.
    """

    def __init__(self, schemas: Iterable[Mapping[str, Any]]) -> None:
        functions = [schema["function"] for schema in schemas]
        self._parameters: dict[str, Any] = {item["name"]: item["parameters"] for item in functions}

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools' names."""
        return tuple(self._parameters)

    def parse(self, text: str, *, debugging: bool = False) -> ToolCall:
        """Read a line: ``view a.py 5 9``, ``eval tests=t.py::test_a``, ``b a.py:12``, ``n``.

        Args:
            text: what was typed.
            debugging: a program stands in the debugger, so that what is no tool is a command or a statement.

        Raises:
            CommandError: an argument is missing or is of the wrong kind.
            UnknownNameError: there is no such tool or command.
        """
        text = text.strip()
        word, _, rest = text.partition(" ")
        if not text:
            raise CommandError("type a tool and its arguments, or a command of the debugger; F1 explains")
        if word in self._parameters and not re.match(r"\s*=(?!=)", rest):
            return ToolCall(name=word, arguments=self._arguments(word, rest))
        if DEBUGGER in self._parameters and (debugging or word in COMMANDS):
            return ToolCall(name=DEBUGGER, arguments={_FREE: text})
        raise UnknownNameError("tool or command", word, self._first_words())

    def usage(self, tool: str) -> str:
        """``view path [start] [end]``."""
        required = self._parameters[tool].get("required", [])
        names = self._properties(tool)
        return " ".join([tool, *(name if name in required else f"[{name}]" for name in names)])

    def complete(self, text: str, *, files: Sequence[str] = (), tests: Sequence[str] = ()) -> list[str]:
        """The lines that ``text`` may become by completing its last word.

        Args:
            text: the line up to the cursor.
            files: paths in the workspace.
            tests: ids of tests.
        """
        last = re.search(r"\S*$", text)
        assert last is not None  # it matches the empty text too
        head, word = text[: last.start()], last.group()
        first = head.split(maxsplit=1)[0] if head.strip() else ""
        if not first:
            found: Iterable[str] = self._first_words()
        elif first in self._parameters:
            found = self._words(first, head, word, files, tests)
        else:
            found = [f"{path}:" for path in files] if first in _AT_A_LINE else files
        return [head + item for item in found if item.startswith(word) and item != word]

    def _first_words(self) -> list[str]:
        commands = sorted(COMMANDS - ENDING) if DEBUGGER in self._parameters else []
        return [*self._parameters, *(name for name in commands if name not in self._parameters)]

    def _words(
        self, tool: str, head: str, word: str, files: Sequence[str], tests: Sequence[str]
    ) -> Iterator[str]:
        """What may come next in a call of a tool."""
        properties = self._properties(tool)
        key, equals, _ = word.partition("=")
        named = f"{key}=" if equals and key in properties else ""
        if named:
            values = tests if key in {"test", "tests"} else files
            yield from (named + value for value in values)
            return
        if "tests" in properties:
            yield from tests
        else:
            yield from files
        if word:
            yield from (f"{name}=" for name in properties if f"{name}=" not in head)

    def _properties(self, tool: str) -> dict[str, Any]:
        properties: dict[str, Any] = self._parameters[tool].get("properties", {})
        return properties

    def _arguments(self, tool: str, rest: str) -> dict[str, Any]:
        properties = self._properties(tool)
        given: dict[str, Any] = {}
        if _FREE in properties:
            while (match := _NAMED.match(rest)) and match[1] in properties:
                given[match[1]] = _value(match[1], properties[match[1]], _words(match[2])[0])
                rest = rest[match.end() :]
            if rest.strip():
                given[_FREE] = rest.strip()
        else:
            places = []
            for word in _words(rest):
                key, equals, value = word.partition("=")
                if equals and key in properties:
                    given[key] = _value(key, properties[key], value)
                else:
                    places.append(word)
            self._place(tool, places, given)
        missing = [name for name in self._parameters[tool].get("required", []) if name not in given]
        if missing:
            raise CommandError(f"{tool} needs {' and '.join(missing)}: {self.usage(tool)}")
        return given

    def _place(self, tool: str, words: Sequence[str], given: dict[str, Any]) -> None:
        """Words without a name are arguments in their order; a list takes all that follow."""
        properties = self._properties(tool)
        for word in words:
            free = [name for name in properties if name not in given or _kind(properties[name]) == "array"]
            if not free:
                raise CommandError(f"{word!r} is one too many: {self.usage(tool)}")
            name, lines = free[0], _LINES.fullmatch(word)
            if name == "path" and "start" in properties and lines:
                given["path"], given["start"] = lines[1], int(lines[2])
                given.update({"end": int(lines[3])} if lines[3] else {})
            elif name in given:
                given[name].append(word)
            else:
                given[name] = _value(name, properties[name], word)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        raise CommandError("a quotation mark is missing its partner") from None


def _kind(schema: Mapping[str, Any]) -> str:
    """The JSON type of an argument that is not null."""
    options = schema.get("anyOf", [schema])
    return next((item["type"] for item in options if item.get("type", "null") != "null"), "string")


def _value(name: str, schema: Mapping[str, Any], text: str) -> Any:
    kind = _kind(schema)
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return _TRUTH[text.lower()]
            case "array":
                return json.loads(text) if text.startswith("[") else [text]
            case _:
                return text
    except (ValueError, KeyError):
        raise CommandError(f"{name} takes {_KINDS.get(kind, 'a JSON list')}, not {text!r}") from None


def describe(call: ToolCall) -> str:
    """A call in one short line, much as it could have been typed."""
    if call.name == DEBUGGER and set(call.arguments) == {_FREE}:
        return " ; ".join(str(call.arguments[_FREE]).split("\n"))
    words = [call.name]
    for value in call.arguments.values():
        text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        first, *more = text.split("\n")
        words.append(first[:60] + (" ..." if more or len(first) > 60 else ""))
    return " ".join(words)
