"""Runs in the sandbox: the tests once, and which lines of the workspace the failing and passing ones execute.

A script of its own, sent to the task's interpreter as text: standard library and pytest only, Python >= 3.8.
Usage: ``python tracer.py RESULT SECONDS SECONDS_PER_TEST [pytest arguments]``, in the workspace.
"""

from __future__ import annotations

import base64
import collections
import json
import os
import signal
import sys
import threading
import zlib
from collections.abc import Generator
from pathlib import Path
from types import CodeType, FrameType, GetSetDescriptorType, ModuleType, TracebackType
from typing import Any

import pytest

RAISED_FRAMES = 8
LOOKS = 3
"""How often the types of variables are looked at per line and run."""
ATTRIBUTES = 40
KINDS = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type(None))


class HungError(BaseException):
    """A test took longer than it may. No ``Exception``, so that the code under test does not catch it."""


class Tracer:
    """Lines of files below a folder that run, in all threads."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.lines: set[tuple[str, int]] = set()
        self.types: dict[str, dict[int, dict[str, set[str]]]] = {}
        """Path, first line of a function, variable or ``variable.attribute``, kinds of its values."""
        self._paths: dict[CodeType, str | None] = {}
        self._looks: collections.Counter[tuple[CodeType, int]] = collections.Counter()

    def path(self, filename: str) -> str | None:
        """The path relative to the workspace; None for a file outside of it or an installed package."""
        full = os.path.realpath(filename)
        inside = full.startswith(self.root + os.sep) and full.endswith(".py")
        return full[len(self.root) + 1 :] if inside and "site-packages" not in full else None

    def start(self) -> None:
        """Trace from now on; threads that start later, too."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    def _call(self, frame: FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        if code not in self._paths:
            self._paths[code] = self.path(code.co_filename)
        path = self._paths[code]
        if path is None:
            return None

        def line(inner: FrameType, event: str, _argument: object) -> Any:
            if event == "line":
                self.lines.add((path, inner.f_lineno))
            if event in ("line", "return"):
                self._look(path, inner)
            return line

        return line

    def _look(self, path: str, frame: FrameType) -> None:
        """Note what kinds of values the variables have, and the attributes of those that have some."""
        code = frame.f_code
        self._looks[code, frame.f_lineno] += 1
        if self._looks[code, frame.f_lineno] > LOOKS or code.co_name == "<module>":
            return
        known = self.types.setdefault(path, {}).setdefault(code.co_firstlineno, {})
        for name, value in list(frame.f_locals.items()):
            known.setdefault(name, set()).add(kind(value))
            for attribute, part in list(attributes(value).items())[:ATTRIBUTES]:
                known.setdefault(f"{name}.{attribute}", set()).add(kind(part))


def kind(value: object) -> str:
    """What a value is, without running any of its code: a builtin type, ``iterator``, or its class's name."""
    of = type(value)
    for base in KINDS:
        if issubclass(of, base):
            return base.__name__
    return of.__name__ if static(of, "__next__") is None else "iterator"


def attributes(value: object) -> dict[str, object]:
    """The attributes that an object itself has; none for modules and classes."""
    of = type(value)
    place = static(of, "__dict__")
    if issubclass(of, (type, ModuleType)) or not isinstance(place, GetSetDescriptorType):
        return {}
    found: dict[str, object] = place.__get__(value)
    return found


def static(of: type, name: str) -> object:
    """What a class or its bases define under a name, past any ``__getattribute__``."""
    for base in type.__getattribute__(of, "__mro__"):
        space = type.__getattribute__(base, "__dict__")
        if name in space:
            return space[name]
    return None


