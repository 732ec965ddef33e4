"""Questions about a repository from its syntax trees, call sites and messages: no model is needed.

Each fact is asked in three ways. The last of them is kept out of training: it measures what was learned.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from debug_gym.knowledge.chunks import DOCS, Chunk, headings, parsed, read_text

LEARNED = 2
"""Phrasings of each fact that are trained on; those after them are held out."""
LONGEST = 300
"""Characters of an answer."""
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

PHRASINGS: Mapping[str, tuple[str, str, str]] = {
    "parameters": (
        "Which parameters does `{name}` in `{path}` take?",
        "Write the signature of `{name}` from `{path}`.",
        "How is `{name}` of `{path}` called: what are its parameters?",
    ),
    "returns": (
        "What does `{name}` in `{path}` return?",
        "Which expression does `{name}` from `{path}` give back?",
        "What is the result of `{name}` of `{path}`?",
    ),
    "purpose": (
        "What is `{name}` in `{path}` for?",
        "Describe `{name}` from `{path}` in a sentence.",
        "Explain `{name}` of `{path}`.",
    ),
    "raises": (
        "Which exceptions does `{name}` in `{path}` raise?",
        "Which errors come from `{name}` in `{path}`?",
        "What can `{name}` of `{path}` raise?",
    ),
    "calls": (
        "Which functions does `{name}` in `{path}` call?",
        "What is used by `{name}` from `{path}`?",
        "On which functions does `{name}` of `{path}` depend?",
    ),
    "callers": (
        "Who calls `{name}` in `{path}`?",
        "Where in `{path}` is `{name}` used?",
        "Which functions of `{path}` depend on `{name}`?",
    ),
    "value": (
        "What is the value of `{name}` in `{path}`?",
        "To what is `{name}` set in `{path}`?",
        "Which value has `{name}` of `{path}`?",
    ),
    "members": (
        "Which methods has the class `{name}` in `{path}`?",
        "List the methods of `{name}` from `{path}`.",
        "What can be called on a `{name}` of `{path}`?",
    ),
    "file": (
        "In which file is `{name}` defined?",
        "Where is `{name}`?",
        "Which file holds the definition of `{name}`?",
    ),
    "traceback": (
        "A traceback ends with `{name}`. Where does it come from?",
        "Which function raises `{name}`?",
        "The tests fail with `{name}`. In which function is that raised?",
    ),
    "section": (
        "What does the section `{name}` of `{path}` say?",
        "How does `{name}` in `{path}` begin?",
        "What can be read under `{name}` in `{path}`?",
    ),
    "summary": (
        "What is in `{path}`, lines {name}?",
        "Summarise lines {name} of `{path}`.",
        "What do lines {name} of `{path}` define?",
    ),
}


class Question(BaseModel):
    """A question about one chunk, and the answer that the chunk gives."""

    model_config = ConfigDict(frozen=True)

    chunk: Chunk
    kind: str
    """A key of :data:`PHRASINGS`, or ``model`` where a model asked."""
    subject: str
    """What it is about, as ``path:name``: with ``kind`` it says which fact."""
    question: str
    answer: str
    held_out: bool = False
    """Whether it must not be trained on: it measures what was learned."""


class Fact(NamedTuple):
    """Something that the lines from ``line`` to ``end`` say."""

    kind: str
    name: str
    answer: str
    line: int
    end: int


def questions_about(chunks: Iterable[Chunk], root: Path) -> Iterator[Question]:
    """Each fact in every phrasing, chunk by chunk; a fact belongs to a chunk that holds all of its lines.

    Args:
        chunks: of one file after the other (:func:`~debug_gym.knowledge.chunks.chunks_of`).
        root: the repository.
    """
    path, facts = "", list[Fact]()
    for chunk in chunks:
        if chunk.path != path:
            path, facts = chunk.path, _facts(root, chunk.path)
        inside = [fact for fact in facts if chunk.start <= fact.line and fact.end <= chunk.end]
        for fact in (*inside, *_summary(chunk, inside)):
            for at, phrasing in enumerate(PHRASINGS[fact.kind]):
                yield Question(
                    chunk=chunk,
                    kind=fact.kind,
                    subject=f"{chunk.path}:{fact.name}",
                    question=phrasing.format(name=fact.name, path=chunk.path),
                    answer=fact.answer,
                    held_out=at >= LEARNED,
                )


def _facts(root: Path, path: str) -> list[Fact]:
    text, kind = read_text(root / path) or "", Path(path).suffix.lower()
    if kind in DOCS:
        found = _sections(text)
    elif kind == ".py":
        found = _Definitions(parsed(text), path).facts()
    else:
        found = []
    return [fact for fact in found if fact.answer and len(fact.answer) <= LONGEST]


def _summary(chunk: Chunk, facts: Sequence[Fact]) -> list[Fact]:
    """What a chunk defines: the names whose place is asked for."""
    names = [f"`{fact.name}`" for fact in facts if fact.kind in {"file", "section", "value"}]
    lines = f"{chunk.start} to {chunk.end}"
    return [Fact("summary", lines, ", ".join(names)[:LONGEST], chunk.start, chunk.end)] if names else []


def _sections(text: str) -> list[Fact]:
    """Headings and the first sentence under each."""
    found = []
    lines = text.splitlines()
    starts = list(headings(lines))
    for (at, title, after), following in zip(starts, [*starts[1:], None], strict=True):
        stop = following[0] if following else len(lines)
        body = [line for line in range(after, min(stop, after + 8)) if lines[line].strip()]
        if body and not lines[body[0]].startswith(("```", "|", "..")):
            found.append(Fact("section", title, _sentence(lines[body[0]]), at + 1, body[0] + 1))
    return found


class _Definitions:
    """The facts of one module."""

    def __init__(self, tree: ast.Module, file: str) -> None:
        self.tree, self.file = tree, file
        self.functions = list(_functions(tree))
        self.names = {name.split(".")[-1] for name, _ in self.functions}

    def facts(self) -> list[Fact]:
        """All of them."""
        found = [fact for name, node in self.functions for fact in self._function(name, node)]
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef):
                found += self._class(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                found += _constant(node)
        return sorted([*found, *self._callers()], key=lambda fact: (fact.line, fact.kind, fact.name))

    def _function(self, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Fact]:
        line, end = node.lineno, node.end_lineno or node.lineno
        returned = [ast.unparse(one.value) for one in _own(node) if isinstance(one, ast.Return) and one.value]
        raised = [one.exc for one in _own(node) if isinstance(one, ast.Raise) and one.exc]
        called = sorted(_called(node) & self.names - {node.name})
        doc = ast.get_docstring(node)
        yield Fact("file", name, f"`{self.file}`", line, line)
        yield Fact("parameters", name, f"`{node.name}({ast.unparse(node.args)})`", line, line)
        yield Fact("returns", name, _listed(returned), line, end)
        yield Fact("raises", name, _listed([_exception(one) for one in raised]), line, end)
        yield Fact("calls", name, _listed(called), line, end)
        yield Fact("purpose", name, _sentence(doc or ""), line, end)
        for one in raised:
            if text := _message(one):
                yield Fact("traceback", text, f"`{name}` in `{self.file}`", line, end)

    def _class(self, node: ast.ClassDef) -> Iterator[Fact]:
        end = node.end_lineno or node.lineno
        methods = [one.name for one in node.body if isinstance(one, _FUNCTION) and one.name[0] != "_"]
        yield Fact("file", node.name, f"`{self.file}`", node.lineno, node.lineno)
        yield Fact("members", node.name, _listed(methods), node.lineno, end)
        yield Fact("purpose", node.name, _sentence(ast.get_docstring(node) or ""), node.lineno, end)

    def _callers(self) -> Iterator[Fact]:
        """Call sites within the file; the fact stretches over all of them."""
        for name, node in self.functions:
            users = [(other, one) for other, one in self.functions if one is not node]
            users = [(other, one) for other, one in users if node.name in _called(one)]
            if users and "." not in name:
                nodes = [node, *(one for _, one in users)]
                lines = [one.lineno for one in nodes], [one.end_lineno or one.lineno for one in nodes]
                yield Fact(
                    "callers", name, _listed([other for other, _ in users]), min(lines[0]), max(lines[1])
                )


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of a module and methods of its classes, with their names."""
    for node in tree.body:
        if isinstance(node, _FUNCTION):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for one in node.body:
                if isinstance(one, _FUNCTION) and not (one.name[:2] == "__" and one.name != "__init__"):
                    yield f"{node.name}.{one.name}", one


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (*_FUNCTION, ast.Lambda, ast.ClassDef)):
            yield from _own(child)


def _called(node: ast.AST) -> set[str]:
    functions = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return {one.id for one in functions if isinstance(one, ast.Name)} | {
        one.attr
        for one in functions
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self"
    }


def _exception(raised: ast.expr) -> str:
    return ast.unparse(raised.func if isinstance(raised, ast.Call) else raised)


def _message(raised: ast.expr) -> str | None:
    """The last line of a traceback, where the message is a plain text."""
    if isinstance(raised, ast.Call) and raised.args:
        first = raised.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            return f"{_exception(raised)}: {first.value}"
    return None


def _constant(node: ast.Assign | ast.AnnAssign) -> list[Fact]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None or len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return []
    end = node.end_lineno or node.lineno
    return [Fact("value", targets[0].id, f"`{ast.unparse(node.value)}`", node.lineno, end)]


def _listed(items: Sequence[str]) -> str:
    return ", ".join(f"`{item}`" for item in dict.fromkeys(items))


def _sentence(text: str) -> str:
    """The first sentence, on one line."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", " ".join(text.split()), maxsplit=1)[0]
