"""What a trace is to record: the entries as the agent writes them, and the code objects that they mean."""

from __future__ import annotations

import ast
import difflib
import io
import re
import sys
import tokenize
from types import CodeType
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from ..debug.line_watch import code_lines
from .source import COMPREHENSIONS, Source, Unit, is_function
from .stores import assigned_names, parameter_names, stores

_POINT = re.compile(r"(.+?):\s*(\d+)(?!\w)\s*(.*)", re.DOTALL)
_CONDITION = re.compile(r"(.*?)\s+if\s+(.*)", re.DOTALL)
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_POINT_FORM = 'write it as "calc.py:12: total, x" or "calc.py:12 if n > 3: total"'
_MANY = 20
"""More functions than this cannot be meant by one name."""

Key = Tuple[str, str, int]
"""File, name and first line: what a code object is known by before it exists."""


class Spec:
    """One entry of the request: a point, a function or a name."""

    def __init__(self, number: int, text: str) -> None:
        self.number, self.text = number, text
        self.condition: Optional[CodeType] = None
        self.shown: List[Tuple[str, CodeType]] = []
        """Expressions to evaluate: source and code. None at a point: all local variables."""
        self.names: Set[str] = set()
        """The names that the condition and the expressions use."""

    def set_condition(self, text: str) -> None:
        """Record only where this expression is true. Raises ``SyntaxError``."""
        (_, self.condition, names), *more = _expressions(text)
        if more:
            raise SyntaxError("it is a tuple")
        self.names |= names

    def show(self, text: str) -> None:
        """Evaluate these expressions, separated by commas. Raises ``SyntaxError``."""
        for source, code, names in _expressions(text):
            self.shown.append((source, code))
            self.names |= names


class CodePlan:
    """What to record in one code object."""

    def __init__(self, unit: Unit, file: str) -> None:
        self.name, self.file = unit.qualname or "<module>", file
        self.lines: Dict[int, List[Spec]] = {}
        self.ends: Dict[int, int] = {}
        """Those of the lines that begin a statement of several lines, with its last line."""
        self.calls: List[Spec] = []
        self.names: List[Spec] = []
        """Assignments: ``shown`` holds the name alone."""


class Plan:
    """All that one run records. ``problems`` says, a sentence each, what is wrong with the entries."""

    def __init__(self, workspace: str, request: Dict[str, Any]) -> None:
        self.source = Source(workspace)
        self.specs: List[Spec] = []
        self.problems: List[str] = []
        self.codes: Dict[Key, CodePlan] = {}
        for kind, take in (
            ("points", self._point),
            ("calls", self._call),
            ("assignments", self._assignment),
        ):
            for text in request[kind]:
                spec = Spec(len(self.specs), text)
                self.specs.append(spec)
                try:
                    take(spec, text.strip())
                except ValueError as error:
                    self.problems.append("%s %r: %s" % (kind[:-1], text, error))

    @property
    def files(self) -> FrozenSet[str]:
        """The real paths of the files that hold something to record."""
        return frozenset(key[0] for key in self.codes)

    def _at(self, unit: Unit) -> CodePlan:
        key = (unit.path, unit.code.co_name, unit.code.co_firstlineno)
        if key not in self.codes:
            self.codes[key] = CodePlan(unit, self.source.short(unit.path))
        return self.codes[key]

    def _point(self, spec: Spec, text: str) -> None:
        found = _POINT.fullmatch(text)
        if not found:
            raise ValueError("it names no file and line; " + _POINT_FORM)
        path, line = self.source.find_file(found.group(1).strip()), int(found.group(2))
        _read_clauses(spec, found.group(3).strip())
        known = self.source.map(path)
        line = known.definitions.get(line, line)
        units = [unit for unit in self.source.units(path) if line in code_lines(unit.code)]
        if line not in known.lines or not units:
            why = "line %d of %s holds no code" % (line, self.source.short(path))
            near = min(known.lines, key=lambda other: (abs(other - line), -other), default=None)
            raise ValueError(why if near is None else why + "; the nearest line that does is %d" % near)
        for unit in _meant(units, spec.names):
            plan = self._at(unit)
            plan.lines.setdefault(line, []).append(spec)
            plan.ends.update(self.source.spans(path, line))

    def _call(self, spec: Spec, text: str) -> None:
        found = _CONDITION.fullmatch(text)
        if found:
            text = found.group(1)
            try:
                spec.set_condition(found.group(2))
            except SyntaxError as error:
                raise ValueError("its condition is no expression: %s" % error.msg) from None
        units = [unit for unit in self._scope(text, functions=True) if is_function(unit.code)]
        if not units:
            raise ValueError("it holds no function")
        for unit in units:
            self._at(unit).calls.append(spec)

    def _assignment(self, spec: Spec, text: str) -> None:
        if sys.version_info < (3, 7):
            raise ValueError("assignments are recorded from Python 3.7 on: record points after them instead")
        scope, colon, name = text.rpartition(":")
        name = name.strip()
        if not colon or not _NAME.fullmatch(name):
            raise ValueError(
                'write it as "calc.mean:total" or "Stack:self.items": a function, class, module or file, '
                "a colon, and the name"
            )
        spec.show(name)
        units = self._scope(scope.strip(), functions=False)
        fitting = [unit for unit in units if name in parameter_names(unit.code) or stores(unit.code, name)[0]]
        if not fitting:
            known = set().union(*(assigned_names(unit.code) for unit in units))
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6) or sorted(known)[:8]
            hint = "; it assigns %s" % ", ".join(near) if near else ""
            raise ValueError("nothing in %s assigns %s%s" % (scope.strip(), name, hint))
        for unit in fitting:
            self._at(unit).names.append(spec)

    def _scope(self, name: str, *, functions: bool) -> List[Unit]:
        """What a function, class, module or file holds; itself, too."""
        tops = self.source.named(name)
        if functions and any(is_function(unit.code) for unit in tops):
            return [unit for unit in tops if is_function(unit.code)]  # not the functions inside of it
        if not tops:
            raise ValueError("there is no Python function, class or module of that name" + self._near(name))
        if len(tops) > _MANY:
            some = ", ".join(unit.name for unit in tops[:3])
            raise ValueError("%d things have this name (%s, ...): say which" % (len(tops), some))
        return [unit for top in tops for unit in self.source.units(top.path) if unit.inside(top)]

    def _near(self, name: str) -> str:
        """A question whether one of the names was meant that are like this one."""
        tails = {tail: full for full in self.source.all_names() for tail in _tails(full)}
        near: Dict[str, str] = {}
        for tail in difflib.get_close_matches(name[:200], list(tails), n=9, cutoff=0.7):
            near.setdefault(tails[tail], tail)
        return "; did you mean %s?" % " or ".join(list(near.values())[:3]) if near else ""


