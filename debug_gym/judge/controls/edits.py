"""What an edit of a test file is, and the file's text, out of which its nodes can be cut."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Span = tuple[int, int]
"""First and last line."""


@dataclass(frozen=True)
class Edit:
    """A change of one place in a test file."""

    line: int
    column: int
    old: str = field(compare=False)
    new: str
    kind: str = field(compare=False, default="value")
    """``value``: a constant of an expectation; ``error``: an expected exception; ``opposite``: a negation;
    ``removal``: a call left out."""
    certain: bool = field(compare=False, default=True)
    """It excludes the original whatever the code does; else the gold patch must confirm it."""
    alike: bool = field(compare=False, default=True)
    """It looks no less like an original than the original does."""
    statement: Span = field(compare=False, default=(0, 0))
    """Of the statement that it stands in."""


class SourceText:
    """The text of a Python file, by nodes of its syntax tree."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")

    def of(self, node: ast.expr | ast.stmt) -> str:
        """The text of a node."""
        return self._cut(node, node.end_lineno or node.lineno, node.end_col_offset or 0)

    def replace(
        self,
        node: ast.expr | ast.stmt,
        new: str,
        kind: str,
        span: Span,
        *,
        certain: bool = True,
        alike: bool = True,
    ) -> Edit:
        """Another text in place of a node."""
        place = node.lineno, self._column(node)
        return Edit(*place, self.of(node), new, kind, certain, alike, span)

    def remove(self, node: ast.stmt, following: ast.stmt) -> Edit:
        """Leave out a statement; the one that follows, on a line of its own, takes its place."""
        old = self._cut(node, following.lineno, following.col_offset)
        place, span = (node.lineno, self._column(node)), (node.lineno, node.lineno)
        return Edit(*place, old, "", "removal", False, False, span)

    def _cut(self, node: ast.expr | ast.stmt, end_line: int, end: int) -> str:
        return "\n".join(self._slices(node, end_line, end))

    def _slices(self, node: ast.expr | ast.stmt, end_line: int, end: int) -> Iterator[str]:
        for number in range(node.lineno, end_line + 1):
            data = self._lines[number - 1].encode()
            begin = node.col_offset if number == node.lineno else 0
            yield data[begin : end if number == end_line else len(data)].decode()

    def _column(self, node: ast.expr | ast.stmt) -> int:
        return len(self._lines[node.lineno - 1].encode()[: node.col_offset].decode())
