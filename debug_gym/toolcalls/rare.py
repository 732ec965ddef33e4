"""How calls are read that few models write: Gemma, Apertus, ReAct's two lines, a tag of the tool's name."""

import json
import re
from collections.abc import Callable

from debug_gym.toolcalls.cursor import (
    Cursor,
    UnreadableCallError,
    WrittenCall,
    closed,
    object_at,
    tagged,
)

_QUOTE = r"<escape>|<\|\"\|>"
"""Gemma's quotation marks, which are tokens of their own."""
_END = r"<end_function_call>|<tool_call\|>"
_MARK = re.compile(rf"(?P<quote>{_QUOTE})|(?P<end>{_END})|<start_function_call>|<\|tool_call>|\Z")


def gemma(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """``<start_function_call>call:view{path:<escape>a.py<escape>}<end_function_call>``, and with other
    marks ``<|tool_call>call:view{path:<|"|>a.py<|"|>}<tool_call|>``."""
    name = cursor.expect(r"call:([A-Za-z_][\w.-]*)", "call:NAME")[1]
    parts, at = [], cursor.at
    while (mark := _MARK.search(cursor.text, at)) and mark["quote"]:
        closing = cursor.text.find(mark[0], mark.end())
        if closing < 0:
            cursor.fail("a text does not end")
        parts += [cursor.text[at : mark.start()], json.dumps(cursor.text[mark.end() : closing])]
        at = closing + len(mark[0])
    if mark is None or (mark[0] and not mark["end"]):
        cursor.fail("its end is missing")
    inner = Cursor("".join([*parts, cursor.text[at : mark.start()]]), 0)
    arguments = object_at(inner, "")
    if inner.take(r"\S"):
        cursor.fail("something follows its arguments")
    cursor.at = mark.end()
    return [WrittenCall(name, arguments)]


def named(closing: str) -> Callable[[Cursor, re.Match[str]], list[WrittenCall]]:
    """The name in the beginning, then its arguments: ``<tool_call name="view">{...}</tool_call>``, and
    ReAct's ``Action: view`` over ``Action Input: {...}``."""

    def read(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
        return closed(cursor, closing, [WrittenCall(begin[1], object_at(cursor, closing))])

    return read


def by_name(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """Apertus: ``<|tools_prefix|>[{"view": {"path": "a.py"}}]<|tools_suffix|>``."""
    items = cursor.json(r"<\|tools_suffix\|>")
    calls = []
    for item in items if isinstance(items, list) else [items]:
        if not isinstance(item, dict) or not all(isinstance(value, dict) for value in item.values()):
            cursor.fail("a call is an object of one key, the name, and of the arguments")
        calls += [WrittenCall(name, arguments) for name, arguments in item.items()]
    return closed(cursor, r"<\|tools_suffix\|>", calls)


def named_tags(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """``<view><path>a.py</path></view>``: only of tools that are on offer and their arguments."""
    name = begin[1]
    if name not in {tool["function"]["name"] for tool in cursor.tools}:
        raise UnreadableCallError("There was no tool call.")
    end = f"</{name}>"
    call = tagged(cursor, name, rf"<([A-Za-z_]\w*)>(.*?)</\1>(?=\s*(?:<[A-Za-z_]\w*>|{end}|\Z))")
    if not cursor.take(end):
        cursor.fail("its end is missing")
    return [call]
