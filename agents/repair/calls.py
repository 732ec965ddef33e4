"""Templates for calls: arguments, and functions and methods that are taken for one another."""

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
            there, here = source.segment(argument), source.segment(value)
            yield change(source.replace(value, there), source.replace(argument, here), weight=0.4)


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
