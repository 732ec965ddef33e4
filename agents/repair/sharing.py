"""Templates for objects that are shared by mistake: defaults, class attributes, copies, late binding."""

import ast
from collections.abc import Iterator

from debug_gym.agents.repair.names import arguments, first_statement, locals_of
from debug_gym.agents.repair.source import FUNCTIONS, Function, Source
from debug_gym.agents.repair.template import Change, change, template

_MUTABLE_CALLS = frozenset(
    {"list", "dict", "set", "deque", "defaultdict", "OrderedDict", "Counter", "bytearray"}
)
_IMMUTABLE = frozenset({"bool", "int", "float", "complex", "str", "bytes", "tuple", "frozenset"})
_BUILTIN = _IMMUTABLE | {"list", "dict", "set", "iterator"}
_COPIES: tuple[tuple[str, str, float], ...] = (
    ("list", "list({})", 1.0),
    ("iterator", "list({})", 0.8),
    ("dict", "{}.copy()", 0.9),
    ("set", "{}.copy()", 0.5),
    ("", "copy.copy({})", 0.4),
    ("", "copy.deepcopy({})", 0.6),
)
"""Kind of the value (empty: any other), its copy, and the weight where the kind is not known."""


def is_mutable(node: ast.AST | None) -> bool:
    """Whether an expression makes a new list, dictionary, set or the like."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", getattr(node.func, "attr", "")) in _MUTABLE_CALLS
    return isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


@template("mutable default", 1.0, ast.FunctionDef, ast.AsyncFunctionDef)
def mutable_default(source: Source, node: Function) -> Iterator[Change | None]:
    """A default that all calls share, or that was computed once at import, is made anew by each call."""
    positional = [*node.args.posonlyargs, *node.args.args]
    pairs = list(
        zip(positional[len(positional) - len(node.args.defaults) :], node.args.defaults, strict=True)
    )
    pairs += [
        (name, value)
        for name, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        if value
    ]
    for parameter, default in pairs:
        if is_mutable(default) or isinstance(default, ast.Call):
            name, value = parameter.arg, source.segment(default)
            fill = source.before(first_statement(node), f"if {name} is None:\n    {name} = {value}")
            yield change(source.replace(default, "None"), fill)


@template("shared class attribute", 0.9, ast.ClassDef)
def class_attribute(source: Source, node: ast.ClassDef) -> Iterator[Change | None]:
    """A mutable attribute of the class becomes one of each object."""
    init = next((item for item in node.body if isinstance(item, FUNCTIONS) and item.name == "__init__"), None)
    for item in node.body:
        if isinstance(item, ast.Assign) and is_mutable(item.value) and isinstance(item.targets[0], ast.Name):
            name = item.targets[0].id
        elif isinstance(item, ast.AnnAssign) and is_mutable(item.value) and isinstance(item.target, ast.Name):
            name = item.target.id
        else:
            continue
        assignment = f"self.{name} = {source.segment(item.value)}" if item.value else ""
        if init is not None:
            yield change(source.before(first_statement(init), assignment))
        else:
            head = "\ndef __init__(self, *args, **kwargs):\n    super().__init__(*args, **kwargs)"
            yield change(source.after(node.body[-1], f"{head}\n    {assignment}"), weight=0.7)


@template(
    "missing copy", 0.65, ast.Assign, ast.AnnAssign, ast.Return, ast.Yield, ast.Call, ast.keyword, ast.Dict
)
def missing_copy(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """Copy what is stored, returned, yielded or passed on, so that two owners do not change one object.

    What an attribute keeps lives longest, and an iterator in it is soon empty: there copies matter most.
    """
    if isinstance(node, ast.Call):
        taken, weight = [item for item in node.args if not isinstance(item, ast.Starred)], 0.7
    elif isinstance(node, ast.Dict):
        taken, weight = list(node.values), 0.5
    elif isinstance(node, ast.Assign) and any(isinstance(item, ast.Attribute) for item in node.targets):
        taken, weight = [node.value], 1.3
    else:
        taken, weight = [node.value], 0.7 if isinstance(node, ast.keyword) else 1.0  # type: ignore[attr-defined]
    for value in taken:
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BoolOp):
            rate = weight * (0.3 if isinstance(value, ast.Call) else 1.0)
            yield from _copies(source, value, rate)


def _copies(source: Source, value: ast.expr, weight: float) -> Iterator[Change | None]:
    text = source.segment(value)
    inner = source.operand(value)
    kinds = source.kinds(value)
    for kind, pattern, factor in _COPIES:
        if kinds and (kinds <= _IMMUTABLE or (kind not in kinds and (kind != "" or kinds <= _BUILTIN))):
            continue
        factor = 1.0 if kind in kinds else factor
        shown = inner if pattern.startswith("{") else text
        imports = source.imports("copy") if pattern.startswith("copy.") else ()
        yield change(source.replace(value, pattern.format(shown)), *imports, weight=weight * factor)


@template("changed while iterated", 0.6, ast.For, ast.AsyncFor, ast.comprehension)
def iterated(source: Source, node: ast.For | ast.comprehension) -> Iterator[Change | None]:
    """Iterate over a copy, which also lets a generator be read twice."""
    yield change(source.replace(node.iter, f"list({source.segment(node.iter)})"))


@template("exhausted iterator", 0.6, ast.Assign, ast.Return, ast.Call)
def exhausted(source: Source, node: ast.AST) -> Iterator[Change | None]:
    """A generator or other iterator that is read twice becomes a list."""
    values = node.args if isinstance(node, ast.Call) else [node.value]  # type: ignore[attr-defined]
    for value in values:
        if isinstance(value, ast.GeneratorExp):
            made = f"[{source.segment(value).removeprefix('(').removesuffix(')')}]"
            # A generator that is the only argument shares its parentheses with the call.
            yield change(source.replace(value, f"({made})" if isinstance(node, ast.Call) else made))
        elif isinstance(value, ast.Call):
            yield change(source.replace(value, f"list({source.segment(value)})"), weight=0.7)


@template("late binding", 0.8, ast.Lambda)
def late_lambda(source: Source, node: ast.Lambda) -> Iterator[Change | None]:
    """A lambda keeps the value that a variable has now: ``lambda x=x: ...``."""
    parameters = {item.arg for item in [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]}
    free = {item.id for item in ast.walk(node.body) if isinstance(item, ast.Name)} - parameters
    bound = _bindings(free & _changing(source, node))
    for names, weight in bound:
        start = source.span(node)[0]
        body = source.segment(node.body)
        given = source.data[start : source.span(node.body)[0]].decode().rstrip().removesuffix(":")
        given = given.removeprefix("lambda").strip()
        if "*" not in given:
            together = ", ".join(filter(None, [given, names]))
            yield change(source.replace(node, f"lambda {together}: {body}"), weight=weight)


@template("late binding in a function", 0.8, ast.FunctionDef, ast.AsyncFunctionDef)
def late_function(source: Source, node: Function) -> Iterator[Change | None]:
    """An inner function keeps the value that a variable of the loop around it has now."""
    free = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)} - set(locals_of(node))
    if node.args.vararg or node.args.kwonlyargs or node.args.kwarg:
        return
    for names, weight in _bindings(free & _changing(source, node)):
        close = source.data.find(b")", source.span(node)[0])
        yield change(source.insert(close, f"{', ' if arguments(node) else ''}{names}"), weight=weight)


def _bindings(names: set[str]) -> list[tuple[str, float]]:
    """Parameters that keep the present values: of all names, or else of each one alone."""
    alone = [f"{name}={name}" for name in sorted(names)]
    return [(", ".join(alone), 1.0), *((one, 0.6) for one in alone if len(alone) > 1)] if alone else []


def _changing(source: Source, node: ast.AST) -> set[str]:
    """Names that a loop or comprehension around the node binds anew each time."""
    found: set[str] = set()
    for item in source.ancestors(node):
        if isinstance(item, FUNCTIONS):
            break
        loops = getattr(item, "generators", [item] if isinstance(item, ast.For | ast.AsyncFor) else [])
        for loop in loops:
            found |= {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
        if isinstance(item, ast.For | ast.While | ast.AsyncFor):
            found |= {
                part.id
                for part in ast.walk(item)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
    return found


@template("repeated object", 0.8, ast.BinOp, ast.Call)
def repeated(source: Source, node: ast.BinOp | ast.Call) -> Iterator[Change | None]:
    """``[[0] * n] * m`` and ``dict.fromkeys(keys, [])`` make one inner object; make many."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List) and len(node.left.elts) == 1:
            item, times = source.segment(node.left.elts[0]), source.segment(node.right)
            yield change(source.replace(node, f"[{item} for _ in range({times})]"))
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "fromkeys" and len(node.args) == 2:
        keys, value = (source.segment(item) for item in node.args)
        yield change(source.replace(node, f"{{key: {value} for key in {keys}}}"))


@template("stale cache", 0.7, ast.FunctionDef, ast.AsyncFunctionDef)
def stale_cache(source: Source, node: Function) -> Iterator[Change | None]:
    """Remove a decorator that caches results, or turn a cached property into a plain one."""
    for decorator in node.decorator_list:
        text = source.segment(decorator)
        if "cache" not in text.lower() and "memo" not in text.lower():
            yield change(source.remove_line(decorator), weight=0.15)
            continue
        if "property" in text:
            yield change(source.replace(decorator, "property"))
        else:
            yield change(source.remove_line(decorator))
