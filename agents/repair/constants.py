"""Templates for literal values and positions: numbers, flags, texts, indices, slices and ranges."""

import ast
import difflib
from collections.abc import Iterator

from debug_gym.agents.repair.source import Source
from debug_gym.agents.repair.template import Change, change, template

_REGEX_CALLS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "sub", "split", "compile"})


@template("number", 0.6, ast.Constant)
def number(source: Source, node: ast.Constant) -> Iterator[Change | None]:
    """A number that is off by one, by a bit, by its sign or by a power of ten; masks made full."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    nearby: dict[int | float, float] = {}
    if isinstance(value, int):
        nearby = {value + 1: 1.0, value - 1: 1.0, 0: 0.5, 1: 0.5, -1: 0.25, 2: 0.2}
        if value > 2:
            nearby |= {value * 2: 0.4, value // 2: 0.3, value * 2 + 1: 0.3, value * 10: 0.2, value // 10: 0.2}
    else:
        nearby = {value * 10: 0.4, value / 10: 0.4, value * 100: 0.3, value / 100: 0.3, 1.0: 0.3, 0.0: 0.3}
    is_hex = source.segment(node).lower().startswith("0x")
    for other, weight in nearby.items():
        if other != value:
            text = hex(other) if is_hex and isinstance(other, int) and other >= 0 else repr(other)
            yield change(source.replace(node, text if other >= 0 else f"({text})"), weight=weight)
    if not isinstance(source.parents[node], ast.UnaryOp) and value:
        yield change(source.replace(node, f"(-{source.segment(node)})"), weight=0.3)


@template("flag", 0.6, ast.Constant)
def flag(source: Source, node: ast.Constant) -> Iterator[Change | None]:
    """True, False and None for each other."""
    if node.value is None or isinstance(node.value, bool):
        risky = isinstance(source.parents[node], ast.If | ast.While)
        for other in (True, False, None):
            if other is not node.value:
                weight = 0.3 if node.value is None or other is None or risky else 1.0
                yield change(source.replace(node, repr(other)), weight=weight)


@template("text", 0.35, ast.Constant)
def text(source: Source, node: ast.Constant) -> Iterator[Change | None]:
    """A similar text of the same file (a mistyped key), other letter case and white space."""
    value = node.value
    if not isinstance(value, str) or isinstance(source.parents[node], ast.Expr | ast.JoinedStr):
        return
    others = {
        item.value
        for item in ast.walk(source.tree)
        if isinstance(item, ast.Constant) and isinstance(item.value, str) and len(item.value) < 60
    }
    others -= {value}
    close = difflib.get_close_matches(value, sorted(others), n=3, cutoff=0.6)
    changed = [value.strip(), value.lower(), value.upper(), value + "\n"]
    for other in dict.fromkeys([*close, *changed]):
        if other != value:
            weight = difflib.SequenceMatcher(a=value, b=other).ratio()
            yield change(source.replace(node, repr(other)), weight=weight if other in close else weight / 2)


@template("regular expression", 0.4, ast.Call)
def regular_expression(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Anchors, lazy repetition, at least one instead of any number, escaped dots, flags."""
    function = node.func
    called = isinstance(function, ast.Attribute) and function.attr in _REGEX_CALLS
    if not called or not node.args or not isinstance(node.args[0], ast.Constant):
        return
    pattern, old = node.args[0], source.segment(node.args[0])
    if not isinstance(pattern.value, str) or len(pattern.value) < 2:
        return
    quote = old[-1]
    first = old.index(quote) + (3 if old.endswith(quote * 3) else 1)
    head, body, tail = old[:first], old[first:-1].rstrip(quote), old[len(old[:-1].rstrip(quote)) :]
    changed = [body.replace(old, new) for old, new in (("*", "*?"), ("+", "+?"), ("*", "+"), ("+", "*"))]
    changed += [
        f"^{body}",
        f"{body}$",
        rf"{body}\Z",
        rf"\b{body}\b",
        body.replace(".", r"\."),
        body.strip("^$"),
    ]
    for other in dict.fromkeys(changed):
        if other != body:
            yield change(source.replace(pattern, head + other + tail))
    for name in ("DOTALL", "MULTILINE", "IGNORECASE"):
        yield change(source.replace(node.args[-1], f"{source.segment(node.args[-1])}, flags=re.{name}"))


def _countable(source: Source, node: ast.expr) -> bool:
    kinds = source.kinds(node)
    return not kinds or bool(kinds & {"int", "float"})


