"""Test programs that are not pytest: the debugger stops where a test begins, or where one has failed."""

from __future__ import annotations

import functools
import inspect
import sys
import unittest
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Callable, Iterable, Optional

from .debugger import Debugger

_SYMPY = ("sympy.testing.runtests", "sympy.utilities.runtests")
"""Where sympy has had its test program."""


def stop_in_tests(debugger: Debugger, harness: str, at: str) -> None:
    """Have the debugger told of what a harness's results are told of, whoever runs the tests.

    Args:
        debugger: that stops.
        harness: ``unittest``, or ``sympy``, which is not yet imported.
        at: ``start`` also stops at the first line of the first test.
    """
    stops = _Stops(debugger, at)
    if harness == "unittest":
        _watch_unittest(stops)
    else:
        sys.meta_path.insert(0, _Finder(stops))  # type: ignore[arg-type, unused-ignore]


class _Stops:
    """Stops in tests."""

    def __init__(self, debugger: Debugger, at: str) -> None:
        self.debugger = debugger
        self._wanted = at == "start"

    def begin(self, name: str, functions: Iterable[Any]) -> None:
        """A test begins: with the first of these functions that is called."""
        if self._wanted:
            self._wanted = False
            self.debugger.message("test " + name)
            codes, ours = list(map(_code, functions)), self.debugger.places.ours
            self.debugger.stop_at_first_line(lambda code: code in codes and ours(code.co_filename))

    def fail(self, name: str, error: BaseException) -> None:
        """A test has failed."""
        self.debugger.message("%s failed" % name)
        self.debugger.post_mortem(error)


def _watch_unittest(stops: _Stops) -> None:
    def start(test: Any) -> None:
        method = getattr(test, getattr(test, "_testMethodName", ""), None)
        stops.begin(test.id(), [getattr(test, "setUp", None), method])

    def failed(test: Any, error: Any) -> None:
        stops.fail(test.id(), error[1])

    def part_failed(test: Any, part: Any, error: Any) -> None:
        if error is not None:
            failed(part, error)

    _tell(unittest.TestResult, "startTest", start)
    _tell(unittest.TestResult, "addError", failed)
    _tell(unittest.TestResult, "addFailure", failed)
    _tell(unittest.TestResult, "addSubTest", part_failed)


class _Finder:
    """Finds sympy's test program, to look at it when it is imported."""

    def __init__(self, stops: _Stops) -> None:
        self._stops = stops

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """See ``importlib.abc.MetaPathFinder``."""
        if name not in _SYMPY:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._stops)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, stops: _Stops) -> None:
        super().__init__(name, path)
        self._stops = stops

    def exec_module(self, module: ModuleType) -> None:
        """See ``importlib.abc.Loader``."""
        super().exec_module(module)
        reporter = getattr(module, "PyTestReporter", None)
        if reporter is not None and reporter.__module__ == module.__name__:
            self._stops.debugger.places.hide(self.path)
            _watch_sympy(self._stops, reporter)


def _watch_sympy(stops: _Stops, reporter: Any) -> None:
    def name(test: Any) -> str:
        code, short = _code(test), stops.debugger.places.short
        return "%s::%s" % (short(code.co_filename), test.__name__) if code else str(test)

    def start(self: Any, test: Any) -> None:
        stops.begin(name(test), [test])

    def failed(self: Any, error: Any) -> None:
        stops.fail(name(self._active_f), error[1])

    for method, told in (("entering_test", start), ("test_fail", failed), ("test_exception", failed)):
        _tell(reporter, method, told, of_self=True)


def _tell(kind: Any, name: str, told: Callable[..., None], *, of_self: bool = False) -> None:
    """Call ``told`` before a method of a class, with its arguments."""
    usual = getattr(kind, name)

    @functools.wraps(usual)
    def method(self: Any, *arguments: Any) -> Any:
        told(*([self] if of_self else []), *arguments)
        return usual(self, *arguments)

    setattr(kind, name, method)


def _code(function: Any) -> Any:
    return getattr(inspect.unwrap(function), "__code__", None) if function is not None else None
