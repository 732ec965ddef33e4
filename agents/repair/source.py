"""A Python file as the repair agent sees it: text, syntax tree, and edits by the exact place of a node.

Edits work on the text, so that formatting and comments outside of the changed node stay as they are.
"""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ATOMS = (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Set)
_LOOSE: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Call: ("args",),
    ast.List: ("elts",),
    ast.Set: ("elts",),
    ast.Dict: ("values",),
    ast.Subscript: ("slice",),
    ast.Slice: ("lower", "upper", "step"),
    ast.keyword: ("value",),
    ast.Assign: ("value",),
    ast.AnnAssign: ("value",),
    ast.AugAssign: ("value",),
    ast.Return: ("value",),
    ast.Expr: ("value",),
    ast.If: ("test",),
    ast.While: ("test",),
}
"""Fields of nodes in which an expression of any precedence needs no parentheses."""

Types = Mapping[int, Mapping[str, frozenset[str]]]
"""First line of a function (decorators count) and text of a variable or attribute to the kinds of values that
it had: ``int``, ``list``, ``NoneType``, ``iterator``, ..., else the name of the class."""


@dataclass(frozen=True, order=True)
class Edit:
    """Put ``text`` in place of the bytes from ``start`` to ``end`` (exclusive) of the UTF-8 text."""

    start: int
    end: int
    text: str


