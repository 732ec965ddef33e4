"""The ``pdb`` tool: the standard library's debugger on a test or a script."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.debugging import At, DebugCall, Debugging, Target, default_target, parts


class Pdb(Tool):
    """Runs commands of pdb."""

    name, kind = "pdb", "debug"
    description = (
        "Debug a test or a script with Python's pdb. Every pdb command works (b, tbreak, c, n, s, r, until, "
        "up, down, where, p, pp, l, ll, a, display, commands, ...), and any Python statement; several lines "
        "are executed one after the other. The first command starts the program: by default the first "
        "failing test, stopped at the line that raised, or, once breakpoints are set, at the first one that "
        "is hit. Breakpoints can be set before that (b path/to/file.py:12, condition), stay until they are "
        "cleared, and follow their lines when files change. `restart` runs the changed code. `back [n]` goes "
        "to an earlier stop, also after the program has ended or crashed; `checkpoints` lists the stops and "
        "`goto n` returns to one of them. `set changes on` lists at each stop which variables changed; "
        "`exceptions` lists those that led to a failure, and `exceptions n` shows one, or `exceptions "
        "expression` one that the program has kept."
    )

    class Args(Arguments):
        """One or more commands."""

        command: str = Field(
            default="",
            description="a pdb command or a Python statement; several go on lines of their own; without any, "
            "the program is only started",
        )
        test: str | None = Field(
            default=None, description="start (again) with this test id, e.g. tests/test_a.py::test_b"
        )
        script: list[str] = Field(
            default=[],
            description="start (again) with this script and its arguments, e.g. ['main.py', '--fast']",
        )
        at: At | None = Field(
            default=None,
            description="where to stop first: at the failure, at the start of the test or script, or at the "
            "first breakpoint; default: at a breakpoint if there are any, else at the failure",
        )
        timeout: float | None = Field(
            default=None,
            gt=0,
            le=3600,
            description="seconds until a program that does not stop is interrupted",
        )

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        lines = [line for line in args.command.split("\n") if line.strip()]
        if args.test is not None and args.script:
            raise ToolError("name a test or a script, not both")
        if args.test is not None and (args.test.startswith("-") or not args.test.strip()):
            raise ToolError(f"{args.test!r} is not a test id or path")
        memory = session.state.setdefault("pdb", Debugging())
        call = DebugCall(session, memory, args.timeout)
        if args.test is not None or args.script or args.at is not None:
            known = memory.target or default_target(session)
            test, script = (
                (args.test, tuple(args.script)) if args.test or args.script else (known.test, known.script)
            )
            call.start_anew(Target(test, script, args.at), lines)
        elif not lines and not memory.running:
            call.begin([])
        elif not lines:
            raise ToolError("the command is empty; try `where`, `p expression`, `b file.py:12` or `c`")
        else:
            for part in parts(args.command.split("\n")):
                call.execute(part)
        return call.observation()

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Looking around, where there is something to look at."""
        try:
            default_target(session)
        except ToolError:
            return [{"command": "b"}]
        return [{"command": "where"}, {"command": "b"}, {"command": "c"}]
