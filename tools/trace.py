"""The ``trace`` tool: one run that stops nowhere, and a table of what the program did."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.runners import runner_of
from debug_gym.sandbox import TraceRow, TraceRun
from debug_gym.sandbox.server.trace.record import MAX_FOLLOWED
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import one_line, printable
from debug_gym.tools.text import clip, sample_files, scrub

MAX_TABLE, MAX_OUTPUT = 24_000, 4_000
"""Characters shown of the table, and of the output of a script that failed or tests that did not begin."""
MAX_ENTRIES = 50
"""Points, functions and names of one call."""
_DEEPEST = 20
"""Calls inside of calls that are shown by indentation."""
_VERBS = {"return": "returned ", "raise": "raised ", "yield": "yielded "}


class Trace(Tool):
    """Records what a program does."""

    name, kind = "trace", "debug"
    description = (
        "Run a test or a script once, without stopping, and record what you ask for: values of expressions "
        "at lines, calls and returns of functions, or every assignment to a variable. The answer is one "
        "table in the order of execution. One call shows what would take many pdb steps."
    )

    class Args(Arguments):
        """What to record, and in which run."""

        points: list[str] = Field(
            default=[],
            max_length=MAX_ENTRIES,
            description="expressions to evaluate each time before a line runs: 'calc.py:12: total, len(xs)', "
            "'calc.py:12 if n > 3: total', or 'calc.py:12' for all local variables",
        )
        calls: list[str] = Field(
            default=[],
            max_length=MAX_ENTRIES,
            description="functions whose calls are recorded, with arguments, caller and result: 'calc.mean', "
            "'Stack.push', 'calc.mean if len(xs) > 2'; a class, module or file stands for all its functions",
        )
        assignments: list[str] = Field(
            default=[],
            max_length=MAX_ENTRIES,
            description="variables whose assignments are recorded: 'calc.mean:total' (function:variable), "
            "'Stack:self.items' (class:attribute), 'calc.py:total' (file:variable)",
        )
        test: str | None = Field(
            default=None,
            description="id of the test to run; default: the first test that failed in the last eval, else "
            "all tests up to the first failure",
        )
        script: list[str] = Field(
            default=[],
            description="run this script with its arguments, e.g. ['main.py', '--fast'], and no test",
        )
        hits: int = Field(default=20, ge=1, le=500, description="how many hits of each entry are shown")
        keep: Literal["both", "first", "last"] = Field(
            default="both",
            description="which hits are shown, if there are more: half of them the first and half the last",
        )
        timeout: float | None = Field(
            default=None, gt=0, le=3600, description="seconds the run may take; default: the task's limit"
        )

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        entries = [*args.points, *args.calls, *args.assignments]
        if not entries:
            raise ToolError(
                "say what to record, for example points=['calc.py:12: total'], calls=['calc.mean'] or "
                "assignments=['calc.mean:total']"
            )
        test, script = _target(session, args)
        traced = session.sandbox.trace(
            points=args.points,
            calls=args.calls,
            assignments=args.assignments,
            test=test,
            script=script,
            hits=args.hits,
            keep=args.keep,
            timeout=args.timeout,
        )
        if traced.problems:
            text = "\n".join(["nothing was run:", *map(one_line, traced.problems)])
            return Observation(text=scrub(text), data={"problems": list(traced.problems)}, error=True)
        return _observation(session, args, traced, " ".join(script) or test or "the tests")

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Every function of a file."""
        for file in sample_files(session):
            if file.path.endswith(".py") and "def " in file.text:
                yield {"calls": [file.path]}


def _target(session: Session, args: Trace.Args) -> tuple[str | None, Sequence[str]]:
    """The test or the script to run; neither: all tests.

    Raises:
        ToolError: both are named, or the task's tests are a command that is neither pytest nor Python.
    """
    if args.test is not None and args.script:
        raise ToolError("name a test or a script, not both")
    if args.test is not None and (args.test.startswith("-") or not args.test.strip()):
        raise ToolError(f"{args.test!r} is not a test id or path")
    if args.script:
        return None, args.script
    failed, runner = session.first_failed if args.test is None else args.test, runner_of(session.task.tests)
    if args.test is not None and not runner.selects:
        raise ToolError("the tests of this task run as one command: name what to run by `script`")
    if runner.debug(failed) is None:
        raise ToolError("the tests of this task are no Python program: name what to run by `script`")
    return failed, ()


