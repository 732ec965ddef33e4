"""What runs in a sandbox step by step or for long: tests, the debugger, traces."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from debug_gym.runners import Program, PytestSession, Runner, runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.sandbox import replies
from debug_gym.sandbox.requests import Requests, seconds
from debug_gym.sandbox.results import (
    NO_PROGRAM,
    Breakpoint,
    DebugReply,
    DebugSettings,
    TestRun,
    TraceRun,
    shortened,
)

MAX_LOG = 8 << 20
"""Bytes of a test program's output that are kept to be read."""


class Programs(Requests):
    """The tests of a task, and its programs: run, debugged, traced."""

    # -- tests -----------------------------------------------------------------------------

    def run_tests(
        self,
        selection: Sequence[str] = (),
        *,
        options: Sequence[str] = (),
        timeout: float | None = None,
        cold: bool = False,
        last: bool = False,
    ) -> TestRun:
        """Run the task's test command, or only the given test ids or paths.

        Ids are relative to the workspace, whatever pytest's rootdir; those that are relative to the rootdir
        are understood too, and come back as they were given.

        Args:
            selection: test ids or paths; none: all visible tests.
            options: further arguments of pytest.
            timeout: seconds; None: the task's.
            cold: pytest runs in a new interpreter.
            last: no other run will follow, so that none is prepared for.
        """
        tests = self.task.tests
        limit = seconds(tests.timeout if timeout is None else timeout)
        runner = runner_of(tests)
        wanted = runner.run(selection)
        if isinstance(wanted, Program):
            return self._run_program(runner, wanted, selection, limit)
        output = self.task.limits.output
        return self._ask(
            TestRun,
            "tests",
            within=limit,
            arguments=[*wanted.arguments, *options],
            selection=list(wanted.selection),
            timeout=limit,
            output=output,
            cold=cold,
            alone=not tests.processes,
            last=last,
        )

    def _run_program(
        self, runner: Runner, program: Program, selection: Sequence[str], timeout: float
    ) -> TestRun:
        """A test command that is not pytest: its runner reads the output."""
        try:
            result = self._exec(program.words, timeout, output=MAX_LOG)
        except (FileNotFoundError, PermissionError) as error:
            reason = f"the test command cannot be run: {program.words[0]}: {error.strerror}\n"
            return TestRun(NO_PROGRAM, reason, True, (COMMAND,), {COMMAND: "failed"})
        outcomes = runner.outcomes(result.output, result.exit_code, selection)
        text, dropped = shortened(result.output, self.task.limits.output)
        return TestRun(
            exit_code=result.exit_code,
            output=text,
            complete=not result.timed_out and not result.dropped,
            collected=tuple(outcomes),
            outcomes=outcomes,
            dropped=dropped + result.dropped,
            timed_out=result.timed_out,
            killed=result.killed,
            note=result.note,
        )

    # -- the debugger ------------------------------------------------------------------------

    def debug_start(
        self,
        *,
        test: str | None = None,
        script: Sequence[str] = (),
        at: str = "start",
        breakpoints: Sequence[Breakpoint] = (),
        settings: DebugSettings | None = None,
        timeout: float | None = None,
    ) -> DebugReply:
        """Start the debugger on a test, or on a script with arguments.

        Args:
            test: a test id; None: the visible tests.
            script: a file and its arguments, in place of a test.
            at: where to stop first: ``start`` (the first line), ``failure`` (post-mortem, where it raised),
                ``breakpoint`` (the first that is reached), ``idle`` (nothing runs; breakpoints can be set).
            breakpoints: to set beforehand, under their numbers.
            settings: to begin with; None: those of the program before.
            timeout: seconds until the first stop.
        """
        entry = self._entry(test, script) if at != "idle" else _entry()
        return self._debug(
            "debug_start",
            timeout,
            **entry,
            at=at,
            breakpoints=[asdict(item) for item in breakpoints],
            settings=None if settings is None else asdict(settings),
        )

    def _entry(self, test: str | None, script: Sequence[str]) -> dict[str, Any]:
        """How the debugger and traces enter a program: see the function ``_entry``."""
        if script:
            return _entry(script)
        match runner_of(self.task.tests).debug(test):
            case PytestSession(arguments, selection):
                return _entry((), arguments, selection)
            case Program() as program:
                return _entry(program.script, harness=program.harness)
            case None:
                raise ValueError("the test command is no Python program that could be entered")

    def debug(self, command: str, *, timeout: float | None = None) -> DebugReply:
        """Give the running debugger one command and wait for its answer."""
        return self._debug("debug", timeout, command=command)

    def debug_stop(self) -> None:
        """End the debugger, if one runs."""
        self.request("debug_stop")

    def _debug(self, op: str, timeout: float | None, **arguments: Any) -> DebugReply:
        limit = seconds(self.task.limits.command_timeout if timeout is None else timeout)
        output = self.task.limits.output
        return self._ask(DebugReply, op, within=limit, timeout=limit, output=output, **arguments)

    # -- traces --------------------------------------------------------------------------------

    def trace(
        self,
        *,
        points: Sequence[str] = (),
        calls: Sequence[str] = (),
        assignments: Sequence[str] = (),
        test: str | None = None,
        script: Sequence[str] = (),
        hits: int = 20,
        keep: str = "first",
        timeout: float | None = None,
    ) -> TraceRun:
        """Run a test (else the visible ones, to the first that fails) or a script, and record what it does.

        The entries are written as for ``debug_gym.tools.trace``. Of each, so many ``hits`` are kept:
        the ``first``, the ``last``, or half of ``both``. Their expressions are evaluated in the program,
        which may change what it does.
        """
        tests, limits = self.task.tests, self.task.limits
        default = limits.command_timeout if script else tests.timeout
        limit = seconds(default if timeout is None else timeout)
        entry = self._entry(test, script)
        entry["arguments"] += [] if test is not None else ["-x"]
        reply, _ = self.request(
            "trace",
            within=limit,
            points=list(points),
            calls=list(calls),
            assignments=list(assignments),
            **entry,
            hits=hits,
            keep=keep,
            timeout=limit,
            output=limits.output,
        )
        return self.connection.checked(replies.parse_trace, reply)


def _entry(
    script: Sequence[str] = (),
    arguments: Sequence[str] = (),
    selection: Sequence[str] = (),
    *,
    harness: str = "",
) -> dict[str, Any]:
    """The words of a script, and what its tests are built on; or arguments of pytest, and what it
    selects."""
    return {
        "script": list(script),
        "arguments": list(arguments),
        "selection": list(selection),
        "harness": harness,
    }
