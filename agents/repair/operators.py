"""Templates for operators: comparisons, boolean logic, arithmetic, precedence, and what counts as true."""

import ast
from collections.abc import Iterator

from debug_gym.agents.repair.source import Source
from debug_gym.agents.repair.template import Change, change, template

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.MatMult: "@",
}
_COMPARISONS: dict[str, dict[str, float]] = {
    "<": {"<=": 1.0, ">": 0.5, ">=": 0.4, "!=": 0.1},
    "<=": {"<": 1.0, ">=": 0.5, ">": 0.4, "==": 0.1},
    ">": {">=": 1.0, "<": 0.5, "<=": 0.4, "!=": 0.1},
    ">=": {">": 1.0, "<=": 0.5, "<": 0.4, "==": 0.1},
    "==": {"!=": 0.6, "is": 0.3, "in": 0.2, "<=": 0.3, ">=": 0.3},
    "!=": {"==": 0.6, "is not": 0.3, "<": 0.2, ">": 0.2},
    "is": {"==": 0.8, "is not": 0.6},
    "is not": {"!=": 0.8, "is": 0.6},
    "in": {"not in": 0.6, "==": 0.3},
    "not in": {"in": 0.6, "!=": 0.3},
}
_ARITHMETIC: dict[str, dict[str, float]] = {
    "+": {"-": 1.0, "*": 0.3, "|": 0.1},
    "-": {"+": 1.0, "/": 0.2},
    "*": {"/": 0.6, "+": 0.4, "**": 0.5, "//": 0.3},
    "/": {"//": 1.0, "*": 0.6},
    "//": {"/": 1.0, "%": 0.5, "*": 0.2},
    "%": {"//": 0.8, "/": 0.3},
    "**": {"*": 1.0, "^": 0.1},
    "<<": {">>": 1.0},
    ">>": {"<<": 1.0},
    "&": {"|": 1.0, "^": 0.4, "-": 0.2},
    "|": {"&": 1.0, "^": 0.4, "+": 0.1},
    "^": {"|": 0.6, "&": 0.6, "**": 0.8},
}
_NEVER_NONE = (ast.Compare, ast.Constant, ast.BoolOp, ast.UnaryOp, ast.JoinedStr)


@template("comparison operator", 0.9, ast.Compare)
def comparison(source: Source, node: ast.Compare) -> Iterator[Change | None]:
    """Another comparison between the same operands; most often a boundary is off."""
    sides = [node.left, *node.comparators]
    for left, right, operator in zip(sides, sides[1:], node.ops, strict=False):
        old = SYMBOLS[type(operator)]
        for new, weight in _COMPARISONS[old].items():
            yield change(source.between(left, right, old, new), weight=weight)


@template("arithmetic operator", 0.7, ast.BinOp)
def arithmetic(source: Source, node: ast.BinOp) -> Iterator[Change | None]:
    """Another arithmetic or bitwise operator, and division that rounds up."""
    old = SYMBOLS[type(node.op)]
    for new, weight in _ARITHMETIC.get(old, {}).items():
        yield change(source.between(node.left, node.right, old, new), weight=weight)
    if isinstance(node.op, ast.FloorDiv):
        rounded_up = f"-(-{source.operand(node.left)} // {source.operand(node.right)})"
        yield change(source.put(node, rounded_up), weight=0.6)
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.BitOr | ast.Add | ast.Pow):
        left, right = source.operand(node.left), source.operand(node.right)
        swapped = source.replace(node.left, right), source.replace(node.right, left)
        yield change(*swapped, weight=0.3 if isinstance(node.op, ast.Add) else 0.5)


@template("augmented assignment", 0.6, ast.AugAssign)
def augmented(source: Source, node: ast.AugAssign) -> Iterator[Change | None]:
    """Assign instead of add, another operator, and no change in place of an object that others hold."""
    target, value, old = source.segment(node.target), source.operand(node.value), SYMBOLS[type(node.op)]
    yield change(source.between(node.target, node.value, old + "=", "="), weight=0.8)
    for new, weight in _ARITHMETIC.get(old, {}).items():
        edit = source.between(node.target, node.value, old + "=", new + "=")
        yield change(edit, weight=weight)
    if old in "+|&":
        yield change(source.replace(node, f"{target} = {target} {old} {value}"), weight=0.8)


@template("accumulate", 0.45, ast.Assign)
def accumulate(source: Source, node: ast.Assign) -> Iterator[Change | None]:
    """``x = y`` becomes ``x += y``."""
    loops = (ast.For, ast.While, ast.AsyncFor)
    if len(node.targets) == 1 and not isinstance(node.targets[0], ast.Tuple):
        weight = 1.0 if any(isinstance(item, loops) for item in source.ancestors(node)) else 0.4
        yield change(source.between(node.targets[0], node.value, "=", "+="), weight=weight)


@template("boolean operator", 0.7, ast.BoolOp)
def boolean(source: Source, node: ast.BoolOp) -> Iterator[Change | None]:
    """``and`` for ``or`` and the other way round, at every place of a chain."""
    old = SYMBOLS[type(node.op)]
    new = "or" if old == "and" else "and"
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield change(source.between(left, right, old, new))


