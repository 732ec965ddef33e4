"""Which part of a model's text is a tool call, and which only looks like one.

A call counts where it makes up the end of the text, names tools that are on offer, and does not stand in a
code span, a code block or a quotation. What is followed by more prose is an example, not a call: models stop
after a call, or are stopped. A text that somebody else wrote (a file that the model has read) is no call when
it is repeated word for word after some prose.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from debug_gym.toolcalls import loose_json
from debug_gym.toolcalls.cursor import Cursor, Schema, UnreadableCallError, WrittenCall
from debug_gym.toolcalls.formats import FORMATS, Format

THOUGHT = re.compile(
    r"<(?:seed:)?(?:think|thinking|reasoning|thought)>|\[THINK\]|◁think▷|<\|START_THINKING\|>|<\|channel>thought\n"
    r"|(?P<harmony>(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>)"
)
THOUGHT_END = re.compile(
    r"</(?:seed:)?(?:think|thinking|reasoning|thought)>|\[/THINK\]|◁/think▷|<\|END_THINKING\|>|<channel\|>"
)
HARMONY_END = re.compile(r"<\|end\|>")
"""How reasoning stands in a text, where a server or a template does not keep it apart."""
QUOTATION = re.compile(
    r"^[ \t]*(?P<fence>```+|~~~+).*?(?:^[ \t]*(?P=fence)[ \t]*$|\Z)"
    r"|^[ \t]*>[^\n]*$"
    r"|(?P<tick>`+)[^`\n]+(?P=tick)",
    re.MULTILINE | re.DOTALL,
)
"""Code blocks, quoted lines and code spans of Markdown."""
BEFORE = re.compile(r"[\w,'\"“”‘’(=]")
"""Characters that show, right before a call on its line, that a sentence goes on: it names a call."""
TURN_END = re.compile(
    r"(?:\s|<\|im_end\|>|<\|eot_id\|>|<\|eom_id\|>|<\|return\|>|<｜end▁of▁sentence｜>|</s>|</think>)*\Z"
)
"""What may follow the last call."""
LINE_NUMBER = re.compile(r"^(?:B>|[^\s:]+:)?\s*\d+[\t:|]", re.MULTILINE)
"""Before the lines of a file as tools show it."""
SPACES = {"functions", "default_api", "tools"}
"""In which models believe that the tools are."""
NOT_LAST = (
    "Your reply holds what looks like a tool call, but more text follows it, so it was not run. "
    "End your reply with the call."
)
REPEATED = (
    "Your reply repeats a tool call that stands in an earlier message, so it was not run. "
    "If you mean it, send the call alone."
)


@dataclass(frozen=True)
class FoundCalls:
    """What was found in a text."""

    calls: tuple[WrittenCall, ...] = ()
    text: str = ""
    """The text without the calls and without the reasoning."""
    reasoning: str = ""
    """What the model thought, where that stood in the text."""
    format: str = ""
    """The format's name; empty where there are no calls."""
    note: str = ""
    """What the model must know: what was mended, or why something that looks like a call is none."""


def find_calls(
    text: str,
    tools: Sequence[Schema],
    *,
    cut: bool = False,
    others: Iterable[str] = (),
    demanded: bool = False,
) -> FoundCalls:
    """Find the tool calls at the end of a model's text.

    Args:
        text: what the model wrote.
        tools: what it was offered. Other names are no calls.
        cut: the text ended at a token limit, so that nothing is mended.
        others: texts of others that the model has read. A call that stands in one of them word for word does
            not count when it comes after prose.
        demanded: the text was made to end with a call, so that it is one wherever it begins.

    Returns:
        All calls of the text's end or none of them: one wrong call spoils the others.
    """
    reasoning, said = split_reasoning(text)
    found = _find(said, tools, cut, others, demanded)
    if not found.calls and not said.strip() and reasoning:
        # Some models call while they think, and stop.
        thinking = _find(reasoning, tools, cut, others)
        if thinking.calls:
            return FoundCalls(thinking.calls, "", thinking.text, thinking.format, thinking.note)
    return FoundCalls(found.calls, found.text, reasoning, found.format, found.note)


