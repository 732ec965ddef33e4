"""Kinds of bugs that are put into right code: each a small change of one place that no linter objects to.

Most keep the code as plausible as it was: who reads it finds nothing odd. The weights say how far the symptom
tends to lie from such a bug.
"""

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from debug_gym.agents.repair.operators import SYMBOLS
from debug_gym.agents.repair.source import Edit, Source

Rule = Callable[[Source, ast.AST], Iterator[Edit | None]]


@dataclass(frozen=True)
class Mutator:
    """A kind of bug."""

    name: str
    weight: float
    rule: Rule


@dataclass(frozen=True)
class Mutant:
    """A file with a bug."""

    path: str
    text: str
    line: int
    mutator: str
    weight: float


MUTATORS: list[Mutator] = []
_BOUNDARIES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_TWINS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "find": "rfind",
    "index": "rindex",
    "partition": "rpartition",
    "rpartition": "partition",
}
_COPIES = {"list", "dict", "set", "tuple", "copy", "deepcopy", "sorted", "reversed"}


def mutator(name: str, weight: float) -> Callable[[Rule], Rule]:
    """Register the decorated rule."""

    def register(rule: Rule) -> Rule:
        MUTATORS.append(Mutator(name, weight, rule))
        return rule

    return register


@mutator("shared", 1.0)
def shared(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A copy is not made: two places share an object."""
    if isinstance(node, ast.Call) and not node.keywords:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if (
            name in _COPIES
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Name | ast.Attribute | ast.Call)
        ):
            yield source.replace(node, source.segment(node.args[0]))
        if name == "copy" and not node.args and isinstance(node.func, ast.Attribute):
            yield source.replace(node, source.segment(node.func.value))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        bounds = node.slice.lower, node.slice.upper, node.slice.step
        if isinstance(node.ctx, ast.Load) and bounds == (None, None, None):
            yield source.replace(node, source.segment(node.value))


@mutator("forgotten", 0.9)
def forgotten(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A state is not kept up: an attribute is not set, a method without a result is not called."""
    sets = isinstance(node, ast.Assign) and all(isinstance(item, ast.Attribute) for item in node.targets)
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if (sets or calls) and isinstance(node, ast.stmt):
        block, _ = source.block(node)
        lines = source.lines(node)
        if len(block) > 1 and lines is not None and not _commented(source.data[: lines[0]]):
            yield Edit(*lines, "")


@mutator("empty", 0.9)
def empty(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """What is empty or zero counts as missing."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot):
        right = node.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None:
            sign = "not " if isinstance(node.ops[0], ast.Is) else ""
            yield source.put(node, f"{sign}{source.operand(node.left)}")


@mutator("uncaught", 0.8)
def uncaught(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """One of several exceptions is not caught."""
    if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple) and len(node.type.elts) > 1:
        for kept in (node.type.elts[:-1], node.type.elts[1:]):
            texts = [source.segment(item) for item in kept]
            yield source.replace(node.type, texts[0] if len(texts) == 1 else f"({', '.join(texts)})")


@mutator("default", 0.8)
def default(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """The default of an argument is another one."""
    if isinstance(node, ast.arguments):
        for value in (*node.defaults, *node.kw_defaults):
            if isinstance(value, ast.Constant) and isinstance(value.value, bool):
                yield source.replace(value, str(not value.value))
            elif isinstance(value, ast.Constant) and type(value.value) is int:
                yield source.replace(value, str(value.value + 1))


@mutator("off by one", 0.7)
def off_by_one(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """An index, a bound or a step is off by one."""
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if isinstance(bound, ast.Constant) and type(bound.value) is int:
                yield source.replace(bound, str(bound.value + 1))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        if isinstance(node.right, ast.Constant) and node.right.value == 1:
            yield source.put(node, source.operand(node.left))
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range":
        last = node.args[:2][-1] if node.args else None
        if last is not None and not isinstance(last, ast.Constant | ast.Starred):
            yield source.replace(last, f"{source.operand(last)} - 1")


@mutator("constant", 0.4)
def constant(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A number is another one."""
    plain = isinstance(node, ast.Constant) and type(node.value) in {int, float} and node.value not in {0, 1}
    if plain and not isinstance(source.parents.get(node), ast.arguments | ast.Slice):
        value: Any = node.value  # type: ignore[attr-defined]
        yield source.replace(node, repr(value * 2 if isinstance(value, float) else value + 1))


@mutator("boundary", 0.6)
def boundary(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A comparison takes its bound in, or leaves it out."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for left, right, operator in zip(sides, sides[1:], node.ops, strict=False):
            old = SYMBOLS[type(operator)]
            if old in _BOUNDARIES:
                yield source.between(left, right, old, _BOUNDARIES[old])


@mutator("condition", 0.7)
def condition(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A part of a condition is not looked at."""
    if isinstance(node, ast.BoolOp) and len(node.values) > 1:
        for dropped in node.values:
            kept = [source.segment(value) for value in node.values if value is not dropped]
            yield source.put(node, f" {SYMBOLS[type(node.op)]} ".join(kept))


@mutator("order", 0.7)
def order(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """Two arguments of a call are exchanged."""
    if isinstance(node, ast.Call) and len(node.args) == 2:
        one, two = node.args
        simple = (ast.Name, ast.Attribute, ast.Subscript)
        if isinstance(one, simple) and isinstance(two, simple):
            texts = source.segment(one), source.segment(two)
            start, end = source.span(one)[0], source.span(two)[1]
            between = source.data[source.span(one)[1] : source.span(two)[0]].decode()
            yield Edit(start, end, f"{texts[1]}{between}{texts[0]}")


@mutator("key", 0.7)
def key(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """Something is ordered or joined without what it should be ordered by."""
    if isinstance(node, ast.Call) and node.args and len(node.keywords) == 1:
        argument = node.keywords[0]
        if argument.arg in {"key", "reverse", "default", "strict", "maxsplit"}:
            yield Edit(source.span(node.args[-1])[1], source.span(argument.value)[1], "")


@mutator("twin", 0.6)
def twin(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A function's counterpart is called."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _TWINS:
            end = source.span(node.func)[1]
            yield Edit(end - len(name.encode()), end, _TWINS[name])


@mutator("loop", 0.6)
def loop(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """A loop ends too early, or goes on."""
    if isinstance(node, ast.Break | ast.Continue) and _in_for(source, node):
        yield source.replace(node, "continue" if isinstance(node, ast.Break) else "break")


@mutator("accumulation", 0.5)
def accumulation(source: Source, node: ast.AST) -> Iterator[Edit | None]:
    """Only the last of several is kept."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.BitOr):
        old = f"{SYMBOLS[type(node.op)]}="
        yield source.between(node.target, node.value, old, "=")


def mutants(source: Source, first: int, last: int) -> Iterator[Mutant]:
    """The mutants of the code between two lines of a file. Each compiles, and leaves nothing that a linter
    would point at: no name that is no longer used."""
    used = _uses(source.tree)
    seen = {source.text}
    for node in source.nodes:
        line = getattr(node, "lineno", getattr(source.parents.get(node), "lineno", 0))
        if not first <= line <= last or isinstance(source.parents.get(node), ast.Assert):
            continue
        for one in MUTATORS:
            for edit in one.rule(source, node):
                text = source.apply([edit]) if edit is not None else None
                if text is None or text in seen:
                    continue
                seen.add(text)
                try:
                    tree = ast.parse(text)
                except (SyntaxError, ValueError):
                    continue
                if used <= _uses(tree):
                    yield Mutant(source.path, text, line, one.name, one.weight)


def _commented(before: bytes) -> bool:
    """Whether the line before is a comment, which would tell what is missing."""
    return before.rstrip(b"\n").rpartition(b"\n")[2].lstrip().startswith(b"#")


def _in_for(source: Source, node: ast.AST) -> bool:
    """Whether the innermost loop ends by itself."""
    loops = (item for item in source.ancestors(node) if isinstance(item, ast.For | ast.While | ast.AsyncFor))
    return isinstance(next(loops, None), ast.For)


def _uses(tree: ast.AST) -> set[str]:
    """The names that a file reads, but for builtins."""
    names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return names - vars(builtins).keys()
