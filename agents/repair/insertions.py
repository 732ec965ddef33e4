"""Templates that add code: guards, forgotten calls of the class's own making, locks, clean-up, exceptions."""

import ast
import textwrap
from collections.abc import Iterator

from debug_gym.agents.repair.names import arguments, first_statement, members
from debug_gym.agents.repair.sharing import is_mutable
from debug_gym.agents.repair.source import FUNCTIONS, Function, Source
from debug_gym.agents.repair.template import Change, change, template

_RELATED: dict[str, tuple[str, ...]] = {
    "KeyError": (
        "(KeyError, IndexError)",
        "LookupError",
        "(KeyError, TypeError)",
        "(KeyError, AttributeError)",
    ),
    "IndexError": ("LookupError", "(IndexError, ValueError)"),
    "ValueError": ("(ValueError, TypeError)", "(ValueError, KeyError)", "ArithmeticError"),
    "TypeError": ("(TypeError, ValueError)", "(TypeError, AttributeError)"),
    "AttributeError": ("(AttributeError, TypeError)", "(AttributeError, KeyError)"),
    "StopIteration": ("(StopIteration, RuntimeError)",),
    "OSError": ("(OSError, ValueError)",),
}
_TELLING = (
    "cache",
    "memo",
    "clear",
    "reset",
    "invalid",
    "dirty",
    "update",
    "refresh",
    "sync",
    "notify",
    "flush",
)


@template("caught exceptions", 0.4, ast.ExceptHandler, trust=0.8)
def caught(source: Source, node: ast.ExceptHandler) -> Iterator[Change | None]:
    """Catch a related exception as well, or let what is caught pass on."""
    if node.type is not None:
        related = [*_RELATED.get(source.segment(node.type), ()), *_exceptions(source), "Exception"]
        for other in dict.fromkeys(related):
            if other != source.segment(node.type):
                yield change(source.replace(node.type, other), weight=0.4 if other == "Exception" else 1.0)
    first = node.body[0]
    if not isinstance(first, ast.Raise):
        yield change(source.replace(first, "raise"), weight=0.6)


def _exceptions(source: Source) -> list[str]:
    """The exceptions that the file raises or catches."""
    found: dict[str, None] = {}
    for item in ast.walk(source.tree):
        raised = (
            item.exc
            if isinstance(item, ast.Raise)
            else item.type
            if isinstance(item, ast.ExceptHandler)
            else None
        )
        kind = raised.func if isinstance(raised, ast.Call) else raised
        if isinstance(kind, ast.Name | ast.Attribute):
            found[source.segment(kind)] = None
    return list(found)


@template("guard", 0.3, ast.Assign, ast.Expr, ast.Return, ast.AugAssign, ast.For, ast.If, trust=0.7)
def guard(source: Source, node: ast.stmt) -> Iterator[Change | None]:
    """Leave the function, or go on with the loop, where something that the statement uses is None or empty.

    Kim et al.'s null pointer checker (PAR, ICSE 2013), for more than pointers.
    """
    header = [node.iter] if isinstance(node, ast.For) else [node.test] if isinstance(node, ast.If) else [node]
    used: dict[str, None] = {}
    for item in (part for head in header for part in ast.walk(head)):
        risky = item.value if isinstance(item, ast.Attribute | ast.Subscript) else None
        if isinstance(item, ast.BinOp) and isinstance(item.op, ast.Div | ast.FloorDiv | ast.Mod):
            risky = item.right
        if isinstance(risky, ast.Name | ast.Attribute) and source.segment(risky) not in {"self", "cls"}:
            used[source.segment(risky)] = None
    parents = list(source.ancestors(node))
    loops = any(isinstance(item, ast.For | ast.While) for item in parents[:2])
    leave = ["continue"] if loops else ["return", "return []", "return 0", "return False"]
    for name in list(used)[:3]:
        for test, weight in ((f"not {name}", 1.0), (f"{name} is None", 0.8)):
            for exit_ in leave:
                factor = weight if exit_ == leave[0] else weight / 2
                yield change(source.before(node, f"if {test}:\n    {exit_}"), weight=factor)


@template("safe division", 0.4, ast.BinOp, trust=0.8)
def safe_division(source: Source, node: ast.BinOp) -> Iterator[Change | None]:
    """Zero where the divisor is zero."""
    if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and not isinstance(node.right, ast.Constant):
        divisor = source.operand(node.right)
        yield change(source.put(node, f"{source.segment(node)} if {divisor} else 0"))


