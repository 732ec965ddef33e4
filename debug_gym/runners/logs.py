"""Log parsers: what the printed output of test programs says about each test.

What a program prints, the code under test can print as well: outcomes that are read here prove less than
those that a sandbox's own session of pytest reports.
"""

import re
from collections.abc import Callable

Parser = Callable[[str], dict[str, str]]
"""Takes the whole output, gives test id to outcome (see ``TestRun.outcomes``)."""

_RANK = {"passed": 0, "xfailed": 1, "skipped": 2, "xpassed": 3, "failed": 4, "error": 5}

# -- unittest -----------------------------------------------------------------------------------------

_HEADER = re.compile(r"(?:^|(?<= \.\.\. ))(\w+) \((\w+(?:\.[\w<>]+)+)\)", re.MULTILINE)
_STATUS = r"(ok|FAIL|ERROR|skipped\b.*|expected failure|unexpected success)$"
_STRICT = re.compile(r"(?:^|\.\.\. )" + _STATUS, re.MULTILINE)
_GLUED = re.compile(_STATUS, re.MULTILINE)
_SUMMARY = re.compile(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \((\w+(?:\.[\w<>]+)+)\)", re.MULTILINE)
_SEPARATOR = re.compile(r"^={70}$", re.MULTILINE)
_UNITTEST = {"ok": "passed", "FAIL": "failed", "ERROR": "error", "skipped": "skipped"}


def unittest_log(output: str) -> dict[str, str]:
    """The verbose output of unittest and of Django's test programs; ids are dotted names.

    Names that stand for a module or class that could not be loaded or set up are no tests.
    """
    found: dict[str, str] = {}
    separator = _SEPARATOR.search(output)
    running = output[: separator.start()] if separator else output
    headers = list(_HEADER.finditer(running))
    for number, header in enumerate(headers):
        end = headers[number + 1].start() if number + 1 < len(headers) else len(running)
        chunk = running[header.end() : end]
        seen = _STRICT.findall(chunk) or _GLUED.findall(chunk)
        if seen:
            _worst(
                found, _dotted(*header.groups()), _unittest_outcome(seen[0])
            )  # the next may be of a setUpClass
    for match in _SUMMARY.finditer(output[len(running) :]):
        _worst(
            found, _dotted(match[2], match[3]), {"FAIL": "failed", "ERROR": "error"}.get(match[1], "xpassed")
        )
    return {test: outcome for test, outcome in found.items() if not _is_stand_in(test)}


def _dotted(name: str, where: str) -> str:
    return where if where.endswith(f".{name}") else f"{where}.{name}"


def _unittest_outcome(status: str) -> str:
    if status in {"expected failure", "unexpected success"}:
        return "xfailed" if status.startswith("expected") else "xpassed"
    return _UNITTEST[status.partition(" ")[0]]


def _is_stand_in(test: str) -> bool:
    name = test.rpartition(".")[2]
    return "._FailedTest" in test or name in {"setUpClass", "tearDownClass", "setUpModule", "tearDownModule"}


# -- others -------------------------------------------------------------------------------------------

_SYMPY_FILE = re.compile(r"^(\S+\.py)\[\d+\]")
_SYMPY_TEST = re.compile(r"^(test_\w+) (?:(ok|F|E|f|X|[swTK])(?:\s|$)|.* ([swTK])(?:\s+\[(?:OK|FAIL)\])?$)")
_SYMPY = {"ok": "passed", "F": "failed", "E": "error", "f": "xfailed", "X": "xpassed"}


def sympy_log(output: str) -> dict[str, str]:
    """The output of sympy's ``bin/test --verbose``; ids are ``path::name``."""
    found: dict[str, str] = {}
    path = ""
    for line in output.splitlines():
        if match := _SYMPY_FILE.match(line):
            path = match[1]
        elif (match := _SYMPY_TEST.match(line)) and path:
            _worst(found, f"{path}::{match[1]}", _SYMPY.get(match[2] or match[3], "skipped"))
    return found


_WORDS = {
    **dict.fromkeys(("ok", "OK", "PASS", "PASSED"), "passed"),
    **dict.fromkeys(("not ok", "FAIL", "FAILED", "F"), "failed"),
    "ERROR": "error",
    **dict.fromkeys(("SKIP", "SKIPPED"), "skipped"),
    **dict.fromkeys(("XFAIL", "XFAILED"), "xfailed"),
    **dict.fromkeys(("XPASS", "XPASSED"), "xpassed"),
}
_WORD = "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
_PYTEST_LINE = re.compile(rf"^(\S+\.py::.+?) ({_WORD})(?: .*)?$|^({_WORD}) (\S+\.py::.+?)(?: - .*)?$")
_LINE = re.compile(rf"^(\S.*?)(?:\s*\.\.\.|:)?\s+({_WORD})$|^({_WORD})(?::\s*|\s+)(\S.*?)$")
_TAP = re.compile(r"^(ok|not ok)\b *(\d*) *-? *([^#\n]*?) *(?:# *(SKIP|TODO)\b.*)?$", re.IGNORECASE)


def pytest_log(output: str) -> dict[str, str]:
    """What pytest prints with ``-v`` or ``-rA``, for example in a ``make test``."""
    return _by_line(output, _PYTEST_LINE)


def lines_log(output: str) -> dict[str, str]:
    """A line for each test: ``name ok``, ``name ... FAIL``, ``PASS: name`` and the like."""
    return _by_line(output, _LINE)


def tap_log(output: str) -> dict[str, str]:
    """The Test Anything Protocol: ``ok 1 - name``, ``not ok 2 - name # TODO why``; testanything.org."""
    if not re.search(r"^\d+\.\.\d+", output, re.MULTILINE):  # the plan
        return {}
    found: dict[str, str] = {}
    for line in output.splitlines():
        if match := _TAP.match(line):
            good, mark = match[1].lower() == "ok", (match[4] or "").upper()
            marked = {"SKIP": "skipped", "TODO": "xpassed" if good else "xfailed"}
            _worst(found, match[3] or f"test {match[2]}", marked.get(mark, "passed" if good else "failed"))
    return found


def _by_line(output: str, pattern: re.Pattern[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in output.splitlines():
        if match := pattern.match(line.rstrip()):
            name, word = (match[1], match[2]) if match[1] else (match[4], match[3])
            _worst(found, name, _WORDS[word])
    return found


def _worst(found: dict[str, str], test: str, outcome: str) -> None:
    """The worst of several outcomes of one test counts."""
    if _RANK[outcome] >= _RANK.get(found.get(test, ""), -1):
        found[test] = outcome


PARSERS: dict[str, Parser] = {
    "unittest": unittest_log,
    "sympy": sympy_log,
    "pytest": pytest_log,
    "tap": tap_log,
    "lines": lines_log,
}
AUTOMATIC = ("unittest", "pytest", "tap")
"""Parsers of forms that nothing else looks like, tried in this order where a task names none."""
