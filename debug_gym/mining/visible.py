"""What of the tests the agent sees: the full ones are hidden, and about half of those that fail are shown."""

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Split:
    """The tests of a task in two parts."""

    shown: dict[str, str]
    """Path to the text of a test file as the agent gets it."""
    hidden: dict[str, bytes]
    """Path to content that only the judge has."""
    shown_failing: tuple[str, ...]
    """Ids of the failing tests that the agent can run."""


def split(files: Mapping[str, bytes | None], failing: Sequence[str], unwanted: Collection[str] = ()) -> Split:
    """Divide test files.

    Args:
        files: the test files that come with the fix, and those of the failing tests.
        failing: ids of the tests that fail without the fix. Half of their functions, rounded down, is shown.
        unwanted: ids of tests that are not shown since they pass neither before nor after, or ask for more.
    """
    functions = list(dict.fromkeys(test.partition("[")[0] for test in failing))
    shown_functions = functions[: len(functions) // 2]
    away = {*functions[len(shown_functions) :], *(test.partition("[")[0] for test in unwanted)}
    shown = {}
    for path in dict.fromkeys(test.partition("::")[0] for test in failing):
        content = files.get(path)
        if content is not None:
            shown[path] = without(content.decode(), [test for test in away if test.startswith(f"{path}::")])
    hidden = {path: content for path, content in files.items() if content is not None}
    visible = tuple(test for test in failing if test.partition("[")[0] in shown_functions)
    return Split(shown, hidden, visible)


def without(text: str, tests: Collection[str]) -> str:
    """The text of a test file without some test functions, given by their ids.

    A class that has nothing left holds ``pass``.
    """
    names = {tuple(test.split("::")[1:]) for test in tests}
    lines = text.split("\n")
    tree = ast.parse(text)
    for node, indent in sorted(_cuts(tree.body, (), names), key=lambda cut: -cut[0].lineno):
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        end = node.end_lineno or node.lineno
        if indent is None:
            while end < len(lines) and not lines[end].strip():  # the empty lines after it
                end += 1
        lines[first - 1 : end] = [] if indent is None else [f"{indent}pass"]
    return "\n".join(lines).rstrip("\n") + "\n"


def _cuts(
    body: Sequence[ast.stmt], above: tuple[str, ...], names: Collection[tuple[str, ...]]
) -> list[tuple[_Named, str | None]]:
    """The functions to take out, with the indentation of ``pass`` where one has to stand in their place."""
    mine = [node for node in body if isinstance(node, _Named) and (*above, node.name) in names]
    found: list[tuple[_Named, str | None]] = [(node, None) for node in mine]
    if above and len(mine) == len(body) and mine:
        found[0] = mine[0], " " * mine[0].col_offset
    for node in body:
        if isinstance(node, ast.ClassDef) and node not in mine:
            found += _cuts(node.body, (*above, node.name), names)
    return found


def node_of(tree: ast.Module, test: str) -> ast.AST:
    """The part of a file that is a test; the whole where it is not found."""
    found: ast.AST = tree
    for name in test.partition("[")[0].split("::")[1:]:
        named = (
            node for node in ast.iter_child_nodes(found) if isinstance(node, _Named) and node.name == name
        )
        found = next(named, found)
    return found


def code_of(text: str, test: str) -> str:
    """The code of a test, given by its id; the text of its file where it is not found there, as of one that
    is generated or inherited."""
    try:
        return ast.get_source_segment(text, node_of(ast.parse(text), test)) or text
    except (SyntaxError, ValueError):
        return text