class Recorder:
    """A pytest plugin that adds up, for each line, how many failing and passing tests execute it."""

    def __init__(self, tracer: Tracer, seconds_per_test: float) -> None:
        self.tracer = tracer
        self.limit = seconds_per_test
        self.failed: collections.Counter[tuple[str, int]] = collections.Counter()
        self.passed: collections.Counter[tuple[str, int]] = collections.Counter()
        self.outcomes: dict[str, str] = {}
        self.raised: dict[str, list[tuple[str, int]]] = {}
        self.running = ""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """Lines that run while test modules are imported; a failing import counts as a failing test."""
        self.tracer.lines = set()
        result = yield
        lines, self.tracer.lines = self.tracer.lines, set()
        if result.get_result().failed:
            self._count(collector.nodeid, "error", lines)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, None]:
        """One test, with its own set of lines and its own time limit."""
        self.tracer.lines, self.running = set(), item.nodeid
        self.outcomes[item.nodeid] = "passed"
        signal.setitimer(signal.ITIMER_REAL, self.limit)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.running = ""
        self._count(item.nodeid, self.outcomes[item.nodeid], self.tracer.lines)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, None]:
        """The outcome of one phase of a test, and where its exception came from."""
        result = yield
        report = result.get_result()
        if report.failed:
            self.outcomes[item.nodeid] = "failed" if report.when == "call" else "error"
            if call.excinfo is not None and call.excinfo.tb is not None:
                self.raised.setdefault(item.nodeid, self._frames(call.excinfo.tb))
        elif report.skipped and self.outcomes[item.nodeid] == "passed":
            self.outcomes[item.nodeid] = "skipped"

    def _frames(self, traceback: TracebackType) -> list[tuple[str, int]]:
        """The places in the workspace that an exception passed, the innermost first."""
        found = []
        entry: TracebackType | None = traceback
        while entry is not None:
            path = self.tracer.path(entry.tb_frame.f_code.co_filename)
            if path is not None:
                found.append((path, entry.tb_lineno))
            entry = entry.tb_next
        return found[::-1][:RAISED_FRAMES]

    def _count(self, test: str, outcome: str, lines: set[tuple[str, int]]) -> None:
        self.outcomes[test] = outcome
        if outcome in ("failed", "error"):
            self.failed.update(set(lines))
        elif outcome == "passed":
            self.passed.update(set(lines))

    def result(self) -> dict[str, Any]:
        """Everything, with the text of each file that a failing test executed."""
        if self.running:
            self._count(self.running, "failed", self.tracer.lines)
        files = sorted({path for path, _ in self.failed})
        lines: dict[str, dict[int, tuple[int, int]]] = {path: {} for path in files}
        for path, line in self.failed:
            lines[path][line] = (self.failed[path, line], self.passed[path, line])
        return {
            "files": {path: text for path in files for text in texts(path)},
            "lines": lines,
            "types": {path: self.tracer.types.get(path, {}) for path in files},
            "outcomes": self.outcomes,
            "raised": self.raised,
        }


def texts(path: str) -> list[str]:
    """The text of a file; none if it is not UTF-8: then it could not be written back as it was."""
    try:
        return [Path(path).read_bytes().decode("utf-8-sig")]
    except UnicodeDecodeError:
        return []


def main(target: str, seconds: str, seconds_per_test: str, *arguments: str) -> None:
    """Run the tests and write the result: JSON, compressed, in base 32 (no clean-up of texts alters it)."""
    root = str(Path.cwd())
    sys.path[0] = root
    recorder = Recorder(Tracer(os.path.realpath(root)), float(seconds_per_test))

    def write() -> None:
        os.chdir(root)
        packed = zlib.compress(json.dumps(recorder.result(), default=sorted).encode(), 9)
        Path(target).write_bytes(base64.b32encode(packed))

    def give_up() -> None:
        write()
        os._exit(0)

    def hung(_signal: int, _frame: FrameType | None) -> None:
        raise HungError("the test takes too long")

    signal.signal(signal.SIGALRM, hung)
    watchdog = threading.Timer(float(seconds), give_up)
    watchdog.daemon = True
    watchdog.start()
    recorder.tracer.start()
    pytest.main(["-q", *arguments], plugins=[recorder])
    sys.settrace(None)
    watchdog.cancel()
    write()
    os._exit(0)  # threads that the tests left behind must not keep us


if __name__ == "__main__":
    main(*sys.argv[1:])
