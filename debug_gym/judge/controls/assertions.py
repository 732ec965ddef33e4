"""Edits of tests that turn an expectation into its opposite: what controls are made of.

Only edits that exclude the original: code that meets the one cannot meet the other. ``== 4`` becomes
``== 5`` and ``x in y`` becomes ``x not in y``, but ``>= 4`` never becomes ``>= 5``, which a correct fix may
also meet. Only statements that surely run: no branches, no loops but over literals and what
names them.
"""

import ast
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from debug_gym.judge.controls.edits import Edit, SourceText, Span
from debug_gym.judge.controls.literals import Words, far, others
from debug_gym.judge.controls.test_source import (
    RAISES,
    Function,
    compared,
    constructs,
    helpers,
    literals,
    name_of,
    named_values,
    straight,
    told_alone,
)

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
    f"assert{kind}Equal"
    for kind in ("", "Almost", "Count", "List", "Dict", "Tuple", "Set", "Sequence", "MultiLine")
}
_CALLED_WITH = {f"assert_{kind}{once}_with" for kind in ("called", "awaited") for once in ("", "_once")}
"""Of mocks: the arguments of the last call must be equal to these."""
_ERRORS = ("EOFError", "BufferError", "MemoryError", "FloatingPointError", "ConnectionResetError")
"""What no sane fix raises, nor derives an error of its own from."""
_FAMILY = frozenset({"OSError", "IOError", "EnvironmentError", "ConnectionError"})
"""Bases of the last of these, which a fix may raise where they are expected."""
_PATTERN = frozenset("|[](){}*+?\\")
"""A changed letter in a pattern with one of these need not exclude what the original matches."""


