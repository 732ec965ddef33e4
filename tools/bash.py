"""The ``bash`` tool: commands in a shell that lasts as long as the episode."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import printable

_KILLED = re.compile(r"^bash: line \d+: +\d+ Killed .*\n", re.MULTILINE)
"""What bash says, with a process id, when a command that took too long was ended."""


class Bash(Tool):
    """Runs commands in the persistent shell."""

    name, kind = "bash", "shell"
    description = (
        "Run a command in a bash shell that starts in the workspace and keeps its folder, variables and "
        "functions from one call to the next. There is no network, and stdin is empty."
    )

    class Args(Arguments):
        """What to run."""

        command: str = Field(description="one command or several, as in a script")
        timeout: float | None = Field(
            default=None, gt=0, le=600, description="seconds it may take; default: the task's limit"
        )

    def prepare(self, session: Session) -> None:
        """See ``Tool.prepare``."""
        session.sandbox.prepare_shell()

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.command.strip():
            raise ToolError("command is empty: there is nothing to run")
        result = session.sandbox.shell(args.command, timeout=args.timeout)
        limit = session.task.limits.command_timeout if args.timeout is None else args.timeout
        remarks = [f"stopped after {limit:g} seconds"] if result.timed_out else []
        remarks += [f"exit code {result.exit_code}"] if result.exit_code else []
        remarks += [result.note] if result.note else []
        text = printable(_KILLED.sub("", result.output) if result.timed_out else result.output)
        if remarks:
            text += "\n" * (text[-1:] not in ("", "\n")) + f"[{'; '.join(remarks)}]"
        data = {"exit_code": result.exit_code, "output": result.output, "timed_out": result.timed_out}
        return Observation(text=text.rstrip("\n") or "[no output]", data=data, error=result.timed_out)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Commands that change nothing."""
        commands = ("pwd", "ls", "ls -a | wc -l", "echo $HOME", "git status --short")
        return [{"command": command} for command in commands]
