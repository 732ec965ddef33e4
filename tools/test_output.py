"""What pytest prints, without what it says again and again: parameters of one test that fail alike, and
warnings that were shown before."""

import re
from collections.abc import Iterator, Sequence

MAX_LINES = 4
"""Lines of the reason that are shown of a test's further parameters."""
_RULE = re.compile(r"=+ (.+?) =+")
_TITLE = re.compile(r"_{3,} (.+?) _{3,}")
_PLACE = re.compile(r"\S+:\d+: .+")
_WARNING = re.compile(r"^\S.*Warning: .*\n(?:  .*\n)?", re.MULTILINE)
"""A warning as Python writes it, with the line of source below."""
_SUMMARY = re.compile(r"^=+ warnings summary.* =+\n(?:.*\n)*?-- Docs: .*\n", re.MULTILINE)


def shorten(text: str) -> str:
    """Of a test that failed with several parameters, show the first failure in full, the others in short."""
    lines: list[str] = []
    seen: set[str] = set()
    for title, part in _parts(text.split("\n")):
        test = title.partition("[")[0]
        lines += part if "[" not in title or test not in seen else _reason(part)
        seen.add(test)
    return "\n".join(lines)


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
