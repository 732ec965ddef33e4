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
from types import CodeType, FrameType, TracebackType
from typing import Any

import pytest

RAISED_FRAMES = 8


class HungError(BaseException):
    """A test took longer than it may. No ``Exception``, so that the code under test does not catch it."""


class Tracer:
    """Lines of files below a folder that run, in all threads."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.lines: set[tuple[str, int]] = set()
        self._paths: dict[CodeType, str | None] = {}

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
            return line

        return line


class Recorder:
    """A pytest plugin that adds up, for each line, how many failing and passing tests execute it."""

    def __init__(self, tracer: Tracer, seconds_per_test: float) -> None:
        self.tracer = tracer
        self.limit = seconds_per_test
        self.failed: collections.Counter[tuple[str, int]] = collections.Counter()
        self.passed: collections.Counter[tuple[str, int]] = collections.Counter()
        self.imported: set[tuple[str, int]] = set()
        self.outcomes: dict[str, str] = {}
        self.raised: dict[str, list[tuple[str, int]]] = {}
        self.running = ""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """Lines that run while test modules are imported; a failing import counts as a failing test."""
        self.tracer.lines = set()
        result = yield
        lines, self.tracer.lines = self.tracer.lines, set()
        self.imported |= lines
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
            "files": {path: Path(path).read_bytes().decode("utf-8", "replace") for path in files},
            "lines": lines,
            "imported": {path: [line for name, line in self.imported if name == path] for path in files},
            "outcomes": self.outcomes,
            "raised": self.raised,
        }


def main(target: str, seconds: str, seconds_per_test: str, *arguments: str) -> None:
    """Run the tests and write the result: JSON, compressed, in base 32 so that no clean-up of texts alters it."""
    root = str(Path.cwd())
    sys.path[0] = root
    recorder = Recorder(Tracer(os.path.realpath(root)), float(seconds_per_test))

    def write() -> None:
        os.chdir(root)
        packed = zlib.compress(json.dumps(recorder.result()).encode(), 9)
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
    pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[recorder])
    sys.settrace(None)
    watchdog.cancel()
    write()
    os._exit(0)  # threads that the tests left behind must not keep us


if __name__ == "__main__":
    main(*sys.argv[1:])
