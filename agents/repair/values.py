"""Templates for values: conversions, unused results, keys that may be missing, and when to await."""

import ast
import builtins
from collections.abc import Iterator
from functools import lru_cache

from debug_gym.agents.repair.source import Source
from debug_gym.agents.repair.template import Change, change, template

_USES = (
    *(ast.Assign, ast.AnnAssign, ast.Return, ast.Call, ast.keyword),
    *(ast.Compare, ast.Subscript, ast.For, ast.comprehension),
)
"""Where an expression stands whose value is used."""


@template("key that may be missing", 0.4, ast.Subscript, trust=0.8)
def missing_key(source: Source, node: ast.Subscript) -> Iterator[Change | None]:
    """``d[k]`` becomes ``d.get(k)``."""
    if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice | ast.Tuple):
        value, key = source.operand(node.value), source.segment(node.slice)
        for new, weight in ((f"{value}.get({key})", 1.0), (f"{value}.get({key}, 0)", 0.6)):
            yield change(source.replace(node, new), weight=weight)


@template("result not used", 0.6, ast.Expr)
def unused_result(source: Source, node: ast.Expr) -> Iterator[Change | None]:
    """``s.strip()`` becomes ``s = s.strip()``, ``f(x)`` becomes ``x = f(x)`` or ``return f(x)``; awaited."""
    call = node.value
    if not isinstance(call, ast.Call):
        return
    shown = source.segment(call)
    function = source.function(node)
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name | ast.Attribute):
        yield change(source.replace(node, f"{source.segment(call.func.value)} = {shown}"), weight=0.7)
    for argument in call.args[:1]:
        if isinstance(argument, ast.Name | ast.Attribute):
            yield change(source.replace(node, f"{source.segment(argument)} = {shown}"), weight=0.6)
    if function is not None:
        yield change(source.replace(node, f"return {shown}"), weight=1.0)
        yield change(source.replace(node, f"yield from {shown}"), weight=0.3)


@template("missing await", 0.6, ast.Call)
def missing_await(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Await a call in a coroutine."""
    if isinstance(source.function(node), ast.AsyncFunctionDef) and not isinstance(
        source.parents[node], ast.Await
    ):
        yield change(source.put(node, f"await {source.segment(node)}"))


_WRAPPERS: dict[str, tuple[str, ...]] = {
    "int": ("str({})", "abs({})", "float({})"),
    "float": ("round({})", "int({})", "abs({})", "str({})"),
    "str": ("int({})", "float({})", "{}.strip()", "{}.lower()", "{}.encode()"),
    "bytes": ("{}.decode()",),
    "list": ("sorted({})", "reversed({})", "set({})", "len({})", "tuple({})"),
    "tuple": ("sorted({})", "reversed({})", "set({})", "len({})", "list({})"),
    "set": ("sorted({})", "len({})"),
    "frozenset": ("sorted({})", "len({})"),
    "dict": ("sorted({})", "len({})"),
    "iterator": ("sorted({})",),
    "iterated": ("sorted({})", "reversed({})", "set({})"),
    "": ("int({})", "round({})", "abs({})", "sorted({})", "str({})"),
}
"""Conversions that make sense for a kind of value (empty: not known)."""


@template("value read too early", 0.6, ast.Await)
def early_read(source: Source, node: ast.Await) -> Iterator[Change | None]:
    """Await before the rest of the statement is evaluated: what it reads may change meanwhile."""
    statement = source.place(node)
    if (
        isinstance(statement, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
        and statement.value is not node
    ):
        first = source.before(statement, f"awaited = {source.segment(node)}")
        yield change(first, source.replace(node, "awaited"))


@template(
    "forgotten conversion", 0.5, ast.Assign, ast.AnnAssign, ast.Return, ast.Call, ast.keyword, ast.Subscript
)
def conversion(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """Convert a value by a function or method that the file calls for others."""
    if isinstance(node, ast.Call):
        values, weight = node.args, 0.8
    elif isinstance(node, ast.Subscript):
        values, weight = ([] if isinstance(node.slice, ast.Slice) else [node.slice]), 0.7
    else:
        values, weight = ([node.value] if node.value else []), 1.0  # type: ignore[attr-defined]
    for value in values:
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Constant):
            kinds = source.kinds(value)
            for before, after in conversions(source):
                method = after[1:].partition("(")[0]
                known = [getattr(builtins, kind, None) for kind in kinds]
                possible = before or not known or any(of is None or hasattr(of, method) for of in known)
                if possible and (before or not isinstance(value, ast.Constant)):
                    yield change(source.replace(value, before + source.segment(value) + after), weight=weight)


@lru_cache(maxsize=64)
def conversions(source: Source) -> list[tuple[str, str]]:
    """What the file puts before and after a value to convert it, such as ``int(`` and ``)``, ``.lower()``."""
    found: dict[tuple[str, str], None] = {}
    for item in ast.walk(source.tree):
        if isinstance(item, ast.Call) and isinstance(source.parents[item], _USES):
            simple = all(isinstance(value, ast.Constant) for value in item.args) and not item.keywords
            if isinstance(item.func, ast.Name) and len(item.args) == 1 and not item.keywords:
                found[f"{item.func.id}(", ")"] = None
            elif (
                isinstance(item.func, ast.Attribute)
                and simple
                and not isinstance(item.func.value, ast.Constant)
            ):
                text = source.segment(item)
                found["", text[len(source.segment(item.func.value)) :]] = None
    return list(found)


@template("wrapped value", 0.35, ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, trust=0.7)
def wrapped(source: Source, node: ast.expr) -> Iterator[Change | None]:
    """Convert a value that is assigned, returned, compared, iterated over or passed on."""
    parent = source.parents[node]
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or not isinstance(parent, _USES):
        return
    if node is getattr(parent, "func", None) or (isinstance(parent, ast.Subscript) and node is parent.value):
        return
    weight = 0.5 if isinstance(parent, ast.Call) else 1.0
    inner, operand = source.segment(node), source.operand(node)
    kinds = source.kinds(node) or {"iterated" if isinstance(parent, ast.For | ast.comprehension) else ""}
    for pattern in dict.fromkeys(item for kind in sorted(kinds) for item in _WRAPPERS.get(kind, ())):
        shown = operand if pattern.startswith("{}.") else inner
        yield change(source.replace(node, pattern.format(shown)), weight=weight)


@template("unwrapped value", 0.4, ast.Call)
def unwrapped(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """``f(x)`` becomes ``x``, ``x.f()`` becomes ``x``."""
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield change(source.replace(node, source.operand(node.args[0])))
    if not node.args and isinstance(node.func, ast.Attribute):
        yield change(source.replace(node, source.operand(node.func.value)), weight=0.7)
