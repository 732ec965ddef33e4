"""Templates for calls: arguments, methods and functions that are taken for one another, missing calls."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from debug_gym.agents.repair.source import FUNCTIONS, Function, Source
from debug_gym.agents.repair.template import Change, change, template

_ALIKE: tuple[tuple[str, ...], ...] = (
    ("strip", "lstrip", "rstrip"),
    ("find", "rfind", "index", "rindex"),
    ("split", "rsplit", "splitlines"),
    ("partition", "rpartition"),
    ("lower", "upper", "casefold", "title", "capitalize"),
    ("startswith", "endswith"),
    ("removeprefix", "lstrip", "removesuffix", "rstrip"),
    ("ljust", "rjust", "center", "zfill"),
    ("isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha"),
    ("append", "extend", "add", "update"),
    ("insert", "append", "appendleft"),
    ("pop", "popleft", "popitem"),
    ("remove", "discard", "pop"),
    ("keys", "values", "items"),
    ("get", "setdefault", "pop"),
    ("match", "fullmatch", "search"),
    ("findall", "finditer"),
    ("union", "intersection", "difference", "symmetric_difference"),
    ("issubset", "issuperset"),
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil", "trunc", "round"),
    ("int", "round", "float"),
    ("list", "set", "sorted", "tuple"),
    ("sorted", "reversed", "list"),
    ("str", "repr"),
    ("heappush", "heappop", "heappushpop", "heapreplace"),
    ("bisect", "bisect_left", "bisect_right"),
    ("insort", "insort_left", "insort_right"),
    ("copy", "deepcopy"),
    ("now", "utcnow"),
    ("date", "datetime"),
    ("fromtimestamp", "utcfromtimestamp"),
    ("seconds", "total_seconds"),
    ("isinstance", "issubclass"),
    ("hasattr", "getattr"),
    ("zip", "zip_longest"),
    ("time", "monotonic", "perf_counter"),
    ("notify", "notify_all"),
    ("exists", "is_file", "is_dir"),
)


@template("confused function", 0.6, ast.Call)
def confused(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Another function or method that is often taken for the one that is called."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    others = dict.fromkeys(other for group in _ALIKE if name in group for other in group if other != name)
    for other in others:
        if isinstance(node.func, ast.Attribute):
            text = f"{source.operand(node.func.value)}.{other}"
            yield change(source.replace(node.func, text), weight=1.0)
        else:
            yield change(source.replace(node.func, other), weight=0.9)


@template("swapped arguments", 0.65, ast.Call)
def swapped(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Two neighbouring arguments, or two neighbouring parts of a tuple, in the other order."""
    for first, second in pairwise(node.args):
        edits = (source.replace(first, source.segment(second)), source.replace(second, source.segment(first)))
        yield change(*edits)
    if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
        value, argument = node.func.value, node.args[0]
        if isinstance(argument, ast.Name | ast.Attribute) and isinstance(value, ast.Name | ast.Attribute):
            edits = (source.replace(value, source.segment(argument)),)
            edits += (source.replace(argument, source.segment(value)),)
            yield change(*edits, weight=0.4)


@template("swapped items", 0.4, ast.Tuple, ast.Dict)
def swapped_items(source: Source, node: ast.Tuple | ast.Dict) -> Iterator[Change | None]:
    """Two neighbouring items of a tuple, or two unpacked dictionaries, in the other order."""
    items = list(node.values if isinstance(node, ast.Dict) else node.elts)
    if isinstance(node, ast.Dict) and (len(items) != 2 or any(node.keys)):
        return
    for first, second in pairwise(items[:5]):
        edits = (source.replace(first, source.segment(second)), source.replace(second, source.segment(first)))
        yield change(*edits)


