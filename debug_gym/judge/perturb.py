"""Edits of tests that turn an expectation into its opposite: what twins are made of.

Only edits that exclude the original: code that meets the one cannot meet the other. ``== 4`` becomes
``== 5`` and ``x in y`` becomes ``x not in y``, but ``>= 4`` never becomes ``>= 5``, which a correct fix may
also meet. Only statements that surely run: no branches, no loops but over literals.
"""

import ast
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from debug_gym.judge.mutate import mutated, words_of
from debug_gym.task import Twin

_OPPOSITES: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
_UNITTEST_OPPOSITES = {
    "assertTrue": "assertFalse",
    "assertFalse": "assertTrue",
    "assertEqual": "assertNotEqual",
    "assertNotEqual": "assertEqual",
    "assertIn": "assertNotIn",
    "assertNotIn": "assertIn",
    "assertIs": "assertIsNot",
    "assertIsNot": "assertIs",
    "assertIsNone": "assertIsNotNone",
    "assertIsNotNone": "assertIsNone",
    "assertIsInstance": "assertNotIsInstance",
    "assertAlmostEqual": "assertNotAlmostEqual",
    "assertRegex": "assertNotRegex",
}
_UNITTEST_EQUAL = {
    f"assert{kind}Equal" for kind in ("", "Almost", "List", "Dict", "Tuple", "Set", "Sequence", "MultiLine")
}
_CONSTRUCTORS = {
    "date",
    "datetime",
    "time",
    "timedelta",
    "set",
    "frozenset",
    "tuple",
    "list",
    "dict",
    "bytes",
}
_ERRORS = ("KeyError", "IndexError", "TypeError", "AttributeError", "ZeroDivisionError", "RuntimeError")


@dataclass(frozen=True)
class Edit:
    """A change of one place in a test file."""

    line: int
    column: int
    old: str = field(compare=False)
    new: str
    kind: str = field(compare=False, default="value")
    """``value``: a constant of an expectation; ``error``: an expected exception; ``opposite``: a negation."""
    certain: bool = field(compare=False, default=True)
    """It excludes the original whatever the code does; else the gold patch must confirm it."""
    statement: tuple[int, int] = field(compare=False, default=(0, 0))
    """First and last line of the statement that it stands in."""


def certain_twins(tests: Collection[str], texts: Mapping[str, str]) -> tuple[Twin, ...]:
    """Twins that need no gold patch to confirm them: for tasks that bring none.

    Args:
        tests: ids; those with parameters are left out.
        texts: path to text of test files; what is not Python is left out.
    """
    found = []
    for path, text in texts.items():
        edits = Edits.of(text)
        for test in tests:
            if edits and test.startswith(f"{path}::") and "[" not in test:
                chosen = [edit for edit in edits.of_test(test) if edit.certain]
                found += [twin(test, path, edit) for edit in random.sample(chosen, min(2, len(chosen)))]
    return tuple(found)


def twin(test: str, path: str, edit: Edit, *, sharp: bool = False) -> Twin:
    """The twin that an edit makes of a test."""
    return Twin(
        test=test,
        path=path,
        line=edit.line,
        column=edit.column,
        old=edit.old,
        new=edit.new,
        sharp=sharp,
    )


