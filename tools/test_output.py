"""What pytest prints, without what it says again and again: parameters of one test that fail alike, a line
for each of hundreds of files, and warnings that were shown before."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

MAX_LINES = 4
"""Lines of the reason that are shown of a test's further parameters."""
MAX_FURTHER = 12
"""Further parameters of a test that are shown so; more are only counted."""
MAX_PASSED = 20
"""Lines in a row about tests that passed; more are only counted."""
MAX_FAILED = 30
"""Lines that are shown of pytest's own list of what failed."""
_RULE = re.compile(r"=+ (.+?) =+")
_TITLE = re.compile(r"_+ (?![_ ]+$)(.+?) _+")
_PLACE = re.compile(r"\S+:\d+: .+")
_PASSED = re.compile(r"(?:\S+ )?[.sx]+ +\[ *\d+%\]|\S+::.* (?:PASSED|SKIPPED|XFAIL)(?: \(.*\))? +\[ *\d+%\]")
"""A line of progress in which nothing failed, of a file or, with ``-v``, of a test."""
_WARNING = re.compile(r"^\S.*Warning: .*\n(?:  .*\n)?", re.MULTILINE)
"""A warning as Python writes it, with the line of source below."""
_SUMMARY = re.compile(r"^=+ warnings summary.* =+\n(?:.*\n)*?-- Docs: .*\n", re.MULTILINE)


def shorten(text: str) -> str:
    """Of a test that failed with several parameters, show the first failure in full, the others in short.
    Of long lists of what passed or failed, show the number and the start."""
    lines: list[str] = []
    seen: Counter[str] = Counter()
    parts = [(title, title.partition("[")[0], part) for title, part in _parts(text.split("\n"))]
    last = {test: number for number, (_, test, _) in enumerate(parts)}
    for number, (title, test, part) in enumerate(parts):
        if not title:
            lines += _condensed(part)
        elif "[" not in title or not seen[test]:
            lines += part
        elif seen[test] <= MAX_FURTHER:
            lines += _reason(part)
        elif number == last[test]:
            lines.append(f"[... {seen[test] - MAX_FURTHER} more failures of {test} ...]")
        seen[test] += 1
    return "\n".join(lines)


def _condensed(lines: Sequence[str]) -> Iterator[str]:
    """Lines that tell nothing of a failure, without long lists."""
    for kind, group in groupby(lines, _kind):
        listed = list(group)
        if kind == "passed" and len(listed) > MAX_PASSED:
            listed = [f"[... {len(listed)} lines about tests that passed ...]"]
        elif kind == "failed" and len(listed) > MAX_FAILED:
            listed = [*listed[:MAX_FAILED], f"[... {len(listed) - MAX_FAILED} more lines ...]"]
        yield from listed


def _kind(line: str) -> str:
    if _PASSED.fullmatch(line):
        return "passed"
    return "failed" if line.startswith(("FAILED ", "ERROR ")) else ""


def _parts(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The report of each failed test under its title; all else under an empty one."""
    title, part, failures = "", list[str](), False
    for line in lines:
        rule, heading = _RULE.fullmatch(line), _TITLE.fullmatch(line) if failures else None
        if rule or heading:
            yield title, part
            title, part = heading[1] if heading else "", []
        if rule:
            failures = rule[1] in ("FAILURES", "ERRORS")
        part.append(line)
    yield title, part


def _reason(part: list[str]) -> list[str]:
    """The title, what pytest marks as the error, and where that was."""
    errors = [line for line in part if line.startswith("E ")]
    more = [f"E   [... {len(errors) - MAX_LINES} more lines ...]"] if len(errors) > MAX_LINES else []
    places = [line for line in part if _PLACE.fullmatch(line)]
    return [part[0], *errors[:MAX_LINES], *more, *places[-1:]]


class WarningsSeen:
    """Leaves out warnings that were shown before, and says so."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def once(self, text: str) -> str:
        """A text without its warnings of before: those that Python writes, and pytest's summary of them."""
        left_out = 0

        def unless_seen(match: re.Match[str]) -> str:
            nonlocal left_out
            known = match[0] in self._seen
            self._seen.add(match[0])
            left_out += known
            return "" if known else match[0]

        text = _SUMMARY.sub(unless_seen, text)
        if (first := _SUMMARY.search(text)) is None:
            text = _WARNING.sub(unless_seen, text)
        else:  # its own lines look like warnings
            text = _WARNING.sub(unless_seen, text[: first.start()]) + text[first.start() :]
        return f"[warnings that were shown before are left out]\n{text}" if left_out else text
