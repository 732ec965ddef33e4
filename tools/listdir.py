"""The ``listdir`` tool: what a folder holds, as a tree."""

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from debug_gym.episode import Observation
from debug_gym.tools.base import Arguments, Session, Tool
from debug_gym.tools.printable import one_line
from debug_gym.tools.text import missing, relative

MAX_ENTRIES = 500
_MARKS = {"dir": "/", "link": "@", "other": "?"}


class ListDir(Tool):
    """Lists a folder."""

    name, kind = "listdir", "look"
    description = (
        "List a folder as a tree. Folders end with /, symbolic links with @. "
        ".git and Python's caches are left out."
    )

    class Args(Arguments):
        """What to list."""

        path: str = Field(default=".", description="the folder, relative to the workspace or absolute")
        depth: int = Field(default=1, ge=1, le=20, description="how many levels of folders to go down")

    def run(self, session: Session, args: Args) -> Observation:
        """See ``Tool.run``."""
        shown = relative(session, args.path)
        try:
            found = session.sandbox.listdir(args.path, depth=args.depth, limit=MAX_ENTRIES + 1)
        except FileNotFoundError:
            raise missing(session, shown, "folder") from None
        entries = found[:MAX_ENTRIES]
        lines = [f"{shown}/"]
        for path, kind, _ in entries:
            parent, _, name = path.rpartition("/")
            indent = "  " * (1 + (parent.count("/") + 1 if parent else 0))
            lines.append(f"{indent}{one_line(name)}{_MARKS.get(kind, '')}")
        truncated = len(found) > MAX_ENTRIES
        if truncated:
            lines.append(f"[only the first {MAX_ENTRIES} entries: list a folder below, or less deep]")
        elif not entries:
            lines.append("  (empty)")
        data = {"path": shown, "entries": [list(entry) for entry in entries], "truncated": truncated}
        return Observation(text="\n".join(lines), data=data)

    def examples(self, session: Session) -> Iterable[dict[str, Any]]:
        """The workspace, and its first few folders."""
        folders = [path for path, kind, _ in session.sandbox.listdir(limit=60) if kind == "dir"][:3]
        return [{}, {"depth": 2}, *({"path": path} for path in folders)]
