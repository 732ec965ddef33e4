"""Where a statement of several lines only comes back to one of its lines. A call with its arguments on lines
of their own runs as the first line, the second, the third, and the first again: it is no stop of its own."""

from __future__ import annotations

import ast
import dis
from types import CodeType, FrameType
from typing import Dict, FrozenSet, Iterator, List, Set, Tuple

from .sources import Sources

_MANY = 10_000


class Repeats:
    """Tells the lines that begin to run from those that are only come back to."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._statements: Dict[str, Dict[int, int]] = {}
        self._known: Dict[int, FrozenSet[int]] = {}
        self._codes: List[CodeType] = []  # keeps them alive, so that an id in ``_known`` stays one's own

    def at(self, frame: FrameType) -> bool:
        """Whether the line that the frame is about to run is one that its statement has already been at."""
        code = frame.f_code
        if id(code) not in self._known:
            if len(self._codes) > _MANY:  # a program that compiles all the time
                self._known.clear()
                self._codes.clear()
            self._codes.append(code)
            self._known[id(code)] = frozenset(self._find(code))
        return frame.f_lasti in self._known[id(code)]

    def _find(self, code: CodeType) -> Iterator[int]:
        """Offsets of the instructions at which a line is come back to."""
        starts = [(offset, line) for offset, line in dis.findlinestarts(code) if line is not None]
        if len({line for _, line in starts}) == len(starts):
            return  # each line has one place in the code: no need to read the source
        statements = self._statements_of(code.co_filename)
        current = 0
        seen: Set[int] = set()
        for offset, line in starts:
            statement = statements.get(line, 0)
            if not statement or statement != current:
                current, seen = statement, set()
            if statement and line in seen:
                yield offset
            seen.add(line)

    def _statements_of(self, filename: str) -> Dict[int, int]:
        """Line to number of the simple statement of several lines that it belongs to."""
        if filename not in self._statements:
            found: Dict[int, int] = {}
            self._statements[filename] = found
            try:
                tree = ast.parse("".join(self._sources.lines(filename)))
            except (SyntaxError, ValueError, RecursionError):
                return found
            for number, (first, last) in enumerate(_simple_statements(tree), 1):
                for line in range(first, last + 1):
                    alone = last > first and line not in found
                    found[line] = number if alone else 0  # two statements on one line: neither
        return self._statements[filename]


def _simple_statements(tree: ast.AST) -> Iterator[Tuple[int, int]]:
    """First and last lines of the statements that hold no other statement. Those after ``finally`` are left
    out: they are compiled once for each way that leads there."""
    todo: List[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        twice = getattr(node, "finalbody", [])
        todo += [child for child in ast.iter_child_nodes(node) if child not in twice]
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node.lineno, getattr(node, "end_lineno", None) or node.lineno
