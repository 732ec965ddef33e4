"""Reading the source of a test: which statements surely run, and what its names stand for."""

import ast
from collections.abc import Iterator, Mapping, Sequence

Values = Mapping[str, list[ast.expr]]
"""Names to what they may stand for."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
_CONSTRUCTORS = {
    "date",
    "datetime",
    "time",
    "timedelta",
    "set",
    "frozenset",
    "tuple",
    "list",
    "dict",
    "bytes",
}

_SAME_ITEMS = {"enumerate", "sorted", "reversed", "list", "tuple", "set"}
"""Builtins that give something for everything they are given."""
_EMPTYING = {"clear", "pop", "popitem", "popleft", "remove", "discard"}

RAISES = {"raises", "assertRaises", "assertRaisesRegex"}
"""Calls that expect the block below them to raise one certain exception."""


def straight(body: Sequence[ast.stmt], known: Values | None = None) -> Iterator[ast.stmt]:
    """The statements that surely run if the test passes. ``known`` are literals that loops run over by name;
    see ``literals``."""
    known = known or {}
    for statement in body:
        yield statement
        if isinstance(statement, ast.With | ast.AsyncWith):
            calls = {
                name_of(item.context_expr.func)
                for item in statement.items
                if isinstance(item.context_expr, ast.Call)
            }
            if not calls & {*RAISES, "suppress", "RaisesGroup", "warns", "assertWarns"}:
                yield from straight(statement.body, known)
        elif isinstance(statement, ast.For) and _has_items(statement.iter, known) and not _leaves(statement):
            yield from straight(statement.body, known)
        if _leaves(statement):
            return


def literals(tree: ast.Module, function: Function) -> Values:
    """Constants of the module, and names that a test gives a value once and then uses once; but not what
    something is taken out of."""
    mine, stored, loaded = _arguments(function), _names(function, ast.Store), _names(function, ast.Load)
    emptied = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Subscript)
        and isinstance(node.value, ast.Name)
        and (node.attr in _EMPTYING if isinstance(node, ast.Attribute) else isinstance(node.ctx, ast.Del))
    }
    own = _assigned(function.body).items()
    found = {name: values for name, values in _constants(tree).items() if name not in {*mine, *stored}}
    found |= {name: values for name, values in own if stored.count(name) == loaded.count(name) == 1}
    return {name: values for name, values in found.items() if name not in emptied}


def _has_items(node: ast.expr, known: Values) -> bool:
    """Whether a loop over an expression surely runs."""
    if isinstance(node, ast.Name):
        return any(_has_items(value, {}) for value in known.get(node.id, ()))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return any(not isinstance(item, ast.Starred) for item in node.elts)
    if isinstance(node, ast.Dict):
        return any(key is not None for key in node.keys)
    return isinstance(node, ast.Call) and _gives_items(node, known)


def _gives_items(call: ast.Call, known: Values) -> bool:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in {"items", "keys", "values"} and _has_items(call.func.value, known)
    first = call.args[0] if call.args else None
    if name_of(call.func) == "range":
        number = first.value if isinstance(first, ast.Constant) and len(call.args) == 1 else 0
        return isinstance(number, int) and number > 0
    return first is not None and name_of(call.func) in _SAME_ITEMS and _has_items(first, known)


def _leaves(statement: ast.stmt) -> bool:
    """Whether a statement may end the test or the loop before the ones that follow."""
    if isinstance(statement, Function | ast.ClassDef):
        return False
    return any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(statement))


def named_values(tree: ast.Module, function: Function) -> dict[str, list[ast.expr]]:
    """What the names in a test stand for: its own, its parameters, fixtures and constants of the module.

    Only of names that are used once: what is used twice may be an input as well, and a changed input says
    nothing about the code.
    """
    mine, stored, loaded = _arguments(function), _names(function, ast.Store), _names(function, ast.Load)
    everywhere = [name for node in ast.walk(tree) for name in _arguments(node)]
    found = {
        name: values
        for name, values in _constants(tree).items()
        if name not in {*mine, *stored} and _names(tree, ast.Load).count(name) == 1
    }
    found |= {
        name: values
        for name, values in _fixtures(tree).items()
        if name in mine and everywhere.count(name) == 1
    }
    found |= {
        name: values
        for name, values in {
            **_parameters(tree, function),
            **_looped(tree, function),
            **_assigned(function.body),
        }.items()
        if stored.count(name) <= 1
    }
    return {name: values for name, values in found.items() if loaded.count(name) == 1}


def _names(node: ast.AST, context: type[ast.expr_context]) -> list[str]:
    return [x.id for x in ast.walk(node) if isinstance(x, ast.Name) and isinstance(x.ctx, context)]


def _arguments(node: ast.AST) -> list[str]:
    return [argument.arg for argument in node.args.args] if isinstance(node, Function) else []


def _assigned(body: Sequence[ast.stmt]) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = [statement.value]
    return found


def _constants(tree: ast.Module) -> dict[str, list[ast.expr]]:
    stored = _names(tree, ast.Store)
    return {name: values for name, values in _assigned(tree.body).items() if stored.count(name) == 1}


def _fixtures(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Fixtures that only return a value."""
    found: dict[str, list[ast.expr]] = {}
    for node in tree.body:
        if isinstance(node, Function) and isinstance(node.body[-1], ast.Return) and node.body[-1].value:
            marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in node.decorator_list]
            if len(node.body) == 1 and any(name_of(mark) == "fixture" for mark in marks):
                found[node.name] = [node.body[-1].value]
    return found


