"""The ``eval`` tool: run the task's tests and see which pass."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.runners import runner_of
from debug_gym.sandbox import TestRun
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.test_output import WarningsSeen, shorten
from debug_gym.tools.text import clip, scrub

MAX_OUTPUT = 24_000
"""Characters of the test command's output that are shown."""
MAX_FRAMES = 10
"""Frames shown of where a test stood at its time limit."""
MAX_FAILURES = 30
"""Failed tests that are listed above the output."""
MAX_FILES = 10
"""Files that are named of those with further failures."""
_ORDER = ("failed", "error", "passed", "xfailed", "xpassed", "skipped")
_USAGE_ERROR = 4
"""pytest's exit code when a test id or path does not exist."""


class Eval(Tool):
    """Runs the tests."""

    name, kind = "eval", "test"
    description = (
        "Run the tests, all of them or those named, and show which failed and why. "
        "Times, addresses and temporary paths are left out of the output."
    )

    class Args(Arguments):
        """Which tests to run."""

        tests: list[str] = Field(
            default=[],
            description="test ids (tests/test_a.py::test_b) or paths; default: all tests of the task",
        )
        timeout: float | None = Field(
            default=None, gt=0, le=3600, description="seconds the run may take; default: the task's limit"
        )

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if args.tests and not runner_of(session.task.tests).selects:
            raise ToolError("the tests of this task run as one command: call eval without tests")
        for test in args.tests:
            if test.startswith("-") or not test.strip():
                raise ToolError(f"{test!r} is not a test id or path")
        run = session.sandbox.run_tests(args.tests, timeout=args.timeout)
        session.last_run = run
        if not args.tests:
            session.tests = run
        limit = session.task.tests.timeout if args.timeout is None else args.timeout
        warnings = session.state.setdefault("warnings", WarningsSeen())
        parts = [
            _summary(run, limit),
            *_standing(run, session.sandbox.workspace),
            _failures(run),
            clip(printable(shorten(warnings.once(run.output))), MAX_OUTPUT),
        ]
        data = {
            "outcomes": dict(run.outcomes),
            "passed": len(run.passed),
            "failed": len(run.failed),
            "total": _total(run),
            "complete": run.complete,
            "timed_out": run.timed_out,
            "exit_code": run.exit_code,
            "warm": run.warm,
        }
        text = scrub("\n".join(filter(None, parts))).rstrip()
        return Observation(text=text, data=data, error=bool(args.tests) and run.exit_code == _USAGE_ERROR)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """All tests."""
        return [{}]


def _total(run: TestRun) -> int:
    """Tests that were to run, and files that could not be collected."""
    return len({*run.collected, *run.outcomes})


def _summary(run: TestRun, limit: float) -> str:
    counts = Counter(run.outcomes.values())
    total = _total(run)
    shown = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _ORDER if counts[outcome])
    line = f"{shown or 'no results'} of {total}" if total else "no tests ran"
    if run.timed_out:
        line += f"; stopped after {limit:g} seconds, before the end"
    elif not run.complete:
        line += f"; the run broke off before its end (exit code {run.exit_code})"
    remarks = [note for note in run.note.split("; ") if note and not note.startswith("cold: ")]
    return "; ".join([line, *remarks])


def _standing(run: TestRun, workspace: str) -> list[str]:
    """Of a run that did not come to its end: which test was running, and where that stood."""
    if run.complete or not (run.running or run.stack):
        return []
    folder = workspace.rstrip("/") + "/"
    own = [frame for frame in run.stack if frame.startswith(folder) and "/site-packages/" not in frame]
    shown = [frame for frame in run.stack[:1] if frame not in own] + own[:MAX_FRAMES]
    where = [f"    {frame.removeprefix(folder)}" for frame in shown]
    first = f"it was running {run.running}" if run.running else "it had not begun with a test"
    return [
        printable(text) for text in [first + (", and stood, innermost first, at" if where else ""), *where]
    ]


def _failures(run: TestRun) -> str:
    lines = []
    for test in run.failed[:MAX_FAILURES]:
        message = run.messages.get(test)
        lines.append(f"{run.outcomes[test]}: {test}" + (f" - {message}" if message else ""))
    if more := run.failed[MAX_FAILURES:]:
        files = Counter(test.partition("::")[0] for test in more)
        named = ", ".join(f"{file} ({count})" for file, count in files.most_common(MAX_FILES))
        others = f", and {len(files) - MAX_FILES} files" if len(files) > MAX_FILES else ""
        lines.append(f"[and {len(more)} more: {named}{others}]")
    return printable("\n".join(lines))
