"""Reading the source of a test: which statements surely run, and what its names stand for."""

import ast
from collections.abc import Iterator, Sequence

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

RAISES = {"raises", "assertRaises", "assertRaisesRegex"}


def straight(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that surely run if the test passes."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.With | ast.AsyncWith):
            calls = {
                name_of(item.context_expr.func)
                for item in statement.items
                if isinstance(item.context_expr, ast.Call)
            }
            if not calls & {*RAISES, "suppress"}:
                yield from straight(statement.body)
        elif isinstance(statement, ast.For) and _over_literal(statement) and not _leaves(statement):
            yield from straight(statement.body)
        if _leaves(statement):
            return


def _over_literal(loop: ast.For) -> bool:
    return isinstance(loop.iter, ast.List | ast.Tuple) and bool(loop.iter.elts)


def _leaves(statement: ast.stmt) -> bool:
    """Whether a statement may end the test or the loop before the ones that follow."""
    if isinstance(statement, Function | ast.ClassDef):
        return False
    return any(isinstance(node, ast.Return | ast.Break | ast.Continue) for node in ast.walk(statement))


def assigned(function: Function) -> dict[str, list[ast.expr]]:
    """Names that the test assigns exactly once, to a value that holds constants."""
    stores = [
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    found: dict[str, list[ast.expr]] = {}
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if stores.count(name) == 1:
                found[name] = [statement.value]
    return found


def parameters(function: Function) -> dict[str, list[ast.expr]]:
    """Names that ``pytest.mark.parametrize`` gives values, with the values."""
    found: dict[str, list[ast.expr]] = {}
    for mark in function.decorator_list:
        if not (isinstance(mark, ast.Call) and name_of(mark.func) == "parametrize" and len(mark.args) >= 2):
            continue
        names, rows = _parameter_names(mark.args[0]), mark.args[1]
        for row in rows.elts if isinstance(rows, ast.List | ast.Tuple) else ():
            cells = [row]
            if isinstance(row, ast.Call) and name_of(row.func) == "param":
                cells = list(row.args)
            elif len(names) > 1 and isinstance(row, ast.Tuple | ast.List):
                cells = list(row.elts)
            for name, cell in zip(names, cells, strict=False):
                found.setdefault(name, []).append(cell)
    return found


def _parameter_names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [name.strip() for name in node.value.split(",")]
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def constructs(function: ast.expr) -> bool:
    """Whether a call makes a value of its arguments, by the look of its name."""
    name = name_of(function)
    return name[:1].isupper() or name in _CONSTRUCTORS or name == "approx"


def name_of(node: ast.expr) -> str:
    """The last part of a (dotted) name; "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
