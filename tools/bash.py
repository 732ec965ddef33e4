"""The ``bash`` tool: commands in a shell that lasts as long as the episode."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.text import printable


class Bash(Tool):
    """Runs commands in the persistent shell."""

    name = "bash"
    description = (
        "Run a command in a bash shell that starts in the workspace and keeps its folder, variables and "
        "functions from one call to the next. There is no network, and stdin is empty."
    )

    class Args(Arguments):
        """What to run."""

        command: str = Field(description="one command or several, as in a script")
        timeout: float | None = Field(
            default=None, gt=0, le=600, description="seconds after which the command is ended; default: the task's"
        )

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.command.strip():
            raise ToolError("command is empty: there is nothing to run")
        result = session.sandbox.shell(args.command, timeout=args.timeout)
        limit = session.task.limits.command_timeout if args.timeout is None else args.timeout
        remarks = [f"stopped after {limit:g} seconds"] if result.timed_out else []
        remarks += [f"exit code {result.exit_code}"] if result.exit_code else []
        remarks += [result.note] if result.note else []
        text = printable(result.output)
        if remarks:
            text = f"{text.rstrip()}\n[{'; '.join(remarks)}]".lstrip()
        data = {"exit_code": result.exit_code, "output": result.output, "timed_out": result.timed_out}
        return Observation(text=text or "[no output]", data=data, error=result.timed_out)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Commands that change nothing."""
        return [{"command": command} for command in ("pwd", "ls", "ls -a | wc -l", "echo $HOME", "git status --short")]
