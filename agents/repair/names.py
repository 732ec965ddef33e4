"""Templates for names: one variable, attribute or method taken for another, and names of the wrong scope."""

import ast
import difflib
from collections.abc import Iterator

from debug_gym.agents.repair.source import FUNCTIONS, Function, Source
from debug_gym.agents.repair.template import Change, change, template


def arguments(function: Function) -> list[str]:
    """The names of all parameters."""
    spec = function.args
    items = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    return [item.arg for item in items if item is not None]


def locals_of(function: Function) -> list[str]:
    """Parameters, then the names that the function binds, in order."""
    bound = [
        item.id
        for item in ast.walk(function)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    ]
    return list(dict.fromkeys([*arguments(function), *bound]))


def members(owner: ast.ClassDef) -> tuple[list[str], list[str]]:
    """The attributes and properties that the class's code uses or defines, and its methods."""
    functions = [item for item in owner.body if isinstance(item, FUNCTIONS)]
    methods = [item.name for item in functions if not _is_property(item)]
    used = [
        item.attr
        for item in ast.walk(owner)
        if isinstance(item, ast.Attribute)
        and isinstance(item.value, ast.Name)
        and item.value.id in {"self", "cls"}
    ]
    level = [
        target.id
        for item in owner.body
        for target in getattr(item, "targets", [getattr(item, "target", None)])
        if isinstance(target, ast.Name)
    ]
    level += [item.name for item in functions if _is_property(item)]
    return [name for name in dict.fromkeys([*used, *level]) if name not in methods], methods


def _is_property(function: Function) -> bool:
    return any("property" in ast.unparse(item) for item in function.decorator_list)


def _fits(source: Source, node: ast.expr, other: str) -> bool:
    """Whether another variable or attribute may stand in the node's place, by the kinds of values seen."""
    kinds, others = source.kinds(node), source.kinds(node, other)
    return not kinds or not others or bool(kinds & others) or (kinds | others) <= {"int", "float", "bool"}


def _ranked(name: str, others: list[str], limit: int) -> list[tuple[str, float]]:
    """The other names, those that look alike first, each with a weight from 0.4 to 1."""
    rated = [(difflib.SequenceMatcher(a=name, b=other).ratio(), other) for other in others if other != name]
    rated.sort(key=lambda item: -item[0])
    return [(other, 0.4 + 0.6 * ratio) for ratio, other in rated[:limit]]


@template("other variable", 0.55, ast.Name)
def other_variable(source: Source, node: ast.Name) -> Iterator[Change | None]:
    """Another variable or parameter of the function, or the attribute of ``self`` with that name."""
    function = source.function(node)
    if function is None or not isinstance(node.ctx, ast.Load) or node.id in {"self", "cls"}:
        return
    parent = source.parents[node]
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    nearby = [name for name in locals_of(function) if name not in {"self", "cls"}]
    if node.id not in nearby:
        return
    alike = [name for name in nearby if _fits(source, node, name)]
    for name, weight in _ranked(node.id, alike, 6):
        yield change(source.replace(node, name), weight=weight)
    owner = source.owner(node)
    if owner is not None and node.id in members(owner)[0] and "self" in arguments(function):
        yield change(source.replace(node, f"self.{node.id}"), weight=1.0)


@template("other function", 0.5, ast.Call)
def other_function(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Another function of the file with a similar name, or another method of the class."""
    if isinstance(node.func, ast.Name):
        defined = [item.name for item in source.tree.body if isinstance(item, FUNCTIONS)]
        if node.func.id in defined:
            for name, weight in _ranked(node.func.id, defined, 4):
                yield change(source.replace(node.func, name), weight=weight)
    owner = source.owner(node)
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and owner is not None:
        methods = members(owner)[1]
        if node.func.attr in methods:
            for name, weight in _ranked(node.func.attr, methods, 4):
                yield change(source.replace(node.func, f"{node.func.value.id}.{name}"), weight=weight)


@template("other attribute", 0.55, ast.Attribute)
def other_attribute(source: Source, node: ast.Attribute) -> Iterator[Change | None]:
    """Another attribute of ``self``, or one that the file uses on an object of that name; a parameter."""
    parent = source.parents[node]
    if not isinstance(node.value, ast.Name) or (isinstance(parent, ast.Call) and parent.func is node):
        return
    base, owner, function = node.value.id, source.owner(node), source.function(node)
    others = [
        item.attr
        for item in ast.walk(source.tree)
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id == base
    ]
    known = others
    if base == "self" and owner is not None:
        known, methods = members(owner)
        if node.attr in methods:
            return
    stored = 0.5 if isinstance(node.ctx, ast.Store) else 1.0
    alike = [name for name in dict.fromkeys(known) if _fits(source, node, f"{base}.{name}")]
    for name, weight in _ranked(node.attr, alike, 5):
        yield change(source.replace(node, f"{base}.{name}"), weight=weight * stored)
    if function is not None and base == "self" and isinstance(node.ctx, ast.Load):
        if node.attr in locals_of(function):
            yield change(source.replace(node, node.attr), weight=1.0)
        yield change(source.replace(node, f"type(self).{node.attr}"), weight=0.2)
    if owner is not None and base == owner.name and function is not None and "self" in arguments(function):
        yield change(source.replace(node, f"self.{node.attr}"), weight=1.0)
        yield change(source.replace(node, f"type(self).{node.attr}"), weight=0.8)


@template("scope of a name", 0.5, ast.FunctionDef, ast.AsyncFunctionDef)
def scope(source: Source, node: Function) -> Iterator[Change | None]:
    """Declare a name ``global`` or ``nonlocal`` that the function binds and an outer scope has, too."""
    bound = [name for name in locals_of(node) if name not in arguments(node)]
    outer = source.function(node)
    names = {item.id for item in ast.walk(source.tree) if isinstance(item, ast.Name)}
    level = {
        target.id
        for item in source.tree.body
        for target in getattr(item, "targets", [getattr(item, "target", None)])
        if isinstance(target, ast.Name)
    }
    for name in bound:
        if outer is not None and name in locals_of(outer):
            yield change(source.before(first_statement(node), f"nonlocal {name}"))
        elif name in level and name in names:
            yield change(source.before(first_statement(node), f"global {name}"))


def first_statement(node: Function) -> ast.stmt:
    """The first statement of a function that is not its docstring (the docstring where there is no other)."""
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return node.body[1] if is_docstring and len(node.body) > 1 else first