class Source:
    """One file of the workspace.

    Raises:
        SyntaxError, ValueError: the text is no Python that this interpreter can parse.
    """

    def __init__(self, path: str, text: str, types: Types | None = None) -> None:
        self.path = path
        self._types = types or {}
        self.text = text
        self.data = text.encode()
        self.tree = ast.parse(text)
        self.parents = {
            child: parent for parent in ast.walk(self.tree) for child in ast.iter_child_nodes(parent)
        }
        if re.search(rb"\r(?!\n)", self.data):
            raise ValueError(f"{path}: a carriage return ends a line by itself")
        self._starts = [0, *(match.end() for match in re.finditer(rb"\n", self.data)), len(self.data)]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes with a place that can be trusted: those in f-strings only if their text proves it.

        Before Python 3.12 the positions of nodes within f-strings are often wrong.
        """
        found: list[ast.AST] = []
        stack: list[tuple[ast.AST, bool]] = [(self.tree, False)]
        while stack:
            node, formatted = stack.pop()
            if not formatted or (isinstance(node, ast.expr) and self._stands_there(node)):
                found.append(node)
            inside = formatted or isinstance(node, ast.JoinedStr)
            stack.extend((child, inside) for child in ast.iter_child_nodes(node))
        return found

    def _stands_there(self, node: ast.expr) -> bool:
        try:
            return ast.dump(ast.parse(self.segment(node), mode="eval").body) == ast.dump(node)
        except (SyntaxError, ValueError):
            return False

    # places

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a line (from 1) and a column in bytes (from 0)."""
        return self._starts[line - 1] + column

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First byte and the byte after the last of an expression or statement, decorators left out."""
        return (
            self.offset(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            self.offset(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )

    def segment(self, node: ast.AST) -> str:
        """The node's text."""
        start, end = self.span(node)
        return self.data[start:end].decode(errors="replace")

    def operand(self, node: ast.expr) -> str:
        """The node's text, in parentheses unless it holds together by itself."""
        text = self.segment(node)
        return text if isinstance(node, _ATOMS) else f"({text})"

    # edits

    def replace(self, node: ast.AST, text: str) -> Edit:
        """Put another text in the node's place."""
        return Edit(*self.span(node), text)

    def put(self, node: ast.expr, text: str) -> Edit:
        """Put an expression of any precedence in the node's place: in parentheses where that matters."""
        parent = self.parents[node]
        fields = (getattr(parent, name) for name in _LOOSE.get(type(parent), ()))
        loose = any(node is field or (isinstance(field, list) and node in field) for field in fields)
        return self.replace(node, text if loose else f"({text})")

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Edit | None:
        """Replace an operator that stands between two nodes; None if it is not found there."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = re.sub(rb"#[^\n]*", lambda match: b" " * len(match[0]), self.data[start:end])
        pattern = r"\s+".join(map(re.escape, old.split()))
        found = re.search(pattern.encode(), gap)
        return Edit(start + found.start(), start + found.end(), new) if found else None

    def apply(self, edits: Iterable[Edit]) -> str | None:
        """The text after the edits; None if they overlap."""
        data, position, parts = self.data, 0, []
        for edit in sorted(edits):
            if edit.start < position:
                return None
            parts += [data[position : edit.start], edit.text.encode()]
            position = edit.end
        return b"".join([*parts, data[position:]]).decode(errors="surrogateescape")

    def insert(self, place: int, text: str) -> Edit:
        """Put text at a byte offset."""
        return Edit(place, place, text)

    def remove_line(self, node: ast.expr) -> Edit:
        """Remove the lines that a decorator has for itself."""
        last = node.end_lineno or node.lineno
        return Edit(self._starts[node.lineno - 1], self._starts[last], "")

    def imports(self, module: str) -> tuple[Edit, ...]:
        """What makes sure that the file imports a module: nothing if it does already."""
        place = 0
        for item in self.tree.body:
            if isinstance(item, ast.Import) and any(
                name.name == module and not name.asname for name in item.names
            ):
                return ()
            docstring = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
            if docstring or (isinstance(item, ast.ImportFrom) and item.module == "__future__"):
                place = self._starts[item.end_lineno or item.lineno]
        return (self.insert(place, f"import {module}\n"),)

    # statements

    def block(self, node: ast.stmt) -> tuple[list[ast.stmt], int]:
        """The list of statements that a statement stands in, and its index there."""
        parent = self.parents[node]
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(parent, name, None)
            if isinstance(statements, list) and node in statements:
                return statements, statements.index(node)
        raise ValueError(f"{self.path}: line {node.lineno} is in no block")

    def lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """The bytes of the lines that a statement has for itself; None if it shares one, as after ``;``."""
        decorators: Sequence[ast.expr] = getattr(node, "decorator_list", ())
        first = min([node.lineno, *(item.lineno for item in decorators)])
        start, end = self._starts[first - 1], self._starts[node.end_lineno or node.lineno]
        head = self.data[start : self.span(node)[0]]
        tail = self.data[self.span(node)[1] : end].strip()
        is_elif = self.data[self.span(node)[0] :].startswith(b"elif")
        if (not decorators and head.strip()) or (tail and not tail.startswith(b"#")) or is_elif:
            return None
        return start, end

    def indent(self, node: ast.stmt) -> str:
        """The white space before a statement that starts its line."""
        return self.data[self._starts[node.lineno - 1] : self.span(node)[0]].decode()

    def body(self, first: ast.stmt, last: ast.stmt) -> str | None:
        """The lines from one statement to another of its block, without their common indentation.

        None where they cannot be moved: a line is shared with others, or a text goes over several lines.
        """
        lines = self.lines(first), self.lines(last)
        if lines[0] is None or lines[1] is None:
            return None
        start, end = lines[0][0], lines[1][1]
        texts = (node for node in self.nodes if isinstance(node, ast.Constant | ast.JoinedStr))
        if any(node.end_lineno != node.lineno and start <= self.span(node)[0] < end for node in texts):
            return None
        return textwrap.dedent(self.data[start:end].decode()).rstrip("\n")

    def replace_lines(self, first: ast.stmt, last: ast.stmt, text: str) -> Edit | None:
        """Put other lines (not yet indented) in the place of one statement or several of a block."""
        start, end = self.lines(first), self.lines(last)
        if start is None or end is None:
            return None
        return Edit(start[0], end[1], self._indented(text, self.indent(first)))

    def before(self, node: ast.stmt, text: str) -> Edit | None:
        """Insert lines (not yet indented) in front of a statement."""
        lines = self.lines(node)
        return Edit(lines[0], lines[0], self._indented(text, self.indent(node))) if lines else None

    def after(self, node: ast.stmt, text: str) -> Edit | None:
        """Insert lines (not yet indented) behind a statement."""
        lines = self.lines(node)
        if lines is None:
            return None
        newline = "" if self.data[: lines[1]].endswith(b"\n") else "\n"
        return Edit(lines[1], lines[1], newline + self._indented(text, self.indent(node)))

    @staticmethod
    def _indented(text: str, indent: str) -> str:
        return "".join(f"{indent}{line}\n" if line else "\n" for line in text.split("\n"))

    # scopes

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, the nearest first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def place(self, node: ast.AST) -> ast.stmt | ast.ExceptHandler | None:
        """The statement or ``except`` clause that a node belongs to (it belongs to itself)."""
        kinds = (ast.stmt, ast.ExceptHandler)
        return next((item for item in (node, *self.ancestors(node)) if isinstance(item, kinds)), None)

    def function(self, node: ast.AST) -> Function | None:
        """The function that a node stands in."""
        return next((item for item in self.ancestors(node) if isinstance(item, FUNCTIONS)), None)

    def kinds(self, node: ast.AST, text: str = "") -> frozenset[str]:
        """What kinds of values a variable or attribute had, other than None; empty: not known.

        ``text`` asks for another expression at the node's place.
        """
        function = self.function(node)
        if function is None or not (text or isinstance(node, ast.Name | ast.Attribute)):
            return frozenset()
        first = min([function.lineno, *(item.lineno for item in function.decorator_list)])
        found = self._types.get(first, {}).get(text or self.segment(node), frozenset())
        return found - {"NoneType"}

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The class that a node stands in."""
        return next((item for item in self.ancestors(node) if isinstance(item, ast.ClassDef)), None)