def split_reasoning(text: str) -> tuple[str, str]:
    """The reasoning that a text begins with, and what was said after it.

    The tag that opens it may be missing (templates write it); reasoning that does not end takes the rest.
    """
    text = text.strip()
    begin = THOUGHT.match(text)
    end = (HARMONY_END if begin and begin["harmony"] else THOUGHT_END).search(text)
    start = begin.end() if begin else 0
    if end and (begin or not _holds_marker(text[: end.start()])):  # an argument may hold such a tag
        return text[start : end.start()].strip(), text[end.end() :].strip()
    return (text[start:].strip(), "") if begin else ("", text)


def _holds_marker(text: str) -> bool:
    return any(row.marked and row.begin.search(text) for row in FORMATS)


def _find(
    said: str, tools: Sequence[Schema], cut: bool, others: Iterable[str], demanded: bool = False
) -> FoundCalls:
    names = {tool["function"]["name"] for tool in tools}
    note = ""
    for begin, row in _candidates(said, anywhere=demanded):
        cursor = Cursor(said, begin.end(), tools)
        try:
            calls = [_offered(call, names) for call in _read_all(cursor, begin, row)]
        except UnreadableCallError as error:
            note = note or (str(error) if row.marked else "")
            continue
        if not TURN_END.match(said, cursor.at):
            note = note or (NOT_LAST if names.issuperset(call.name for call in calls) else "")
        elif unknown := [call.name for call in calls if call.name not in names]:
            note = note or (_unknown(unknown[0], names) if row.marked else "")
        elif cut and cursor.mended:
            break
        elif said[: begin.start()].strip() and _repeated(said[begin.end() : cursor.at], others):
            note = note or REPEATED
        else:
            mended = loose_json.report(cursor.mended) if cursor.mended else ""
            return FoundCalls(tuple(calls), said[: begin.start()].strip(), "", row.name, mended)
    return FoundCalls(text=said, note=note)


def _offered(call: WrittenCall, names: Collection[str]) -> WrittenCall:
    """A call by the name that was offered: models write ``functions.view`` for ``view``."""
    space, _, name = call.name.partition(".")
    found = space in SPACES and call.name not in names and name in names
    return WrittenCall(name, call.arguments) if found else call


def _unknown(name: str, names: Iterable[str]) -> str:
    return f"There is no tool named {name!r}; the tools are: {', '.join(sorted(names))}."


def _candidates(text: str, *, anywhere: bool) -> Iterator[tuple[re.Match[str], Format]]:
    """Where calls could begin, the earliest first; a fenced block may itself be a call, or be quoted."""
    quotations = [] if anywhere else [match.span() for match in QUOTATION.finditer(text)]
    starts = []
    for rank, row in enumerate(FORMATS):
        for begin in row.begin.finditer(text):
            inside = any(
                start < begin.start() < end or (start == begin.start() and "`" not in begin[0])
                for start, end in quotations
            )
            line = text[text.rfind("\n", 0, begin.start()) + 1 : begin.start()].rstrip()
            if not inside and (anywhere or not line or not BEFORE.match(line[-1])):
                starts.append((begin.start(), rank, begin, row))
    for _, _, begin, row in sorted(starts, key=lambda start: start[:2]):
        yield begin, row


def _read_all(cursor: Cursor, begin: re.Match[str], row: Format) -> list[WrittenCall]:
    """The calls of one format that follow each other."""
    calls = row.read(cursor, begin)
    while calls:
        cursor.skip()
        following = row.begin.match(cursor.text, cursor.at)
        if following is None or cursor.at == len(cursor.text):
            return calls
        cursor.at = following.end()
        calls += row.read(cursor, following)
    raise UnreadableCallError("There was no tool call.")


def _repeated(raw: str, others: Iterable[str]) -> bool:
    """Whether a text stands in one of the others, whatever the spaces, line breaks and line numbers."""
    wanted = _squeezed(raw.rstrip().removesuffix("```"))
    return any(wanted in _squeezed(other) for other in others)


def _squeezed(text: str) -> str:
    return "".join(LINE_NUMBER.sub("", text).split())