def _tails(name: str) -> List[str]:
    """``a.b.c``, ``b.c`` and ``c``, the longest last."""
    parts = name.split(".")
    return [".".join(parts[first:]) for first in range(len(parts) - 1, -1, -1)]


def _read_clauses(spec: Spec, rest: str) -> None:
    """``: expressions``, ``if condition``, ``if condition: expressions`` or nothing."""
    try:
        if rest.startswith(":"):
            spec.show(rest[1:])
        elif rest.startswith("if "):
            _read_condition(spec, rest[3:])
        elif rest:
            raise ValueError("what follows the line number is not understood; " + _POINT_FORM)
    except SyntaxError as error:
        shown = rest[1:].strip() if rest.startswith(":") else rest
        raise ValueError("%r is no expression: %s" % (shown, error.msg)) from None


def _read_condition(spec: Spec, text: str) -> None:
    """The condition ends at the first colon at which both sides are expressions (a slice has colons, too)."""
    for at in (found.start() for found in re.finditer(":", text)):
        trial = Spec(spec.number, spec.text)
        try:
            trial.set_condition(text[:at])
            trial.show(text[at + 1 :])
        except SyntaxError:
            continue
        spec.__dict__.update(trial.__dict__)
        return
    spec.set_condition(text.rstrip().rstrip(":"))


def _expressions(text: str) -> List[Tuple[str, CodeType, Set[str]]]:
    """Source, code and names of expressions that are separated by commas. Raises ``SyntaxError``."""
    if not text.strip():
        raise SyntaxError("it is empty")
    wrapped = "(%s\n,)" % text.strip().rstrip(",")
    try:
        tree = ast.parse(wrapped, "<trace>", "eval").body
        if not isinstance(tree, ast.Tuple):
            raise SyntaxError("invalid syntax")
        found = []
        for number, node in enumerate(tree.elts):
            source = " ".join(_segment(wrapped, tree.elts, number).split())
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            found.append((source, compile(ast.Expression(node), "<trace>", "eval"), names))
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None
    return found


def _segment(text: str, nodes: Sequence[ast.expr], number: int) -> str:
    """What stands in a text for one of several expressions."""
    if hasattr(ast, "get_source_segment"):
        return ast.get_source_segment(text, nodes[number]) or ""
    commas, depth = [0], 0  # Python 3.7 does not know where an expression ends
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
        if token.string == "," and depth == 1:
            commas.append(sum(map(len, text.splitlines(True)[: token.start[0] - 1])) + token.start[1])
    parts = [text[start + 1 : end].strip() for start, end in zip(commas, commas[1:])]
    return parts[number] if len(parts) == len(nodes) else text[1:-3].strip()


def _meant(units: Sequence[Unit], names: Set[str]) -> List[Unit]:
    """Those of the code objects that share a line in which the expressions make sense: with most of their
    names as local variables; else the innermost that is no comprehension."""

    def known(unit: Unit) -> int:
        code = unit.code
        return len(names & {*code.co_varnames, *code.co_cellvars, *code.co_freevars})

    best = max(map(known, units))
    fitting = [unit for unit in units if known(unit) == best]
    plain = [unit for unit in fitting if unit.code.co_name not in COMPREHENSIONS] or fitting
    return [unit for unit in plain if not any(other is not unit and other.inside(unit) for other in plain)]
