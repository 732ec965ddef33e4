"""Search the workspace's text files for a regular expression, line by line, within a time limit."""

from __future__ import annotations

import os
import re
import signal
import stat
from typing import Any, Callable, Iterator, Pattern

from . import files

MAX_SECONDS = 5.0
"""No search takes longer: meanwhile the runtime does nothing else."""
MAX_FILE = 16 << 20
"""Bytes; larger files are left out and named."""
WIDTH = 300
"""Characters of a line that are reported."""
CUT = " [...]"
"""Ends a line that was cut."""

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^]]*\]|.", re.DOTALL)


class _Expired(BaseException):
    """Raised by the timer. No ``Exception``, so that no handler for one takes it for its own."""


def grep(root: str, request: dict[str, Any]) -> dict[str, Any]:
    """``pattern``, ``path``, ``ignore_case``, ``limit``, ``timeout`` (seconds) -> ``matches``, ``truncated``,
    ``skipped`` (files that are too large).

    ``path`` is a file, a folder, or (where no such file exists) a glob relative to the workspace, in which
    ``**`` stands for any folders and a name without a slash is searched for everywhere. A match is
    [path relative to the workspace, line number, the line]; they come sorted by path. Hidden files and
    ``__pycache__`` are left out unless named, binary files always, links that a search meets too.

    Raises:
        ValueError: the pattern is not a regular expression.
        TimeoutError: the search took too long.
        OSError: as for ``files.read``.
    """
    limit = request["limit"]
    found: list[list[Any]] = []
    skipped: list[str] = []

    def search() -> None:
        matches = _compile(request["pattern"], request["ignore_case"]).search
        for path in _candidates(root, request["path"]):
            for number, line in enumerate(_lines(os.path.join(root, path), path, skipped), 1):
                if matches(line):
                    found.append([path, number, shorten(line)])
                    if len(found) > limit:
                        return

    limited(search, min(request["timeout"], MAX_SECONDS))
    return {"matches": found[:limit], "truncated": len(found) > limit, "skipped": skipped}


def shorten(line: str) -> str:
    """The start of a long line, with a mark where it was cut."""
    return line if len(line) <= WIDTH else line[:WIDTH] + CUT


def limited(work: Callable[[], None], seconds: float) -> None:
    """Run ``work``, but no longer than this. Regular expressions are interrupted too.

    The signal counts once only: programs in the sandbox can send it as well, at any moment.
    """
    armed = True

    def expire(*_: Any) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise _Expired

    try:
        signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        work()
        armed = False
    except _Expired:
        why = "the search took longer than %g seconds: use a simpler pattern or a smaller path" % seconds
        raise TimeoutError(110, why) from None
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _compile(pattern: str, ignore_case: bool) -> Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError("bad regular expression: %s" % error) from None


def _candidates(root: str, path: str) -> Iterator[str]:
    """Paths relative to the workspace of the files to look into, sorted."""
    try:
        target = files.inside(root, path)
        status = os.stat(target)
    except FileNotFoundError:
        if not any(character in path for character in "*?["):
            raise
        glob = os.path.relpath(os.path.join(root, path), root) if "/" in path else "**/" + path
        wanted = _glob_expression(glob)
        yield from (name for name in _walk(root, "") if wanted.match(name))
        return
    relative = os.path.relpath(target, root)
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(target, "" if relative == "." else relative + "/")
    else:
        yield relative


def _walk(folder: str, prefix: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return  # unreadable, gone, or too deep
    for entry in ordered:
        if entry.name.startswith(".") or entry.name in files.SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            if prefix.count("/") < files.MAX_DEPTH:
                yield from _walk(entry.path, prefix + entry.name + "/")
        elif entry.is_file(follow_symlinks=False):
            yield prefix + entry.name


def _glob_expression(glob: str) -> Pattern[str]:
    """A glob as a regular expression for paths: ``*`` stays within a name, ``**`` does not."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

    def translate(part: Any) -> str:
        text: str = part.group()
        if text in known:
            return known[text]
        if len(text) > 1:
            inner = text[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            return "[^%s]" % inner[1:] if inner.startswith("!") else "[%s]" % inner
        return re.escape(text)

    try:
        return re.compile("(?s:%s)\\Z" % _GLOB.sub(translate, glob))
    except re.error:
        raise ValueError("bad glob: %s" % glob) from None


def _lines(full: str, path: str, skipped: list[str]) -> list[str]:
    """The lines of a regular file; none if it is binary, too large or unreadable."""
    try:
        fd = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return []
    with os.fdopen(fd, "rb", buffering=0) as file:
        status = os.fstat(fd)
        if not (stat.S_ISREG(status.st_mode) and files.is_at(fd, full)):
            return []
        if status.st_size > MAX_FILE:
            skipped.append(path)
            return []
        data = file.read()
    if not data or b"\0" in data:
        return []
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return (text[:-1] if text.endswith("\n") else text).split("\n")
