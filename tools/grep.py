"""The ``grep`` tool: search files for a regular expression.

Large workspaces are searched by ripgrep where the sandbox has it, everything else by the sandbox's runtime;
the answers look the same.
"""

import contextlib
import glob
import re
import shlex
from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.sandbox import Match, SearchResult
from debug_gym.sandbox.server.search import MAX_SECONDS, shorten
from debug_gym.tools.base import Arguments, Session, Tool, ToolError
from debug_gym.tools.printable import one_line
from debug_gym.tools.text import missing, relative

LARGE = 500
"""Entries of a workspace from which on ripgrep is worth the milliseconds that starting it takes."""
MAX_BYTES = 1500
"""Bytes of path and line that are taken over from ripgrep."""
_RIPGREP = (
    "rg --no-config --no-ignore --no-messages --sort path --color never --no-heading --with-filename "
    "--line-number --null --glob '!__pycache__'"
)
_RIPGREP_DONE = {0, 1, 141}
"""Its exit codes: matches, none, and ended by the pipe that it writes to."""
_MATCH = re.compile(r"([^\0]+)\0(\d+):(.*)", re.DOTALL)


class Grep(Tool):
    """Searches files."""

    name, kind = "grep", "look"
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
        limit: int = Field(default=100, ge=1, le=1000, description="stop after so many lines")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        if not args.pattern:
            raise ToolError("pattern is empty: give a regular expression to search for")
        if "\n" in args.pattern:
            raise ToolError("pattern holds a line break, but files are searched line by line")
        reply = _by_ripgrep(session, args) or _by_runtime(session, args)
        matches = reply.matches
        lines = [f"{one_line(path)}:{line}: {one_line(text)}" for path, line, text in matches]
        if not matches:
            lines.append(f"no match for {one_line(args.pattern)}")
        if reply.truncated:
            lines.append(f"[only the first {args.limit} matches: narrow the pattern, the path or the glob]")
        if reply.skipped:
            lines.append(f"[too large, not searched: {one_line(', '.join(reply.skipped[:10]))}]")
        data = {"matches": [list(match) for match in matches], "truncated": reply.truncated}
        return Observation(text="\n".join(lines), data=data)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """Words that are in most Python files."""
        words = ("def ", "import", "return", r"^class \w+", "raise|assert")
        return [{"pattern": word, "limit": 20} for word in words]


def _is_folder(session: Session, path: str) -> bool:
    try:
        session.sandbox.listdir(path, limit=1)
    except NotADirectoryError:
        return False
    except FileNotFoundError:
        raise missing(session, relative(session, path), "file or folder") from None
    return True


def _by_runtime(session: Session, args: Grep.Args) -> SearchResult:
    path = args.path
    if args.glob and _is_folder(session, path):
        folder = "" if relative(session, path) == "." else glob.escape(path.rstrip("/")) + "/"
        path = f"{folder}{args.glob}" if "/" in args.glob else f"{folder}**/{args.glob}"
    try:
        return session.sandbox.grep(args.pattern, path, ignore_case=args.ignore_case, limit=args.limit)
    except FileNotFoundError:
        raise missing(session, relative(session, path), "file or folder") from None


def _by_ripgrep(session: Session, args: Grep.Args) -> SearchResult | None:
    """None: ripgrep is not worth it, is not there, or cannot do this (it knows no look-around)."""
    if args.glob or not _has_ripgrep(session) or not _is_folder(session, args.path):
        return None
    case = "--ignore-case" if args.ignore_case else "--case-sensitive"
    what = f"-e {shlex.quote(args.pattern)} -- {shlex.quote(args.path)}"
    cut = f"cut -b 1-{MAX_BYTES} | head -n {args.limit + 1}"
    command = f"{_RIPGREP} {case} {what} 2>/dev/null | {cut}; exit ${{PIPESTATUS[0]}}"
    result = session.sandbox.exec(command, timeout=MAX_SECONDS)
    if result.exit_code not in _RIPGREP_DONE or result.dropped:
        return None
    found = [match.groups() for line in result.output.split("\n") if (match := _MATCH.match(line))]
    matches = tuple(
        Match(relative(session, path), int(line), shorten(text.rstrip("\r"))) for path, line, text in found
    )
    return SearchResult(matches[: args.limit], len(matches) > args.limit)


def _has_ripgrep(session: Session) -> bool:
    """Found out once per episode."""
    known: dict[str, bool] = session.state.setdefault("grep", {})
    if "ripgrep" not in known:
        known["ripgrep"] = False
        if len(session.sandbox.listdir(depth=20, limit=LARGE)) == LARGE:
            with contextlib.suppress(FileNotFoundError):
                probe = session.sandbox.exec(["rg", "--version"], timeout=MAX_SECONDS)
                known["ripgrep"] = probe.exit_code == 0
    return known["ripgrep"]
