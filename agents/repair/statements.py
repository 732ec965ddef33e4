"""Templates for whole statements: delete, move, change the flow of control."""

import ast
import textwrap
from collections.abc import Iterator

from debug_gym.agents.repair.source import FUNCTIONS, Edit, Source
from debug_gym.agents.repair.template import Change, change, template

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Raise, ast.Delete, ast.Assert)
_MOVABLE = (*_SIMPLE, ast.If, ast.For, ast.With)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@template("deleted statement", 0.35, *_SIMPLE, ast.If, trust=0.3)
def deleted(source: Source, node: ast.stmt) -> Iterator[Change | None]:
    """Leave a statement out; of an ``if``, only the condition (its body always runs)."""
    lines = source.lines(node)
    if _is_docstring(node) or lines is None:
        return
    if isinstance(node, ast.If):
        body = source.body(node.body[0], node.body[-1])
        if body is not None and not node.orelse:
            yield change(Edit(*lines, textwrap.indent(body, source.indent(node)) + "\n"), weight=0.6)
        return
    alone = len(source.block(node)[0]) == 1
    yield change(Edit(*lines, f"{source.indent(node)}pass\n" if alone else ""))


@template("moved statement", 0.45, *_MOVABLE, trust=0.9)
def moved(source: Source, node: ast.stmt) -> Iterator[Change | None]:
    """Swap a statement with the next one, or move it to the start or the end of its block."""
    block, index = source.block(node)
    text, own = source.body(node, node), source.lines(node)
    if text is None or own is None or _is_docstring(node):
        return
    for position, weight in ((index + 1, 1.0), (index + 2, 0.6), (len(block) - 1, 0.5)):
        if index < position < len(block):
            last = block[position]
            place = source.before(last, text) if isinstance(last, ast.Return) else source.after(last, text)
            yield change(Edit(*own, ""), place, weight=weight)
    if index > 1 and not _is_docstring(block[0]):
        yield change(Edit(*own, ""), source.before(block[0], text), weight=0.5)


@template("statement in or out of a block", 0.5, *_SIMPLE, ast.If)
def nested(source: Source, node: ast.stmt) -> Iterator[Change | None]:
    """Move the last statement of a block behind the block, the first one of a loop before it, and back."""
    block, index = source.block(node)
    text, own = source.body(node, node), source.lines(node)
    parent = source.parents[node]
    if text is None or own is None or _is_docstring(node):
        return
    inner = isinstance(parent, (ast.If, ast.With, ast.Try, *_LOOPS)) and block is getattr(
        parent, "body", None
    )
    if inner and isinstance(parent, ast.stmt) and len(block) > 1:
        if index == len(block) - 1:
            yield change(Edit(*own, ""), source.after(parent, text))
        if index == 0 and isinstance(parent, _LOOPS):
            yield change(Edit(*own, ""), source.before(parent, text), weight=0.7)
    if index and (previous := _body(block[index - 1])):
        yield change(Edit(*own, ""), source.after(previous[-1], text), weight=0.8)
    if index + 1 < len(block) and isinstance(block[index + 1], _LOOPS):
        yield change(Edit(*own, ""), source.before(_body(block[index + 1])[0], text), weight=0.8)


def _body(node: ast.stmt) -> list[ast.stmt]:
    """The block that can take in a neighbour: of a loop, ``with``, or ``if`` without ``else``."""
    if isinstance(node, (ast.With, *_LOOPS)) or (isinstance(node, ast.If) and not node.orelse):
        return node.body
    return []


@template("loop control", 0.5, ast.Break, ast.Continue, ast.Pass, ast.Return)
def loop_control(source: Source, node: ast.stmt) -> Iterator[Change | None]:
    """``break``, ``continue``, ``pass`` and ``return`` for each other."""
    words = {ast.Break: "break", ast.Continue: "continue", ast.Pass: "pass", ast.Return: "return"}
    old = words[type(node)]
    in_loop = False
    for item in source.ancestors(node):
        if isinstance(item, FUNCTIONS):
            break
        in_loop = in_loop or isinstance(item, _LOOPS)
    for new in ("break", "continue", "pass") if in_loop else ():
        if new != old:
            yield change(source.replace(node, new), weight=0.4 if "pass" in (old, new) else 1.0)


@template("returned value", 0.35, ast.Return, trust=0.8)
def returned(source: Source, node: ast.Return) -> Iterator[Change | None]:
    """Call but do not return; return ``self``, None, an empty or a constant value."""
    function = source.function(node)
    if function is None or node.value is None:
        return
    weight = 0.3 if isinstance(node.value, ast.Constant) else 0.5
    if isinstance(node.value, ast.Call):
        yield change(source.replace(node, source.segment(node.value)), weight=1.0)
    for other in ("None", "self", "[]", "{}", "0", "True", "False"):
        if other != source.segment(node.value) and (other != "self" or source.owner(node)):
            yield change(source.replace(node.value, other), weight=weight)


@template("missing return", 0.6, ast.FunctionDef, ast.AsyncFunctionDef)
def missing_return(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Change | None]:
    """Return the last assigned name, or ``self``, at the end of a function that ends without ``return``."""
    last = node.body[-1]
    if isinstance(last, ast.Return | ast.Raise) or _is_docstring(last):
        return
    bound = [
        item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    ]
    names = list(dict.fromkeys(reversed(bound)))[:3]
    names += (
        ["self"] if node.args.args and node.args.args[0].arg == "self" and node.name != "__init__" else []
    )
    for name in names:
        yield change(source.after(last, f"return {name}"))


@template("else-if for if", 0.4, ast.If)
def chained(source: Source, node: ast.If) -> Iterator[Change | None]:
    """``elif`` becomes ``if``, and an ``if`` that follows another becomes its ``elif``."""
    start = source.span(node)[0]
    if source.data[start : start + 4] == b"elif":
        yield change(Edit(start, start + 4, "if"))
        return
    block, index = source.block(node)
    previous = block[index - 1] if index else None
    if isinstance(previous, ast.If) and not previous.orelse and source.lines(node):
        yield change(Edit(start, start + 2, "elif"))


@template("loop for condition", 0.4, ast.If, ast.While)
def looped(source: Source, node: ast.If | ast.While) -> Iterator[Change | None]:
    """``if`` becomes ``while`` (one level of something was handled, not all), and the other way round."""
    start = source.span(node)[0]
    if isinstance(node, ast.While):
        yield change(Edit(start, start + 5, "if"), weight=0.5)
    elif not node.orelse and source.lines(node):
        yield change(Edit(start, start + 2, "while"))