def _parameters(tree: ast.Module, function: Function) -> dict[str, list[ast.expr]]:
    """Names that ``pytest.mark.parametrize`` gives values, with the values; the rows may be a constant of the
    module that only this test uses."""
    found: dict[str, list[ast.expr]] = {}
    for mark in function.decorator_list:
        if not (isinstance(mark, ast.Call) and name_of(mark.func) == "parametrize" and len(mark.args) >= 2):
            continue
        names, rows = _parameter_names(mark.args[0]), mark.args[1]
        if isinstance(rows, ast.Name) and _names(tree, ast.Load).count(rows.id) == 1:
            rows = next(iter(_constants(tree).get(rows.id, ())), rows)
        for row in rows.elts if isinstance(rows, ast.List | ast.Tuple) else ():
            cells = [row]
            if isinstance(row, ast.Call) and name_of(row.func) == "param":
                cells = list(row.args)
            elif len(names) > 1 and isinstance(row, ast.Tuple | ast.List):
                cells = list(row.elts)
            for name, cell in zip(names, cells, strict=False):
                found.setdefault(name, []).append(cell)
    return found


def _looped(tree: ast.Module, function: Function) -> dict[str, list[ast.expr]]:
    """Names that a loop over literal rows gives values, with the values; the rows may be a constant that
    nothing else uses."""
    found: dict[str, list[ast.expr]] = {}
    known = literals(tree, function)
    for loop in straight(function.body, known):
        if not isinstance(loop, ast.For):
            continue
        rows = loop.iter
        if isinstance(rows, ast.Name) and _names(tree, ast.Load).count(rows.id) == 1:
            rows = next(iter(known.get(rows.id, ())), rows)
        targets = loop.target.elts if isinstance(loop.target, ast.Tuple | ast.List) else [loop.target]
        for row in rows.elts if isinstance(rows, ast.List | ast.Tuple) else ():
            several = isinstance(row, ast.Tuple | ast.List) and len(targets) > 1
            cells = row.elts if several else [row]  # type: ignore[attr-defined]
            for target, cell in zip(targets, cells, strict=False):
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(cell)
    return found


def _parameter_names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [name.strip() for name in node.value.split(",")]
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def helpers(tree: ast.Module, support: Sequence[ast.Module] = ()) -> dict[str, Function]:
    """Functions by name that tests call to compare for them: the file's own, and those that it imports by
    name from files that support it."""
    own = [node for node in ast.walk(tree) if isinstance(node, Function) and not node.name.startswith("test")]
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {alias.name for node in imports for alias in node.names if not alias.asname}
    there = [node for other in support for node in other.body if isinstance(node, Function)]
    found = [*own, *(node for node in there if node.name in named)]
    names = [node.name for node in found]
    return {node.name: node for node in found if names.count(node.name) == 1}


def compared(function: Function) -> dict[int, str]:
    """Place and name of the parameters of a helper that it does nothing with but demand that they are equal
    to something."""
    loaded, stored = _names(function, ast.Load), _names(function, ast.Store)
    sides = [side for statement in straight(function.body) for side in _equated(statement)]
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    return {
        place: name
        for place, name in enumerate(_arguments(function))
        if name in names and loaded.count(name) == 1 and name not in stored
    }


def _equated(statement: ast.stmt) -> Sequence[ast.expr]:
    """What a statement demands to be equal."""
    node = statement.test if isinstance(statement, ast.Assert) else None
    if isinstance(node, ast.Compare) and all(isinstance(op, ast.Eq) for op in node.ops):
        return [node.left, *node.comparators]
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and name_of(call.func) == "assertEqual":
        return call.args[:2]
    return []


def told_alone(function: Function, statement: ast.stmt) -> bool:
    """Whether a statement is a call that tells the code something which it cannot know otherwise and which a
    later assertion demands: a constant of both, and of nothing else in the test."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    called = _distinctive(statement)
    later = [x for x in function.body if isinstance(x, ast.Assert) and x.lineno > statement.lineno]
    demanded = {value for item in later for value in _distinctive(item)}
    others = [x for x in function.body if x is not statement and x not in later]
    return bool((called & demanded).difference(*map(_distinctive, others)))


def _distinctive(node: ast.AST) -> set[object]:
    values = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return {
        value
        for value in values
        if (isinstance(value, str) and len(value) > 2) or (type(value) in {int, float} and abs(value) > 20)  # type: ignore[arg-type]
    }


def constructs(function: ast.expr) -> bool:
    """Whether a call makes a value of its arguments, by the look of its name."""
    name = name_of(function)
    return name[:1].isupper() or name in _CONSTRUCTORS or name == "approx"


def name_of(node: ast.expr) -> str:
    """The last part of a (dotted) name; "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