@template("fewer conditions", 0.4, ast.BoolOp, trust=0.6)
def fewer_conditions(source: Source, node: ast.BoolOp) -> Iterator[Change | None]:
    """Drop one operand of ``and`` or ``or``."""
    for dropped in node.values:
        kept = [source.segment(value) for value in node.values if value is not dropped]
        yield change(source.put(node, f" {SYMBOLS[type(node.op)]} ".join(kept)))


@template("negated condition", 0.6, ast.If, ast.While, ast.IfExp, ast.BoolOp, ast.comprehension, ast.Assert)
def negated(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """Negate a condition, or one part of it."""
    parts = getattr(node, "values", None) or getattr(node, "ifs", None)
    for test in [node.test] if parts is None else parts:  # type: ignore[attr-defined]
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield change(source.replace(test, source.operand(test.operand)))
        elif not isinstance(test, ast.Compare):  # the comparison template has these
            yield change(source.replace(test, f"not {source.operand(test)}"))


@template("removed not", 0.5, ast.UnaryOp)
def removed_unary(source: Source, node: ast.UnaryOp) -> Iterator[Change | None]:
    """Drop ``not``, a sign or ``~``."""
    yield change(source.replace(node, source.operand(node.operand)))


@template("none or empty", 0.75, ast.If, ast.While, ast.IfExp, ast.BoolOp)
def truth(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """Tell None from values that merely count as false, such as 0 and empty containers."""
    if isinstance(node, ast.BoolOp):
        if isinstance(node.op, ast.Or) and len(node.values) == 2:
            first, second = (source.operand(value) for value in node.values)
            if isinstance(node.values[0], ast.Name | ast.Attribute | ast.Call | ast.Subscript):
                yield change(source.put(node, f"{first} if {first} is not None else {second}"))
        parts = node.values
    else:
        parts = [node.test]  # type: ignore[attr-defined]
    for part in parts:
        plain = part.operand if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not) else part
        if isinstance(plain, _NEVER_NONE) or source.kinds(plain) == {"bool"}:
            continue
        word = "is not" if plain is part else "is"
        yield change(source.replace(part, f"{source.operand(plain)} {word} None"), weight=0.9)


@template("truth for none", 0.35, ast.Compare)
def none_for_truth(source: Source, node: ast.Compare) -> Iterator[Change | None]:
    """``x is not None`` becomes ``x``, ``x is None`` becomes ``not x``."""
    right = node.comparators[0]
    if len(node.ops) == 1 and isinstance(right, ast.Constant) and right.value is None:
        sign = "" if isinstance(node.ops[0], ast.IsNot | ast.NotEq) else "not "
        yield change(source.replace(node, sign + source.operand(node.left)))


@template("precedence", 0.5, ast.BinOp, ast.BoolOp)
def precedence(source: Source, node: ast.BinOp | ast.BoolOp) -> Iterator[Change | None]:
    """Group ``a + b * c`` as ``(a + b) * c``, and ``(a + b) * c`` as ``a + b * c``; the same for and, or."""
    left, right = (
        (node.left, node.right) if isinstance(node, ast.BinOp) else (node.values[0], node.values[-1])
    )
    operator = SYMBOLS[type(node.op)]
    if isinstance(node, ast.BoolOp) and len(node.values) != 2:
        return
    for inner, outer, side in ((right, left, "right"), (left, right, "left")):
        if not isinstance(inner, type(node)) or not isinstance(inner, ast.BinOp | ast.BoolOp):
            continue
        near, far = _ends(inner) if side == "right" else _ends(inner)[::-1]
        symbol = SYMBOLS[type(inner.op)]
        outer_text, near_text, far_text = (source.operand(item) for item in (outer, near, far))
        if side == "right":
            yield change(source.put(node, f"({outer_text} {operator} {near_text}) {symbol} {far_text}"))
        else:
            yield change(source.put(node, f"{far_text} {symbol} ({near_text} {operator} {outer_text})"))


def _ends(node: ast.BinOp | ast.BoolOp) -> tuple[ast.expr, ast.expr]:
    return (node.left, node.right) if isinstance(node, ast.BinOp) else (node.values[0], node.values[-1])


@template("scope of a conditional expression", 0.45, ast.IfExp)
def conditional(source: Source, node: ast.IfExp) -> Iterator[Change | None]:
    """``a + b if c else d`` becomes ``a + (b if c else d)``; also swaps the two results."""
    body, test, other = (source.segment(item) for item in (node.body, node.test, node.orelse))
    if isinstance(node.body, ast.BinOp):
        left, right = source.segment(node.body.left), source.operand(node.body.right)
        operator = SYMBOLS[type(node.body.op)]
        yield change(source.put(node, f"{left} {operator} ({right} if {test} else {other})"))
    if isinstance(node.orelse, ast.BinOp):
        left, right = source.operand(node.orelse.left), source.operand(node.orelse.right)
        operator = SYMBOLS[type(node.orelse.op)]
        yield change(source.put(node, f"({body} if {test} else {left}) {operator} {right}"))
    yield change(source.replace(node, f"{other} if {test} else {body}"), weight=0.5)


@template("tolerance", 0.2, ast.Compare)
def tolerance(source: Source, node: ast.Compare) -> Iterator[Change | None]:
    """Compare floating point numbers with a tolerance."""
    if len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        sign = "<" if isinstance(node.ops[0], ast.Eq) else ">="
        left, right = source.operand(node.left), source.operand(node.comparators[0])
        yield change(source.replace(node, f"abs({left} - {right}) {sign} 1e-9"))
