"""Programs that are built on unittest: the debugger stops where a test begins, or where one has failed."""

from __future__ import annotations

import functools
import inspect
import unittest
from typing import Any, Callable, List

from .debugger import Debugger


def stop_in_tests(debugger: Debugger, at: str) -> None:
    """Have the debugger told of what unittest's results are told of, whoever runs the tests.

    ``at``: ``start`` also stops at the first line of the first test.
    """
    begun: List[Any] = []

    def start(test: Any) -> None:
        if at == "start" and not begun:
            begun.append(test)
            debugger.message("test " + test.id())
            method = getattr(test, getattr(test, "_testMethodName", ""), None)
            codes = [_code(thing) for thing in (getattr(test, "setUp", None), method)]
            debugger.stop_at_first_line(lambda code: code in codes and debugger.places.ours(code.co_filename))

    def failed(test: Any, error: Any) -> None:
        debugger.message("%s failed" % test.id())
        debugger.post_mortem(error[1])

    def part_failed(test: Any, part: Any, error: Any) -> None:
        if error is not None:
            failed(part, error)

    _tell("startTest", start)
    _tell("addError", failed)
    _tell("addFailure", failed)
    _tell("addSubTest", part_failed)


def _tell(name: str, told: Callable[..., None]) -> None:
    """Call ``told`` before a method of unittest's results, with its arguments."""
    usual = getattr(unittest.TestResult, name)

    @functools.wraps(usual)
    def method(self: Any, *arguments: Any) -> Any:
        told(*arguments)
        return usual(self, *arguments)

    setattr(unittest.TestResult, name, method)


def _code(function: Any) -> Any:
    return getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
