"""The ``grep`` tool: search files for a regular expression.

Large workspaces are searched by ripgrep where the sandbox has it, everything else by the sandbox's runtime;
the answers look the same.
"""

import glob
import re
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.sandbox import ExecResult
from debug_gym.sandbox.runtime.search import shorten
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.text import missing, one_line, relative

LARGE = 500
"""Entries in a workspace from which on starting ripgrep is worth its few milliseconds."""
MAX_LIMIT = 1000
_RIPGREP = (
    "rg --no-config --no-ignore --no-messages --sort path --color never --no-heading --with-filename "
    "--line-number --null --glob '!__pycache__' "
)
_MATCH = re.compile(r"^([^\0]+)\0(\d+):(.*)$")


class Grep(Tool):
    """Searches files."""

    name = "grep"
    description = (
        "Search files line by line for a Python regular expression; shows path:line: text, sorted. "
        "Binary and hidden files are left out."
    )

    class Args(Arguments):
        """What to search for, and where."""

        pattern: str = Field(description="a regular expression; put a backslash before . ( [ * and the like")
        path: str = Field(default=".", description="a file or folder, relative to the workspace or absolute")
        ignore_case: bool = Field(default=False, description="whether A and a are the same")
        glob: str | None = Field(default=None, description="only files like this, e.g. *.py or tests/**/*.py")
        limit: int = Field(default=100, ge=1, le=MAX_LIMIT, description="stop after so many lines")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.pattern:
            raise ToolError("pattern is empty: give a regular expression to search for")
        if "\n" in args.pattern:
            raise ToolError("pattern holds a line break, but files are searched line by line")
        reply = _ripgrep(session, args) or _search(session, args)
        matches = [[one_line(path), line, one_line(text)] for path, line, text in reply["matches"]]
        lines = [f"{path}:{line}: {text}" for path, line, text in matches]
        if not matches:
            lines.append(f"no match for {one_line(args.pattern)}")
        if reply["truncated"]:
            lines.append(f"[only the first {args.limit} matches: narrow the pattern, the path or the glob]")
        if reply.get("skipped"):
            lines.append(f"[too large, not searched: {one_line(', '.join(reply['skipped'][:10]))}]")
        return Observation(text="\n".join(lines), data={"matches": matches, "truncated": reply["truncated"]})

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Words that are in most Python files."""
        words = ("def ", "import", "return", r"^class \w+", "raise|assert")
        return [{"pattern": word, "limit": 20} for word in words]


def _search(session: Session, args: Grep.Args) -> dict[str, Any]:
    path = args.path
    if args.glob:
        folder = "" if relative(session, path) == "." else glob.escape(path.rstrip("/")) + "/"
        path = folder + args.glob if "/" in args.glob or not folder else f"{folder}**/{args.glob}"
    try:
        return session.sandbox.grep(args.pattern, path, ignore_case=args.ignore_case, limit=args.limit)
    except FileNotFoundError:
        raise missing(session, relative(session, args.path), "file") from None