@template("sort order", 0.5, ast.Call)
def sort_order(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Reverse a sort, drop its reversal or its key, negate its key."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in {"sort", "sorted", "min", "max", "nlargest", "nsmallest"}:
        return
    present = {item.arg: item for item in node.keywords}
    if "reverse" not in present and name in {"sort", "sorted"}:
        yield _with_argument(source, node, "reverse=True")
    for keyword in node.keywords:
        yield without_argument(source, node, keyword)
    key = present.get("key")
    if key is not None and isinstance(key.value, ast.Lambda):
        body = key.value.body
        for part in body.elts if isinstance(body, ast.Tuple) else [body]:
            yield change(source.replace(part, f"-{source.operand(part)}"), weight=0.8)


def _with_argument(source: Source, node: ast.Call, text: str, weight: float = 1.0) -> Change | None:
    last = max([*node.args, *node.keywords], key=source.span, default=None)
    if last is None:
        return change(source.replace(node, f"{source.segment(node.func)}({text})"), weight=weight)
    if len(node.args) == 1 and isinstance(last, ast.GeneratorExp):
        return None
    return change(source.replace(last, f"{source.segment(last)}, {text}"), weight=weight)


def without_argument(source: Source, node: ast.Call, dropped: ast.AST) -> Change | None:
    """The call with one argument less."""
    kept = [source.segment(item) for item in [*node.args, *node.keywords] if item is not dropped]
    return change(source.replace(node, f"{source.segment(node.func)}({', '.join(kept)})"), weight=0.6)


@template("forgotten argument", 0.6, ast.Call)
def forgotten(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Pass on a parameter of the caller that the called function of this file takes as well."""
    caller, called = source.function(node), _definition(source, node)
    if caller is None or called is None:
        return
    given = {item.arg for item in node.keywords} | {
        item.id for item in node.args if isinstance(item, ast.Name)
    }
    offered = _parameters(called)[len(node.args) :]
    for name in _parameters(caller):
        if name in offered and name not in given and name not in {"self", "cls"}:
            yield _with_argument(source, node, f"{name}={name}")


def _definition(source: Source, node: ast.Call) -> Function | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    for item in ast.walk(source.tree):
        if isinstance(item, FUNCTIONS) and item.name == name:
            return item
        if isinstance(item, ast.ClassDef) and item.name == name:
            inits = [part for part in item.body if isinstance(part, FUNCTIONS) and part.name == "__init__"]
            return inits[0] if inits else None
    return None


def _parameters(function: Function) -> list[str]:
    items = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [item.arg for item in items if item.arg not in {"self", "cls"}]


@template("dropped argument", 0.3, ast.Call)
def dropped(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Leave out one argument, so that its default holds."""
    arguments: list[ast.AST] = [*node.args[-1:], *node.keywords]
    for argument in arguments:
        yield without_argument(source, node, argument)


@template("split limit", 0.3, ast.Call)
def split_limit(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """Split only once, or at any white space, or give a default to ``get``."""
    if not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr in {"split", "rsplit", "replace"} and 1 <= len(node.args) <= 2:
        yield _with_argument(source, node, "1")
        if node.func.attr != "replace":
            yield change(source.replace(node, f"{source.segment(node.func)}()"), weight=0.5)
    if node.func.attr == "get" and len(node.args) == 1:
        for default in ("0", "()", "''", "{}"):
            yield _with_argument(source, node, default, weight=0.7)


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


@template("wrapped value", 0.35, ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp)
def wrapped(source: Source, node: ast.expr) -> Iterator[Change | None]:
    """Convert a value that is assigned, returned, compared or passed on: ``int(x)``, ``sorted(x)``, ..."""
    parent = source.parents[node]
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    if isinstance(parent, ast.Call) and parent.func is not node:
        weight = 0.5
    elif isinstance(
        parent, ast.Return | ast.Assign | ast.Compare | ast.For | ast.comprehension | ast.keyword
    ):
        weight = 1.0
    else:
        return
    iterated = isinstance(parent, ast.For | ast.comprehension)
    for name in (
        ("sorted", "reversed", "set") if iterated else ("int", "str", "round", "abs", "float", "sorted")
    ):
        yield change(source.replace(node, f"{name}({source.segment(node)})"), weight=weight)


@template("unwrapped value", 0.4, ast.Call)
def unwrapped(source: Source, node: ast.Call) -> Iterator[Change | None]:
    """``f(x)`` becomes ``x``, ``x.f()`` becomes ``x``."""
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield change(source.replace(node, source.operand(node.args[0])))
    if not node.args and isinstance(node.func, ast.Attribute):
        yield change(source.replace(node, source.operand(node.func.value)), weight=0.7)