class Edits:
    """The edits that a test file offers.

    Args:
        text: of the file.
        tree: of the text.
        seed: the same seed gives the same edits.
    """

    def __init__(self, text: str, tree: ast.Module, seed: object = 0) -> None:
        self.tree = tree
        self._lines = text.split("\n")
        self._random = random.Random(str(seed))
        self._words = words_of(tree)

    @classmethod
    def of(cls, text: str, seed: object = 0) -> "Edits | None":
        """The edits of a text; None if it is not Python."""
        try:
            return cls(text, ast.parse(text), seed)
        except (SyntaxError, ValueError):
            return None

    def of_test(self, test: str) -> list[Edit]:
        """All edits of one test, each place once, values first."""
        function = self._find(test.partition("::")[2].partition("[")[0].split("::"))
        if function is None:
            return []
        known = {**_assigned(function), **_parameters(function)}
        edits: dict[tuple[int, int], Edit] = {}
        for statement in _straight(function.body):
            for edit in self._statement(statement, known):
                edits.setdefault((edit.line, edit.column), edit)
        order = ("value", "error", "opposite")
        return sorted(edits.values(), key=lambda edit: order.index(edit.kind))

    def _find(self, names: Sequence[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        body: list[ast.stmt] = self.tree.body
        for name in names[:-1]:
            body = next((x.body for x in body if isinstance(x, ast.ClassDef) and x.name == name), [])
        functions = (x for x in body if isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef))
        return next((x for x in functions if x.name == names[-1]), None)

    def _statement(self, statement: ast.stmt, known: Mapping[str, list[ast.expr]]) -> Iterator[Edit]:
        span = (statement.lineno, statement.end_lineno or statement.lineno)
        if isinstance(statement, ast.Assert):
            yield from self._condition(statement.test, span, known)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            yield from self._unittest(statement.value, span, known)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            yield from self._raises(statement, (span[0], span[0]))

    def _condition(
        self, test: ast.expr, span: tuple[int, int], known: Mapping[str, list[ast.expr]]
    ) -> Iterator[Edit]:
        """``assert test``: other values where something is compared with one, and its opposite."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            for part in test.values:
                yield from self._condition(part, span, known)
            return
        if isinstance(test, ast.Compare):
            if all(isinstance(op, ast.Eq | ast.Is) for op in test.ops):
                right = test.comparators[-1]
                literal = isinstance(test.left, ast.Constant) and not isinstance(right, ast.Constant)
                yield from self._values(test.left if literal else right, span, known)
            if len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITES:
                yield self._flip(test, span)
                return
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            simple = isinstance(test.operand, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
            inner = self._text(test.operand)
            yield self._edit(test, inner if simple else f"({inner})", "opposite", span)
            return
        yield self._edit(test, f"not ({self._text(test)})", "opposite", span)

    def _flip(self, test: ast.Compare, span: tuple[int, int]) -> Edit:
        left, operator, right = test.left, test.ops[0], test.comparators[0]
        parts = self._text(left), _OPPOSITES[type(operator)], self._text(right)
        whole = self._text(test)
        if not (whole.startswith(parts[0]) and whole.endswith(parts[2])):  # brackets around an operand
            return self._edit(test, f"not ({whole})", "opposite", span)
        return self._edit(test, " ".join(parts), "opposite", span)

    def _values(
        self,
        node: ast.expr,
        span: tuple[int, int],
        known: Mapping[str, list[ast.expr]],
        certain: bool = True,
    ) -> Iterator[Edit]:
        """Other constants in an expected value."""
        if isinstance(node, ast.Constant):
            for new in mutated(node.value, self._text(node), self._random, self._words):
                yield self._edit(node, new, "value", span, certain)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            for item in node.elts:
                yield from self._values(item, span, known, certain)
            if not node.elts:
                yield self._edit(node, "[None]" if isinstance(node, ast.List) else "(None,)", "value", span)
        elif isinstance(node, ast.Dict):
            for item in node.values:
                yield from self._values(item, span, known, certain)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield from self._values(node.operand, span, known, certain)
        elif isinstance(node, ast.BinOp):
            yield from self._values(node.left, span, known, False)
            yield from self._values(node.right, span, known, False)
        elif isinstance(node, ast.Call) and _constructs(node.func):
            if _name(node.func) == "approx":
                yield from self._far(node.args[0], span) if node.args else ()
                return
            for item in (*node.args, *[item.value for item in node.keywords]):
                yield from self._values(item, span, known, False)
        elif isinstance(node, ast.Name):
            for value in known.get(node.id, ()):
                yield from self._values(value, span, {}, False)

    def _far(self, node: ast.expr, span: tuple[int, int]) -> Iterator[Edit]:
        """Another number, beyond any tolerance."""
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            yield self._edit(node, repr(node.value * 2 + 1), "value", span, False)  # type: ignore[operator]

    def _unittest(
        self, call: ast.Call, span: tuple[int, int], known: Mapping[str, list[ast.expr]]
    ) -> Iterator[Edit]:
        """``self.assertEqual(...)`` and the like."""
        if not (isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)):
            return
        name = call.func.attr
        if name in _UNITTEST_EQUAL and len(call.args) >= 2:
            first, second = call.args[:2]
            literal = isinstance(first, ast.Constant) and not isinstance(second, ast.Constant)
            chosen = first if literal else second
            near = name == "assertAlmostEqual"
            yield from self._far(chosen, span) if near else self._values(chosen, span, known)
        if name in _UNITTEST_OPPOSITES:
            new = f"{self._text(call.func.value)}.{_UNITTEST_OPPOSITES[name]}"
            yield self._edit(call.func, new, "opposite", span)

    def _raises(self, statement: ast.With | ast.AsyncWith, span: tuple[int, int]) -> Iterator[Edit]:
        """``with pytest.raises(...)``: another exception, another message."""
        for item in statement.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or _name(call.func) not in _RAISES or not call.args:
                continue
            for keyword in call.keywords:
                if keyword.arg == "match" and isinstance(keyword.value, ast.Constant):
                    text = self._text(keyword.value)
                    for new in mutated(keyword.value.value, text, self._random, self._words):
                        yield self._edit(keyword.value, new, "error", span, False)
            wanted = call.args[0]
            if isinstance(wanted, ast.Name | ast.Attribute):
                old = self._text(wanted)
                new = self._random.choice([error for error in _ERRORS if error != old])
                yield self._edit(wanted, new, "error", span, False)

    def _text(self, node: ast.expr) -> str:
        return "\n".join(self._slices(node))

    def _slices(self, node: ast.expr) -> Iterator[str]:
        end_line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        for number in range(node.lineno, end_line + 1):
            data = self._lines[number - 1].encode()
            begin = node.col_offset if number == node.lineno else 0
            yield data[begin : end if number == end_line else len(data)].decode()

    def _edit(self, node: ast.expr, new: str, kind: str, span: tuple[int, int], certain: bool = True) -> Edit:
        column = len(self._lines[node.lineno - 1].encode()[: node.col_offset].decode())
        return Edit(node.lineno, column, self._text(node), new, kind, certain, span)


_RAISES = {"raises", "assertRaises", "assertRaisesRegex"}


def _straight(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that surely run if the test passes."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.With | ast.AsyncWith):
            calls = {
                _name(item.context_expr.func)
                for item in statement.items
                if isinstance(item.context_expr, ast.Call)
            }
            if not calls & {*_RAISES, "suppress"}:
                yield from _straight(statement.body)
        elif isinstance(statement, ast.For) and isinstance(statement.iter, ast.List | ast.Tuple):
            if statement.iter.elts and not _leaves(statement):
                yield from _straight(statement.body)
        if _leaves(statement):
            return


def _leaves(statement: ast.stmt) -> bool:
    """Whether a statement may end the test or the loop before the ones that follow."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(statement))


def _assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[ast.expr]]:
    """Names that the test assigns exactly once, to a value that holds constants."""
    stores = [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    found: dict[str, list[ast.expr]] = {}
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if stores.count(name) == 1:
                found[name] = [statement.value]
    return found


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[ast.expr]]:
    """Names that ``pytest.mark.parametrize`` gives values, with the values."""
    found: dict[str, list[ast.expr]] = {}
    for mark in function.decorator_list:
        if not (isinstance(mark, ast.Call) and _name(mark.func) == "parametrize" and len(mark.args) >= 2):
            continue
        names, rows = _parameter_names(mark.args[0]), mark.args[1]
        for row in rows.elts if isinstance(rows, ast.List | ast.Tuple) else ():
            cells = [row]
            if isinstance(row, ast.Call) and _name(row.func) == "param":
                cells = list(row.args)
            elif len(names) > 1 and isinstance(row, ast.Tuple | ast.List):
                cells = list(row.elts)
            for name, cell in zip(names, cells, strict=False):
                found.setdefault(name, []).append(cell)
    return found


def _parameter_names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [name.strip() for name in node.value.split(",")]
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _constructs(function: ast.expr) -> bool:
    """Whether a call makes a value of its arguments, by the look of its name."""
    name = _name(function)
    return name[:1].isupper() or name in _CONSTRUCTORS or name == "approx"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
