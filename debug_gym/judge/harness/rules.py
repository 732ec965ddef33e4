"""The rules by which harnesses turn statuses of tests into a score. Each gives what speaks against a fix."""

import re
from collections.abc import Callable, Iterable, Iterator

from debug_gym.runners.harness_logs import Statuses
from debug_gym.task import Harness

_GOOD = {"PASSED", "XFAIL"}
_BAD = {"FAILED", "ERROR"}
_TIMES = (
    re.compile(r"\s*\[\s*\d+(?:\.\d+)?\s*(?:ms|s)\s*\]\s*$", re.IGNORECASE),
    re.compile(r"\s+in\s+\d+(?:\.\d+)?\s+(?:msec|sec)\b", re.IGNORECASE),
    re.compile(r"\s*\(\s*\d+(?:\.\d+)?\s*(?:ms|s)\s*\)\s*$", re.IGNORECASE),
)
"""How long a test took, where it is printed behind its name."""
_ESCAPE = re.compile(r"\x1b\[\d+m")


def _swe_bench(harness: Harness, seen: Statuses) -> Iterator[str]:
    """swebench 5.0: a fail-to-pass test passes or is expected to fail; a pass-to-pass test may be skipped.
    What is missing fails; names that were cut off inside their parameters stand for what begins so."""
    for test in harness.fail_to_pass:
        if _status(test, seen) in {*_BAD, "SKIPPED", None}:
            yield test
    for test in harness.pass_to_pass:
        if _status(test, seen) in {*_BAD, None}:
            yield test


def _status(test: str, seen: Statuses) -> str | None:
    if test in seen:
        return seen[test]
    if test.count("[") > test.count("]"):
        found = [status for name, status in seen.items() if name.startswith(test)]
        if len({status in _GOOD for status in found}) == 1:
            return found[0]
    return None


def _swe_bench_4(harness: Harness, seen: Statuses) -> Iterator[str]:
    """swebench 4 and those made from it, SWE-smith too: a test that is skipped counts neither way."""
    tests = (*harness.fail_to_pass, *harness.pass_to_pass)
    return (test for test in tests if seen.get(test) in {*_BAD, None})


def _swe_bench_live(harness: Harness, seen: Statuses) -> Iterator[str]:
    """A fail-to-pass test passes; a pass-to-pass test is not seen to fail, but may be missing. All that is
    neither passed nor skipped has failed."""
    for test in dict.fromkeys(harness.fail_to_pass):
        if "pass" not in seen.get(test, "").lower():
            yield test
    for test in dict.fromkeys(harness.pass_to_pass):
        if not re.search("pass|skip", seen.get(test, "skip"), re.IGNORECASE):
            yield test


def _swe_rebench_v2(harness: Harness, seen: Statuses) -> Iterator[str]:
    """Exactly the tests that are named pass, and no other."""
    passed = sorted(name for name, status in _untimed(seen).items() if status == "PASSED")
    expected = sorted(map(_without_time, (*harness.fail_to_pass, *harness.pass_to_pass)))
    if passed != expected:
        yield from sorted({*passed} ^ {*expected}) or expected


def _untimed(seen: Statuses) -> Statuses:
    return {_without_time(name): status for name, status in seen.items()}


def _without_time(name: str) -> str:
    for pattern in _TIMES:
        name = pattern.sub("", name)
    return name.strip()


def _r2e_gym(harness: Harness, seen: Statuses) -> Iterator[str]:
    """Every status is the expected one, failures included, and there are as many."""
    found, expected = _plain(seen), _plain(harness.expected)
    yield from (name for name, status in found.items() if name and expected.get(name) != status)
    if len(found) != len(expected):
        yield from sorted(expected.keys() - found.keys()) or ["there are more tests than expected"]


def _plain(statuses: Statuses) -> Statuses:
    return {_ESCAPE.sub("", name).split(" - ")[0]: statuses[name] for name in sorted(statuses)}


RULES: dict[str, Callable[[Harness, Statuses], Iterable[str]]] = {
    "swe-bench": _swe_bench,
    "swe-bench-4": _swe_bench_4,
    "swe-bench-live": _swe_bench_live,
    "swe-smith": _swe_bench_4,
    "swe-rebench-v2": _swe_rebench_v2,
    "r2e-gym": _r2e_gym,
}
"""By the names that ``Harness.rule`` takes."""
