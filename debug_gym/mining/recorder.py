"""Runs in the sandbox: the tests once, and which functions of the workspace each of them calls, how deep.

A script of its own, sent to the task's interpreter as text: standard library and pytest only, Python >= 3.8.
Usage: ``python recorder.py RESULT SECONDS TARGETS [pytest arguments]``, in the workspace; ``TARGETS`` is a
JSON list of functions (``path:first line``) whose distance from the failure of each test is wanted.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

import pytest

OWN = os.path.realpath(__file__)
MOST_FRAMES = 200
"""Frames that are looked at on the way from a function to its test."""


class Recorder:
    """A tracer of calls, and a plugin of pytest that knows which test they belong to."""

    def __init__(self, root: str, targets: list[str]) -> None:
        self.root = root + os.sep
        self.targets = set(targets)
        self.names: dict[CodeType, str | None] = {}
        self.reached: dict[str, dict[str, tuple[int, int]]] = {}
        """Test to function to the calls and files on the shortest way that was seen first."""
        self.outcomes: dict[str, str] = {}
        self.distances: dict[str, dict[str, Any]] = {}
        self.test = ""
        self.calls = 0
        self.last = -1

    def name(self, code: CodeType) -> str | None:
        """``path:first line`` of a function of the workspace."""
        if code not in self.names:
            path = os.path.realpath(code.co_filename)
            inside = path.startswith(self.root) and path.endswith(".py") and "site-packages" not in path
            own = inside and path != OWN and not code.co_name.startswith("<")
            self.names[code] = f"{path[len(self.root) :]}:{code.co_firstlineno}" if own else None
        return self.names[code]

    def trace(self, frame: FrameType, _event: str, _argument: object) -> None:
        """Called for each call of a function."""
        name = self.name(frame.f_code)
        if name is None or not self.test:
            return
        self.calls += 1
        if name in self.targets:
            self.last = self.calls
        reached = self.reached[self.test]
        if name not in reached:
            reached[name] = self.way(frame)

    def way(self, frame: FrameType) -> tuple[int, int]:
        """How many calls of the workspace's functions lead to one, and through how many files."""
        files, calls = set(), 0
        entry: FrameType | None = frame
        for _ in range(MOST_FRAMES):
            if entry is None:
                break
            name = self.name(entry.f_code)
            if name is not None:
                path = name.rpartition(":")[0]
                if path == self.test.partition("::")[0]:
                    break
                calls += 1
                files.add(path)
            entry = entry.f_back
        return calls, len(files)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.test, self.calls, self.last = nodeid, 0, -1
        self.reached.setdefault(nodeid, {})

    def pytest_runtest_logfinish(self) -> None:
        """A test is over."""
        self.test = ""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        """How a phase of a test went, and if it failed, how far that was from the targets."""
        result = yield
        report = result.get_result()
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[item.nodeid] = report.outcome
        if report.failed and call.excinfo is not None and self.targets:
            frames: list[str | None] = []
            entry: TracebackType | None = call.excinfo.tb
            while entry is not None:
                frames.append(self.name(entry.tb_frame.f_code))
                entry = entry.tb_next
            ways = [way for name, way in self.reached.get(item.nodeid, {}).items() if name in self.targets]
            calls, files = min(ways, default=(0, 0))
            self.distances[item.nodeid] = {
                "calls": calls,
                "files": files,
                "later_calls": self.calls - self.last if self.last >= 0 else 0,
                "on_traceback": any(name in self.targets for name in frames),
            }


def main(target: str, seconds: str, targets: str, *arguments: str) -> None:
    """Run the tests and write the result as JSON."""
    root = str(Path.cwd())
    sys.path[0] = root
    recorder = Recorder(os.path.realpath(root), json.loads(targets))

    def write() -> None:
        names = sorted({name for reached in recorder.reached.values() for name in reached})
        numbers = {name: number for number, name in enumerate(names)}
        reached = {
            test: [(numbers[name], *way) for name, way in found.items()]
            for test, found in recorder.reached.items()
        }
        result = {
            "functions": names,
            "reached": reached,
            "outcomes": recorder.outcomes,
            "distances": recorder.distances,
        }
        Path(root, target).write_text(json.dumps(result), encoding="utf-8")

    def give_up() -> None:
        write()
        os._exit(0)

    watchdog = threading.Timer(float(seconds), give_up)
    watchdog.daemon = True
    watchdog.start()
    threading.settrace(recorder.trace)
    sys.settrace(recorder.trace)
    pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[recorder])
    sys.settrace(None)
    watchdog.cancel()
    write()
    os._exit(0)  # threads that the tests left behind must not keep us


if __name__ == "__main__":
    main(*sys.argv[1:])