class Edits:
    """The edits that a test file offers.

    Args:
        text: of the file.
        tree: of the text.
        seed: the same seed gives the same edits.
        sources: texts that code under test can see, whose words an expectation may be made of.
        count: other values at one place, at most.
        support: texts of files that hold helpers of the tests.
    """

    def __init__(
        self,
        text: str,
        tree: ast.Module,
        seed: object = 0,
        *,
        sources: Collection[str] = (),
        count: int = 1,
        support: Collection[str] = (),
    ) -> None:
        self.tree = tree
        self._text = SourceText(text)
        self._random = random.Random(str(seed))
        self._words = Words.of(tree, sources)
        self._count = count
        self._helpers = helpers(tree, [*filter(None, map(_parsed, support))])

    @classmethod
    def of(
        cls,
        text: str,
        seed: object = 0,
        *,
        sources: Collection[str] = (),
        count: int = 1,
        support: Collection[str] = (),
    ) -> "Edits | None":
        """The edits of a text; None if it is not Python."""
        tree = _parsed(text)
        if tree is None or "\r" in text.replace("\r\n", ""):
            return None  # its lines are not ours
        return cls(text, tree, seed, sources=sources, count=count, support=support)

    def of_test(self, test: str) -> list[Edit]:
        """All edits of one test, values first."""
        function = self._find(test.partition("::")[2].partition("[")[0].split("::"))
        if function is None:
            return []
        known = named_values(self.tree, function)
        edits: dict[Edit, None] = {}
        for statement in straight(function.body, literals(self.tree, function)):
            edits.update(dict.fromkeys(self._statement(statement, known)))
        edits.update(dict.fromkeys(self._removals(function)))
        order = ("value", "error", "opposite", "removal")
        return sorted(edits, key=lambda edit: order.index(edit.kind))

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
            yield from self._helped(statement.value, span, known)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            yield from self._raises(statement, (span[0], span[0]))

    def _removals(self, function: Function) -> Iterator[Edit]:
        """Calls without which no code can meet a later expectation."""
        for statement, following in pairwise(function.body):
            if following.lineno > statement.lineno and told_alone(function, statement):
                yield self._text.remove(statement, following)

    def _condition(self, test: ast.expr, span: Span, known: Mapping[str, list[ast.expr]]) -> Iterator[Edit]:
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
            inner = self._text.of(test.operand)
            yield self._text.replace(test, inner if simple else f"({inner})", "opposite", span)
            return
        yield self._text.replace(test, f"not ({self._text.of(test)})", "opposite", span)

    def _flip(self, test: ast.Compare, span: Span) -> Edit:
        left, operator, right = test.left, test.ops[0], test.comparators[0]
        parts = self._text.of(left), _OPPOSITES[type(operator)], self._text.of(right)
        whole = self._text.of(test)
        if not (whole.startswith(parts[0]) and whole.endswith(parts[2])):  # brackets around an operand
            return self._text.replace(test, f"not ({whole})", "opposite", span)
        return self._text.replace(test, " ".join(parts), "opposite", span)

    def _values(
        self,
        node: ast.expr,
        span: Span,
        known: Mapping[str, list[ast.expr]],
        certain: bool = True,
    ) -> Iterator[Edit]:
        """Other constants in an expected value."""
        if isinstance(node, ast.Constant):
            yield from self._constant(node, "value", span, certain=certain)
        elif isinstance(node, ast.List | ast.Tuple) and not node.elts:
            yield self._text.replace(
                node, "[None]" if isinstance(node, ast.List) else "(None,)", "value", span
            )
        elif isinstance(node, ast.Call) and name_of(node.func) == "approx":
            yield from self._far(node.args, node.keywords, span)
        elif isinstance(node, ast.Name):
            for value in known.get(node.id, ()):
                yield from self._values(value, span, {}, False)
        else:
            exact = certain and not isinstance(node, ast.BinOp | ast.Call)
            for part in _parts(node):
                yield from self._values(part, span, known, exact)

    def _constant(self, node: ast.Constant, kind: str, span: Span, *, certain: bool) -> Iterator[Edit]:
        """Other constants in place of one."""
        for other in others(node.value, self._text.of(node), self._random, self._words, self._count):
            yield self._text.replace(node, other.text, kind, span, certain=certain, alike=other.alike)

    def _far(
        self, values: Sequence[ast.expr], tolerances: Sequence[ast.keyword], span: Span
    ) -> Iterator[Edit]:
        """Another number, so far away that nothing is close to both."""
        node = values[0] if len(values) == 1 else None
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            width = partial(_tolerance, keywords=tolerances)
            for new in far(self._text.of(node), width, self._random, self._count):
                yield self._text.replace(node, new, "value", span, certain=False)

    def _unittest(self, call: ast.Call, span: Span, known: Mapping[str, list[ast.expr]]) -> Iterator[Edit]:
        """``self.assertEqual(...)`` and the like, and what mocks were called with."""
        if not isinstance(call.func, ast.Attribute):
            return
        name = call.func.attr
        if name in _CALLED_WITH:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                yield from self._values(argument, span, known)
        if not isinstance(call.func.value, ast.Name):
            return
        if (
            name == "assertTrue"
            and len(call.args) == 1
            and isinstance(call.args[0], ast.Compare | ast.BoolOp)
        ):
            yield from self._condition(call.args[0], span, known)
        if name in _UNITTEST_EQUAL and len(call.args) >= 2:
            first, second = call.args[:2]
            literal = isinstance(first, ast.Constant) and not isinstance(second, ast.Constant)
            chosen = first if literal else second
            if name == "assertAlmostEqual":
                yield from self._far([chosen, *call.args[2:]], call.keywords, span)
            else:
                yield from self._values(chosen, span, known)
        if name in _UNITTEST_OPPOSITES:
            new = f"{self._text.of(call.func.value)}.{_UNITTEST_OPPOSITES[name]}"
            yield self._text.replace(call.func, new, "opposite", span)

    def _helped(self, call: ast.Call, span: Span, known: Mapping[str, list[ast.expr]]) -> Iterator[Edit]:
        """``check(f(1), 4)``, where ``check`` is a helper that compares."""
        function = self._helpers.get(name_of(call.func))
        if function is None or any(isinstance(argument, ast.Starred) for argument in call.args):
            return
        bound = int(isinstance(call.func, ast.Attribute) and name_of(call.func.value) in {"self", "cls"})
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        for place, name in compared(function).items():
            if name in named:
                yield from self._values(named[name], span, known, False)
            elif 0 <= place - bound < len(call.args):
                yield from self._values(call.args[place - bound], span, known, False)

    def _raises(self, statement: ast.With | ast.AsyncWith, span: Span) -> Iterator[Edit]:
        """``with pytest.raises(...)``: another exception, another message."""
        for item in statement.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or name_of(call.func) not in RAISES or not call.args:
                continue
            for keyword in call.keywords:
                if keyword.arg == "match" and isinstance(keyword.value, ast.Constant):
                    text = self._text.of(keyword.value)
                    if _PATTERN.isdisjoint(text):
                        yield from self._constant(keyword.value, "error", span, certain=False)
            wanted, old = call.args[0], self._text.of(call.args[0])
            if isinstance(wanted, ast.Name | ast.Attribute):
                free = _ERRORS[:-1] if old in _FAMILY else _ERRORS
                new = self._random.choice([error for error in free if error != old])
                yield self._text.replace(wanted, new, "error", span, certain=False, alike=False)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    """The expressions that an expected value is made of."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [node.operand]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and constructs(node.func):
        return [*node.args, *[item.value for item in node.keywords]]
    return []


def _tolerance(value: float, keywords: Sequence[ast.keyword]) -> float:
    """How far from a value what is close to it may lie; infinity if that cannot be read."""
    widths = [1e-6 * value]
    for keyword in keywords:
        given = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg not in {"abs", "rel", "delta"} or not isinstance(given, int | float):
            return math.inf
        widths.append(given * value if keyword.arg == "rel" else given)
    return max(widths)