def _observation(session: Session, args: Trace.Args, traced: TraceRun, name: str) -> Observation:
    entries = [*args.points, *args.calls, *args.assignments]
    outcome, message = _outcome(traced)
    limit = args.timeout or (
        session.task.limits.command_timeout if args.script else session.task.tests.timeout
    )
    if traced.run.timed_out:
        outcome = f"was stopped after {limit:g} seconds"
    first = printable(f"{name}: {outcome}" + (f" - {message}" if message else ""))
    notes = [one_line(note) for note in traced.run.note.split("; ") if note]
    table = clip("\n".join(_table(traced.rows)), MAX_TABLE)
    parts = [first, *notes, table, *_counts(entries, traced, args)]
    if outcome != "passed" and not traced.run.collected:
        output = clip(printable(traced.run.output.strip("\n")), MAX_OUTPUT)
        parts += ["--- the output ---", output] if output else []
    texts = scrub("\n".join(one_line(text) for row in traced.rows for _, text in row.values)).split("\n")
    values = iter(texts)
    rows = [
        {
            **vars(row),
            "entry": entries[row.entry],
            "values": [[name, next(values)] for name, _ in row.values],
        }
        for row in traced.rows
    ]
    data = {
        "rows": rows,
        "dropped": sum(traced.hits) - len({(row.entry, row.hit) for row in traced.rows}),
        "hits": list(traced.hits),
        "outcome": outcome,
        "message": scrub(message),
        "exit_code": traced.run.exit_code,
        "timed_out": traced.run.timed_out,
    }
    return Observation(text=scrub("\n".join(filter(None, parts))), data=data)


def _outcome(traced: TraceRun) -> tuple[str, str]:
    """In a word how the run ended, and the reason of a failure."""
    run = traced.run
    if run.failed:
        test = run.failed[0]
        return run.outcomes[test], f"{test}: {run.messages.get(test, '')}" if len(run.outcomes) > 1 else (
            run.messages.get(test, "")
        )
    if run.exit_code == 0:
        return "passed", ""
    if run.exit_code is None or run.exit_code < 0:
        return f"was killed by signal {-(run.exit_code or 0)}", ""
    return f"ended with exit code {run.exit_code}", ""


def _counts(entries: Sequence[str], traced: TraceRun, args: Trace.Args) -> list[str]:
    """Entries that were never hit, or more often than is shown."""
    lines = []
    for entry, hits in zip(entries, traced.hits, strict=False):
        if hits == 0:
            lines.append(f"{one_line(entry)}: never reached")
        elif hits > args.hits:
            lines.append(f"{one_line(entry)}: {hits} hits, {_kept(hits, args)} shown")
    return lines


def _kept(hits: int, args: Trace.Args) -> str:
    if args.keep != "both" or args.hits == 1:
        return f"the {'first' if args.keep == 'both' else args.keep} {args.hits} are"
    of = f" of {MAX_FOLLOWED} (keep='last' goes on to the end)" if hits > MAX_FOLLOWED else ""
    return f"the first {(args.hits + 1) // 2} and the last {args.hits // 2}{of} are"


def _table(rows: Sequence[TraceRow]) -> list[str]:
    """A line for each row: number, place, function, what was seen."""
    cells = [
        (
            str(number),
            one_line(f"{row.file}:{row.line}"),
            "  " * min(row.depth, _DEEPEST) + one_line(row.function),
            one_line(_what(row)),
        )
        for number, row in enumerate(rows, 1)
    ]
    if not cells:
        return ["nothing was recorded"]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    return [
        f"{number:>{widths[0]}}  {where:<{widths[1]}}  {function:<{widths[2]}}  {what}".rstrip()
        for number, where, function, what in cells
    ]


def _pair(name: str, text: str) -> str:
    return text if not name else f"{name} {text}" if text.startswith("raised ") else f"{name} = {text}"


def _what(row: TraceRow) -> str:
    values = ", ".join(_pair(*pair) for pair in row.values)
    place = "" if not row.thread else f"  [thread {row.thread}]"
    place += f"  [process {row.process}]" if row.process else ""
    if row.kind == "call":
        return f"called with ({values}) from {row.caller}{place}"
    return _VERBS.get(row.kind, "assigned " if row.kind == "assign" else "") + values + place