def _shifted(node: ast.expr, text: str) -> list[tuple[str, float]]:
    """The expression one higher and one lower; ``x - 1`` and ``x + 1`` also lose what they have."""
    if isinstance(node, ast.Constant):
        return []  # the number template has these
    found = [(f"{text} + 1", 1.0), (f"{text} - 1", 1.0)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        if isinstance(node.right, ast.Constant) and node.right.value == 1:
            sign = "-" if isinstance(node.op, ast.Add) else "+"
            left = text[: text.rindex("+" if sign == "-" else "-")].strip()
            return [(left, 1.2), (f"{left} {sign} 1", 0.6)]
        return [(f"{text} + 1", 0.8), (f"{text} - 1", 0.8)]
    return found


@template("off by one", 0.75, ast.Subscript, ast.Compare, ast.Call)
def off_by_one(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """Add or take one at an index, a bound of a slice, one side of an ordering, an argument of ``range``."""
    places: list[tuple[ast.expr | None, float]] = []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        places = [(node.slice.lower, 1.0), (node.slice.upper, 1.0)]
    elif isinstance(node, ast.Subscript):
        places = [(node.slice, 0.7)] if isinstance(node.slice, ast.Name | ast.BinOp | ast.Call) else []
    elif isinstance(node, ast.Compare):
        ordered = any(isinstance(item, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for item in node.ops)
        places = [(node.comparators[-1], 0.5)] if ordered else []
    elif isinstance(node, ast.Call):
        is_range = isinstance(node.func, ast.Name) and node.func.id == "range"
        places = [(item, 1.0 if is_range else 0.3) for item in node.args]
    for place, weight in places:
        if place is None or isinstance(place, ast.Starred | ast.GeneratorExp | ast.Lambda | ast.JoinedStr):
            continue
        if not _countable(source, place):
            continue
        shown = source.segment(place)
        shown = f"({shown})" if isinstance(place, ast.BoolOp | ast.IfExp | ast.Compare) else shown
        for new, factor in _shifted(place, shown):
            yield change(source.replace(place, new), weight=weight * factor)


@template("assigned off by one", 0.45, ast.Assign, ast.Return, ast.AugAssign)
def assigned_off_by_one(
    source: Source, node: ast.Assign | ast.Return | ast.AugAssign
) -> Iterator[Change | None]:
    """Add or take one from what is assigned or returned, where that looks like a number."""
    if (
        isinstance(node.value, ast.BinOp | ast.Call | ast.Name)
        and not isinstance(getattr(node.value, "op", None), ast.Mod)
        and _countable(source, node.value)
    ):
        for new, factor in _shifted(node.value, source.segment(node.value)):
            yield change(source.replace(node.value, new), weight=factor)


@template("slice", 0.5, ast.Subscript)
def slices(source: Source, node: ast.Subscript) -> Iterator[Change | None]:
    """Other bounds: without the first or last item, one bound dropped, reversed, first for last."""
    value = source.operand(node.value)
    if isinstance(node.slice, ast.Slice):
        lower, upper = (source.segment(item) if item else "" for item in (node.slice.lower, node.slice.upper))
        for bounds in (f"{lower}:", f":{upper}", f"{upper}:", f":{lower}", f"{lower or 1}:-1", "::-1"):
            if bounds not in {f"{lower}:{upper}", ":"}:
                yield change(source.replace(node, f"{value}[{bounds}]"))
    elif isinstance(node.slice, ast.UnaryOp) and source.segment(node.slice) == "-1":
        yield change(source.replace(node, f"{value}[0]"))
    elif isinstance(node.slice, ast.Constant) and node.slice.value == 0:
        yield change(source.replace(node, f"{value}[-1]"))


@template("range", 0.5, ast.Call)
def ranges(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """``range(n)`` becomes ``range(1, n)`` or ``range(1, n + 1)``; ``enumerate(x)`` counts from 1."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    arguments = [source.segment(item) for item in node.args]
    if name == "range" and len(arguments) == 1:
        for new in (f"1, {arguments[0]}", f"1, {arguments[0]} + 1", f"{arguments[0]} - 1, -1, -1"):
            yield change(source.replace(node, f"range({new})"))
    elif name == "range" and len(arguments) == 2:
        start, stop = arguments
        yield change(source.replace(node, f"range({stop} - 1, {start} - 1, -1)"), weight=0.5)
        yield change(source.replace(node, f"range({stop})"), weight=0.5)
    elif name == "enumerate" and len(arguments) == 1:
        yield change(source.replace(node, f"enumerate({arguments[0]}, 1)"))
    elif name == "enumerate" and len(arguments) == 2:
        yield change(source.replace(node, f"enumerate({arguments[0]})"))
