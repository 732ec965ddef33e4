"""The breakpoints of an episode: they outlive debugged programs, and follow their lines in changed files."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from debug_gym.sandbox import Breakpoint

LONG = 4_000_000
"""Product of two lengths beyond which lines are compared with difflib's quicker, coarser way."""


class Breakpoints:
    """All breakpoints as the debugger reported them last, and the text of the files that they refer to."""

    def __init__(self) -> None:
        self.entries: tuple[Breakpoint, ...] = ()
        """By their numbers."""
        self._texts: dict[str, str] = {}

    @property
    def active(self) -> bool:
        """Some breakpoint can stop a program."""
        return any(entry.enabled for entry in self.entries)

    def update(self, entries: Sequence[Breakpoint], sources: Mapping[str, str]) -> None:
        """Take what the debugger reported. ``sources``: texts of files, as the debugged program runs them."""
        self._texts.update(sources)
        self.entries = tuple(entries)

    def lines(self, path: str, text: str | None = None) -> set[int]:
        """The lines of a file that hold a breakpoint; in ``text``, if the file has changed to that."""
        entries = [entry for entry in self.entries if entry.file == path]
        if not entries:
            return set()
        moved = self._moves(path, text)
        return {moved(entry.line) for entry in entries} - {0}

    def follow(self, read: Callable[[str], str | None]) -> list[str]:
        """Move each breakpoint to where its line is now, and drop those whose line is gone. Files outside of
        the workspace (their paths are absolute) stay as they are.

        Args:
            read: gives the present text of a file, None if it is gone.

        Returns:
            One sentence for each breakpoint that moved or was dropped.
        """
        paths = sorted({entry.file for entry in self.entries})
        texts = {path: self._texts.get(path, "") if path.startswith("/") else read(path) for path in paths}
        moves = {path: self._moves(path, text) for path, text in texts.items() if text is not None}
        remarks, kept = [], []
        for entry in self.entries:
            path, line = entry.file, entry.line
            now = moves[path](line) if path in moves else 0
            if now:
                kept.append(replace(entry, line=now))
            if not now:
                why = "its line was changed or removed" if path in moves else "the file is gone"
                remarks.append(f"breakpoint {entry.number} at {path}:{line} is gone: {why}")
            elif now != line:
                remarks.append(
                    f"breakpoint {entry.number} followed its line from {path}:{line} to {path}:{now}"
                )
        self.entries = tuple(kept)
        self._texts.update({path: text for path, text in texts.items() if text is not None})
        return remarks

    def _moves(self, path: str, text: str | None) -> Callable[[int], int]:
        """Old line number to new one, 0 if the line is gone."""
        old = self._texts.get(path)
        if old is None or text is None or old == text:
            return lambda line: line
        moved = moved_lines(_lines(old), _lines(text))
        return lambda line: moved.get(line, 0)


def moved_lines(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Which line (counted from 1) became which; lines that were changed or removed are missing.

    >>> moved_lines(["a", "b", "c"], ["a", "x", "y", "c"])
    {1: 1, 3: 4}
    """
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - start
    end = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    moved = {n + 1: n + 1 for n in range(start)}
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(before) * len(after) > LONG)
    for block in matcher.get_matching_blocks():
        moved.update({start + block.a + n + 1: start + block.b + n + 1 for n in range(block.size)})
    moved.update({len(old) - n: len(new) - n for n in range(end)})
    return dict(sorted(moved.items()))


def _lines(text: str) -> list[str]:
    """Lines as Python counts them."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
