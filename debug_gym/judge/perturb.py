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
from debug_gym.judge.source import RAISES, Function, assigned, constructs, name_of, parameters, straight
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
        known = {**assigned(function), **parameters(function)}
        edits: dict[tuple[int, int], Edit] = {}
        for statement in straight(function.body):
            for edit in self._statement(statement, known):
                edits.setdefault((edit.line, edit.column), edit)
        order = ("value", "error", "opposite")
        return sorted(edits.values(), key=lambda edit: order.index(edit.kind))

    def _find(self, names: Sequence[str]) -> Function | None:
        body: list[ast.stmt] = self.tree.body
        for name in names[:-1]:
            body = next((x.body for x in body if isinstance(x, ast.ClassDef) and x.name == name), [])
        functions = (x for x in body if isinstance(x, Function))
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
        elif isinstance(node, ast.List | ast.Tuple) and not node.elts:
            yield self._edit(node, "[None]" if isinstance(node, ast.List) else "(None,)", "value", span)
        elif isinstance(node, ast.Call) and name_of(node.func) == "approx":
            yield from self._far(node.args[0], span) if node.args else ()
        elif isinstance(node, ast.Name):
            for value in known.get(node.id, ()):
                yield from self._values(value, span, {}, False)
        else:
            exact = certain and not isinstance(node, ast.BinOp | ast.Call)
            for part in _parts(node):
                yield from self._values(part, span, known, exact)

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
            if not isinstance(call, ast.Call) or name_of(call.func) not in RAISES or not call.args:
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


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    """The expressions that an expected value is made of."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [node.operand]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and constructs(node.func):
        return [*node.args, *[item.value for item in node.keywords]]
    return []
