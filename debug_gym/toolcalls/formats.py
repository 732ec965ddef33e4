"""The formats in which models write tool calls: where a call of each begins, and how it is read.

Sources: the chat templates that the models publish, and the tool-call parsers of vLLM and SGLang for their
names. Each format is one row of ``FORMATS``; the first whose calls make up the end of a text counts.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from debug_gym.toolcalls.cursor import (
    ARGUMENTS,
    Cursor,
    UnreadableCallError,
    WrittenCall,
    calls_in,
    closed,
    object_at,
    tagged,
)
from debug_gym.toolcalls.rare import by_name, gemma, named, named_tags

NAME = r"[A-Za-z_][\w.-]*"
Reader = Callable[[Cursor, re.Match[str]], list[WrittenCall]]
"""Reads calls from behind the match of a format's ``begin``, and leaves the cursor behind them.

Raises ``UnreadableCallError``."""


@dataclass(frozen=True)
class Format:
    """One way to write calls."""

    name: str
    begin: re.Pattern[str]
    read: Reader
    marked: bool = True
    """Its beginning is a marker that says "this is a call"; else it is JSON or Python that could be data."""


def find_format(name: str) -> Format:
    """The first row of that name."""
    return next(row for row in FORMATS if row.name == name)


_GIVEN = re.compile(rf"[\"'](?:{'|'.join(key for key in ARGUMENTS if key != 'input')})[\"']\s*:")
"""That an object without a marker has arguments."""


def _wrapped(closing: str) -> Reader:
    """One or more JSON values, fenced or not, up to a closing marker that may be missing at the end."""

    def read(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
        fence = cursor.take("```(?:json)?")
        calls = calls_in(cursor.json(rf"\s*(?:```\s*)?(?:{closing})"))
        while cursor.take(r"[;,]?\s*(?=\{)"):
            calls += calls_in(cursor.json(closing))
        if fence:
            cursor.take("```")
        calls = closed(cursor, closing, calls)
        if begin[0].lstrip().startswith("```") and closing != "```":
            cursor.take("```")
        return calls

    return read


def _function_tags(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """Qwen Coder, Seed: ``<function=view><parameter=path>a.py</parameter></function>``; Llama: with JSON."""
    name = cursor.expect(rf"<function=({NAME})>", "<function=NAME>")[1]
    if cursor.take(r"(?=\{)"):
        calls = [WrittenCall(name, object_at(cursor, "</function>"))]
    else:
        value = r"<parameter=([^>\s]+)>(.*?)</parameter>(?=\s*(?:<parameter=|</function>|\Z))"
        calls = [tagged(cursor, name, value)]
    calls = closed(cursor, "</function>", calls)
    cursor.take(r"</(?:seed:)?tool_call>")
    return calls


def _arg_pairs(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """GLM: ``<tool_call>view<arg_key>path</arg_key><arg_value>a.py</arg_value></tool_call>``."""
    name = cursor.expect(NAME, "a name")[0].strip()
    value = (
        r"<arg_key>\s*([^<\s]+)\s*</arg_key>\s*<arg_value>(.*?)</arg_value>"
        r"(?=\s*(?:<arg_key>|</tool_call>|\Z))"
    )
    return closed(cursor, "</tool_call>", [tagged(cursor, name, value)])


def _invoke_tags(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """Anthropic and others: ``<invoke name="view"><parameter name="path">a.py</parameter>``."""
    calls, p = [], r"(?:｜DSML｜|antml:|minimax:|steptml:)?"
    value = (
        rf'<{p}parameter\s+name="([^"]+)"[^>]*>(.*?)</{p}parameter>'
        rf"(?=\s*(?:<{p}parameter\s|</{p}invoke>|\Z))"
    )
    while match := cursor.take(rf'<{p}invoke\s+name="({NAME})"\s*>'):
        calls += closed(cursor, f"</{p}invoke>", [tagged(cursor, match[1], value)])
    cursor.take(rf"</{p}(?:function_calls|tool_call)>|<｜tool_call_end｜>(?:\s*<｜tool_calls_end｜>)?")
    return calls


def _mistral(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """``[TOOL_CALLS][{...}]``, and from v11 on ``[TOOL_CALLS]view[ARGS]{...}``."""
    if cursor.take(r"(?=[\[{])"):
        return calls_in(cursor.json(r"\s*\Z"))
    name = cursor.expect(NAME, "a name")[0].strip()
    cursor.take(r"\[CALL_ID\]\w*")
    cursor.take(r"\[ARGS\]")
    return [WrittenCall(name, object_at(cursor, r"\s*(?:\[TOOL_CALLS\]|\Z)"))]


def _deepseek(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """V3.1: ``...view<｜tool▁sep｜>{...}...``; V3 and R1: ``...function<｜tool▁sep｜>view`` and a fence."""
    calls = []
    while cursor.take(r"<｜tool▁call▁begin｜>"):
        cursor.take(r"function\s*<｜tool▁sep｜>(?=[^<]*```)")
        name = cursor.expect(NAME, "a name")[0].strip()
        cursor.take(r"<｜tool▁sep｜>")
        cursor.take("```(?:json)?")
        arguments = object_at(cursor, r"\s*(?:```\s*)?<｜tool▁call")
        cursor.take("```")
        calls += closed(cursor, "<｜tool▁call▁end｜>", [WrittenCall(name, arguments)])
    cursor.take("<｜tool▁calls▁end｜>")
    return calls


def _harmony(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """gpt-oss: ``<|channel|>commentary to=functions.view <|constrain|>json<|message|>{...}<|call|>``."""
    name = next(filter(None, begin.groups()), None)
    if name is None:
        raise UnreadableCallError("Your call names no tool: write to=functions.NAME before its message.")
    return closed(cursor, r"<\|call\|>|<\|end\|>", [WrittenCall(name, object_at(cursor, r"\s*<\|call\|>"))])


def _kimi(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """``<|tool_call_begin|>functions.view:0<|tool_call_argument_begin|>{...}<|tool_call_end|>``."""
    calls = []
    while cursor.take(r"<\|tool_call_begin\|>"):
        name = cursor.expect(rf"(?:functions\.)?({NAME}?)(?::\d+)?(?=\s*<)", "a name")[1]
        cursor.expect(r"<\|tool_call_argument_begin\|>", "<|tool_call_argument_begin|>")
        arguments = object_at(cursor, r"\s*<\|tool_call_end\|>")
        calls += closed(cursor, r"<\|tool_call_end\|>", [WrittenCall(name, arguments)])
    cursor.take(r"<\|tool_calls_section_end\|>")
    return calls


def _pythonic(closing: str) -> Reader:
    """``[view(path="a.py"), eval()]``: calls with keyword arguments that are literals, to the text's end."""

    def read(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
        rest = cursor.text[cursor.at :]
        end = re.search(rf"\s*(?:{closing})\s*\Z", rest)
        source = rest[: end.start()] if end else rest
        try:
            tree = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise UnreadableCallError("Your call cannot be read: it is no Python expression.") from None
        nodes = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        calls = [_python_call(node) for node in nodes]
        cursor.at = len(cursor.text)
        return calls

    return read


def _python_call(node: ast.expr) -> WrittenCall:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "print" and len(node.args) == 1:
        node = node.args[0]  # Gemma's way
    if not isinstance(node, ast.Call) or node.args:
        raise UnreadableCallError("A call looks like view(path='a.py'), with keyword arguments alone.")
    try:
        arguments = {str(item.arg): ast.literal_eval(item.value) for item in node.keywords if item.arg}
    except (ValueError, MemoryError, RecursionError):
        raise UnreadableCallError("The arguments of a call are literals.") from None
    name = ast.unparse(node.func)
    return WrittenCall(name.removesuffix(".call"), arguments)


def _python_tag(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """Llama 3: JSON, or ``view.call(path="a.py")``, behind ``<|python_tag|>``."""
    json_follows = cursor.take(r"(?=[\[{])")
    return (_wrapped(r"<\|eom_id\|>|<\|eot_id\|>") if json_follows else _pythonic(""))(cursor, begin)


def _bare_json(cursor: Cursor, begin: re.Match[str]) -> list[WrittenCall]:
    """JSON with nothing around it; the arguments must be there, or any object with a name would do."""
    start = cursor.at
    calls = _wrapped(r"\Z")(cursor, begin)
    if not _GIVEN.search(cursor.text[start : cursor.at]):
        raise UnreadableCallError("There was no tool call.")
    return calls


def _row(name: str, begin: str, read: Reader, *, marked: bool = True) -> Format:
    return Format(name, re.compile(begin, re.MULTILINE), read, marked)


TAG = r"(?i:tool_calls?|function_call|tools|toolcall|tool_use|longcat_tool_call|tool_call_start)"
CALL_END = rf"<(?:/|\|/){TAG}\|?>|<\|tool_call_end\|>"
FORMATS = (
    _row("qwen-coder", rf"(?:<(?:seed:)?tool_call>\s*)?(?=<function={NAME}>)", _function_tags),
    _row("glm", rf"<tool_call>\s*(?={NAME}\s*(?:<arg_key>|</tool_call>))", _arg_pairs),
    _row(
        "anthropic",
        r"(?:<(?:｜DSML｜|antml:|minimax:)?(?:function_calls|tool_call)>\s*"
        r"|(?:<｜tool_calls_begin｜>\s*)?<｜tool_call_begin｜>function<｜tool_sep｜>\s*)?"
        r"(?=<(?:｜DSML｜|antml:|steptml:)?invoke\s)",
        _invoke_tags,
    ),
    _row(
        "hermes",
        rf"(?:\A```[ \t]*\w*\s*?\n)?<\|?{TAG}\|?>(?=\s*(?:```(?:json)?\s*)?[\[{{])",
        _wrapped(CALL_END),
    ),
    _row("hermes", rf"<{TAG}\s+name=[\"']({NAME})[\"']\s*>(?=\s*\{{)", named(CALL_END)),
    _row("gemma", r"(?:<start_function_call>|<\|tool_call>)(?=call:)", gemma),
    _row("mistral", r"\[TOOL_CALLS\]", _mistral),
    _row("llama", r"<\|python_tag\|>", _python_tag),
    _row("deepseek", r"<｜tool▁calls▁begin｜>|(?=<｜tool▁call▁begin｜>)", _deepseek),
    _row(
        "harmony",
        rf"(?:<\|start\|>)?(?:assistant)?(?:\s*to=(?:functions\.)?({NAME}))?"
        rf"<\|channel\|>(?:commentary|analysis)(?:\s+to=(?:functions\.)?({NAME}))?"
        r"\s*(?:<\|constrain\|>)?\s*(?:json|code)?\s*<\|message\|>(?=\s*\{)",
        _harmony,
    ),
    _row(
        "harmony", rf"(?:assistant)?commentary\s+to=functions\.({NAME}?)\s*(?:json|code)?(?=\s*\{{)", _harmony
    ),
    _row("kimi", r"<\|tool_calls_section_begin\|>|(?=<\|tool_call_begin\|>)", _kimi),
    _row("cohere", r"<\|START_ACTION\|>", _wrapped(r"<\|END_ACTION\|>")),
    _row("cohere", r"^Action:\s*(?=```json\s*\[)", _wrapped(r"\Z")),
    _row("apertus", r"<\|tools_prefix\|>(?=\s*\[)", by_name),
    _row("react", rf"^Action:[ \t]*({NAME})[ \t]*\nAction Input:(?=\s*\{{)", named(r"\Z")),
    _row("internlm", r"<\|action_start\|>\s*<\|plugin\|>", _wrapped(r"<\|action_end\|>")),
    _row("phi", r"functools(?=\[)", _wrapped(r"\Z")),
    _row(
        "pythonic",
        rf"(?:<\|python_start\|>|<\|tool_call_start\|>|<function_calls>)\s*(?=\[?\s*{NAME}\()",
        _pythonic(r"<\|python_end\|>|<\|tool_call_end\|>|</function_calls>"),
    ),
    _row("pythonic", rf"^[ \t]*```tool_code\s*?\n(?=\[?\s*{NAME}\()", _pythonic("```")),
    _row("tags", rf"^[ \t]*<({NAME})>(?=\s*<)", named_tags, marked=False),
    _row("pythonic", rf"^[ \t]*(?=\[\s*{NAME}\()", _pythonic(r"\Z"), marked=False),
    _row(
        "fenced",
        r"(?:\A```|^[ \t]*```[ \t]*(?i:json|tool_call|tool_code))\s*?\n(?=\s*[\[{])",
        _wrapped("```"),
        marked=False,
    ),
    _row("json", r"^[ \t]*(?=[\[{])", _bare_json, marked=False),
)
"""In this order: of rows that begin alike the more special ones come first."""