@template("forgotten step", 0.45, ast.FunctionDef, ast.AsyncFunctionDef, trust=0.9)
def forgotten_step(source: Source, node: Function) -> Iterator[Change | None]:
    """Repeat, at the start or the end of a method, a step that another method of the class takes.

    Code that is missing somewhere mostly exists elsewhere (Le Goues et al., GenProg, TSE 2012).
    """
    owner = source.parents[node]
    if not isinstance(owner, ast.ClassDef) or "self" not in arguments(node):
        return
    own = source.segment(node)
    for step in _steps(source, owner, node):
        if step in own:
            continue
        weight = 1.0 if any(word in step.lower() for word in _TELLING) else 0.4
        last = node.body[-1]
        ends = isinstance(last, ast.Return | ast.Raise)
        yield change(source.before(last, step) if ends else source.after(last, step), weight=weight)
        if first_statement(node) is not last:
            yield change(source.before(first_statement(node), step), weight=weight * 0.7)


def _steps(source: Source, owner: ast.ClassDef, function: Function) -> list[str]:
    """One-line statements of the class that need nothing but ``self`` and the function's own parameters."""
    known = {"self", "None", "True", "False", *arguments(function)}
    found: dict[str, None] = {}
    for item in ast.walk(owner):
        if (
            isinstance(item, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete)
            and item.lineno == item.end_lineno
        ):
            names = {part.id for part in ast.walk(item) if isinstance(part, ast.Name)}
            text = source.segment(item)
            if (
                "self" in names
                and names <= known
                and not isinstance(item.__dict__.get("value"), ast.Constant | ast.Await)
            ):
                found[text] = None
            if isinstance(item, ast.Assign) and is_mutable(item.value) and text.startswith("self."):
                found[f"{source.segment(item.targets[0])}.clear()"] = None
    for method in owner.body:
        if not isinstance(method, FUNCTIONS) or method.name == function.name or method.name.startswith("__"):
            continue
        if arguments(method) == ["self"] and not method.decorator_list:
            found[f"self.{method.name}()"] = None
    return list(found)


@template("missing lock", 0.7, ast.FunctionDef)
def missing_lock(source: Source, node: ast.FunctionDef) -> Iterator[Change | None]:
    """Hold the class's lock for the whole method."""
    owner = source.parents[node]
    if not isinstance(owner, ast.ClassDef) or node.name == "__init__":
        return
    for name in members(owner)[0]:
        if (
            "lock" in name or "mutex" in name or "condition" in name
        ) and f"with self.{name}" not in source.segment(node):
            first, last = first_statement(node), node.body[-1]
            body = source.body(first, last)
            if body is not None:
                text = f"with self.{name}:\n{textwrap.indent(body, '    ')}"
                yield change(source.replace_lines(first, last, text))


@template("missing clean-up", 0.6, ast.Expr)
def clean_up(source: Source, node: ast.Expr) -> Iterator[Change | None]:
    """What follows a ``yield`` or a call also happens when an exception passes by."""
    block, index = source.block(node)
    if not isinstance(node.value, ast.Yield | ast.Call) or not index + 1 < len(block) <= index + 4:
        return
    body, rest = source.body(node, node), source.body(block[index + 1], block[-1])
    if body is not None and rest is not None:
        text = f"try:\n{textwrap.indent(body, '    ')}\nfinally:\n{textwrap.indent(rest, '    ')}"
        weight = 1.0 if isinstance(node.value, ast.Yield) else 0.5
        yield change(source.replace_lines(node, block[-1], text), weight=weight)


@template("missing super call", 0.5, ast.FunctionDef)
def super_call(source: Source, node: ast.FunctionDef) -> Iterator[Change | None]:
    """Call the method of the base class, first or last."""
    owner = source.parents[node]
    if isinstance(owner, ast.ClassDef) and owner.bases and "super()" not in source.segment(node):
        passed = ", ".join(item.arg for item in node.args.args[1:])
        weight = 1.0 if node.name.startswith("__") else 0.6
        calls = [f"super().{node.name}({passed})", f"super().{node.name}()"]
        for call in dict.fromkeys(calls):
            yield change(source.before(first_statement(node), call), weight=weight)
            if not isinstance(node.body[-1], ast.Return):
                yield change(source.after(node.body[-1], call), weight=weight * 0.5)


@template("boolean is no number", 0.3, ast.Call)
def no_boolean(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """``isinstance(x, int)`` holds for True and False; exclude them."""
    if (
        getattr(node.func, "id", "") == "isinstance"
        and len(node.args) == 2
        and "int" in source.segment(node.args[1])
    ):
        value = source.segment(node.args[0])
        yield change(source.put(node, f"{source.segment(node)} and not isinstance({value}, bool)"))
