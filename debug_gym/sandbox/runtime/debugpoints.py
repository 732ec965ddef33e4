"""pdb's breakpoint commands, for a debugger that nobody can ask back: they check before they set, say what is
wrong, and know files relative to the workspace. They work with no program running, too."""

from __future__ import annotations

import ast
import bdb
import inspect
import os
import pdb
from types import CodeType
from typing import Any, Dict, FrozenSet, List, Optional, Tuple, Union

from .debugview import Places, Sources
from .debugwatch import code_lines

RESUMING = frozenset("c cont continue s step n next r return unt until j jump q quit exit".split())
_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


class SourceMap:
    """Where breakpoints can be set in one file."""

    def __init__(self, text: str, filename: str) -> None:
        self.lines: FrozenSet[int] = frozenset()
        """The lines that hold code."""
        self.functions: Dict[str, int] = {}
        """Qualified name of each function to the first line of its body."""
        self.problem = ""
        """Why the file cannot be compiled."""
        try:
            tree = ast.parse(text, filename)
            code = compile(text, filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            self.problem = str(error)
            return
        self._find_functions(tree, "")
        todo: List[CodeType] = [code]
        lines: set[int] = set()
        while todo:
            code = todo.pop()
            lines |= code_lines(code)
            todo.extend(const for const in code.co_consts if isinstance(const, CodeType))
        self.lines = frozenset(line for line in lines if line > 0)

    def _find_functions(self, node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions.setdefault(prefix + child.name, _first_line(child))
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            self._find_functions(child, prefix + child.name + "." if named else prefix)  # type: ignore[attr-defined]

    def function(self, name: str) -> Optional[int]:
        """The first line of the body of a function, by its qualified name or, if that is unknown, its name."""
        if name in self.functions:
            return self.functions[name]
        return next((line for known, line in self.functions.items() if known.endswith("." + name)), None)


def _first_line(node: _Function) -> int:
    """The first line of a function's body that holds code: a docstring holds none."""
    first = node.body[0]
    if len(node.body) > 1 and isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
        first = node.body[1]
    decorators = getattr(first, "decorator_list", [])
    return min([first.lineno, *[item.lineno for item in decorators]])


class BreakpointCommands(pdb.Pdb):
    """The commands ``b``, ``tbreak``, ``cl``, ``condition``, ``commands``, and the state behind them."""

    def __init__(self, places: Places, sources: Sources, stdin: Any, stdout: Any) -> None:
        super().__init__(stdin=stdin, stdout=stdout, nosigint=True, readrc=False)
        self.places, self.sources = places, sources
        self.scripts: Dict[int, List[str]] = {}
        """Breakpoint number to the commands that run when it stops the program."""
        self._maps: Dict[str, SourceMap] = {}

    # -- state ---------------------------------------------------------------------------

    def restore(self, entries: List[Dict[str, Any]]) -> None:
        """Set breakpoints as ``report`` gave them, under the same numbers."""
        for entry in sorted(entries, key=lambda item: int(item["number"])):
            number, path = int(entry["number"]), os.path.join(self.places.workspace, entry["file"])
            while len(bdb.Breakpoint.bpbynumber) < number:
                bdb.Breakpoint.bpbynumber.append(None)
            bdb.Breakpoint.next = number
            self.sources.lines(path)
            problem = self.set_break(path, entry["line"], bool(entry["temporary"]), entry["condition"])
            if problem:
                self.error("breakpoint %d is gone: %s" % (number, problem))
                continue
            point = self.get_bpbynumber(number)
            point.enabled, point.ignore, point.hits = entry["enabled"], entry["ignore"], entry["hits"]
            if entry["commands"]:
                self.scripts[number] = list(entry["commands"])

    def points(self) -> List[bdb.Breakpoint]:
        """All breakpoints, by number."""
        return [point for point in bdb.Breakpoint.bpbynumber if point is not None]

    def report(self) -> List[Dict[str, Any]]:
        """All breakpoints as plain data."""
        return [
            {
                "number": point.number,
                "file": self.places.short(point.file),
                "line": point.line,
                "condition": point.cond,
                "temporary": bool(point.temporary),
                "enabled": bool(point.enabled),
                "ignore": point.ignore,
                "hits": point.hits,
                "commands": self.scripts.get(point.number, []),
            }
            for point in self.points()
        ]

    # -- where a breakpoint goes ----------------------------------------------------------

    def source_map(self, filename: str) -> SourceMap:
        """Where breakpoints can be set in a file."""
        if filename not in self._maps:
            self._maps[filename] = SourceMap("".join(self.sources.lines(filename)), filename)
        return self._maps[filename]

    def find_file(self, name: str) -> str:
        """The absolute path of a file named by the agent: in the workspace, else on ``sys.path``.

        Raises ``ValueError`` if there is none.
        """
        path = os.path.join(self.places.workspace, name)
        for candidate in (path, path + ".py"):
            if os.path.isfile(candidate):
                return os.path.normpath(candidate)
        found = self.lookupmodule(name)
        if not found or not os.path.isfile(found):
            raise ValueError("there is no file %s in the workspace or on sys.path" % name)
        return os.path.abspath(found)

    def defaultFile(self) -> str:  # noqa: N802 - pdb's name
        """The file of the current frame."""
        if self.curframe is None:
            raise ValueError("no program runs, so there is no current file: name it, as in  b path/to/file.py:12")
        return self.canonic(super().defaultFile())

    def locate(self, place: str) -> Tuple[str, int]:
        """The file and line that ``[file:]line`` or ``[file:]function`` stands for.

        Raises ``ValueError`` with the reason if no breakpoint can be there.
        """
        name, colon, rest = place.rpartition(":")
        if colon:
            filename = self.find_file(name.strip())
        elif rest.strip().isdigit():
            filename = self.defaultFile()
        else:
            return self._locate_function(rest.strip())
        rest = rest.strip()
        if not rest.isdigit():
            line = self.source_map(filename).function(rest)
            if line is None:
                raise ValueError("there is no function %s in %s" % (rest, self.places.short(filename)))
            return filename, line
        line = int(rest)
        self._check_line(filename, line)
        return filename, line

    def _locate_function(self, name: str) -> Tuple[str, int]:
        """A function by an expression in the current frame, or as ``module.function``, not imported yet."""
        if self.curframe is not None:
            try:
                thing = inspect.unwrap(eval(name, self.curframe.f_globals, self.curframe.f_locals))
                code = getattr(getattr(thing, "__func__", thing), "__code__", None)
            except Exception:
                code = None
            if isinstance(code, CodeType):
                filename = self.canonic(code.co_filename)
                body = [line for line in code_lines(code) if line > code.co_firstlineno]
                return filename, self.source_map(filename).function(code.co_name) or min(body, default=0)
        parts = name.split(".")
        for split in range(len(parts) - 1, 0, -1):
            try:
                filename = self.find_file("/".join(parts[:split]))
            except ValueError:
                continue
            line = self.source_map(filename).function(".".join(parts[split:]))
            if line is not None:
                return filename, line
        if self.curframe is not None:
            filename = self.defaultFile()
            line = self.source_map(filename).function(name)
            if line is not None:
                return filename, line
        raise ValueError("there is no function or file %r; say  b path/to/file.py:12  or  b file.py:function" % name)

    def _check_line(self, filename: str, line: int) -> None:
        lines = self.sources.lines(filename)
        short = self.places.short(filename)
        if not 1 <= line <= len(lines):
            raise ValueError("%s ends at line %d, there is no line %d" % (short, len(lines), line))
        text = lines[line - 1].strip()
        if not text or text.startswith("#"):
            what = "a comment" if text else "blank"
            raise ValueError("line %d of %s is %s%s" % (line, short, what, self._nearest(filename, line)))
        known = self.source_map(filename)
        if known.problem:
            raise ValueError("%s cannot be compiled: %s" % (short, known.problem))
        if line not in known.lines:
            why = "line %d of %s starts no statement, so the program never stops there"
            raise ValueError(why % (line, short) + self._nearest(filename, line))

    def _nearest(self, filename: str, line: int) -> str:
        later = [known for known in self.source_map(filename).lines if known > line]
        return "; the next line with code is %d" % min(later) if later else ""

    # -- commands ---------------------------------------------------------------------------

    def do_break(self, arg: str, temporary: Any = False) -> None:
        """b(reak) [[file:](line | function) [, condition]]: set a breakpoint; alone, list them all."""
        if not arg:
            self._list()
            return
        place, _, condition = arg.partition(",")
        condition = condition.strip()
        try:
            if condition:
                self._check_condition(condition)
            filename, line = self.locate(place.strip())
        except ValueError as error:
            self.error(str(error))
            return
        twins = [point for point in self.get_breaks(filename, line) if bool(point.temporary) == bool(temporary)]
        if twins:
            self._set_again(twins[0], condition)
            return
        problem = self.set_break(filename, line, bool(temporary), condition or None)
        if problem:
            self.error(problem)
            return
        point = self.get_breaks(filename, line)[-1]
        kind = "Temporary breakpoint" if temporary else "Breakpoint"
        self.message("%s %d at %s" % (kind, point.number, self._place(point)))

    do_b = do_break  # type: ignore[assignment]

    def do_tbreak(self, arg: str) -> None:
        """tbreak [file:](line | function) [, condition]: a breakpoint that goes when it is first hit."""
        self.do_break(arg, True)

    def _set_again(self, point: bdb.Breakpoint, condition: str) -> None:
        """There is one already: only a new condition changes anything."""
        name = "breakpoint %d at %s" % (point.number, self._place(point))
        if condition and condition != point.cond:
            point.cond = condition
            self.message("%s existed; it now stops only if %s" % (name.capitalize(), condition))
        else:
            only = " (stops only if %s)" % point.cond if point.cond else ""
            self.message("Nothing to do: there is a %s already%s" % (name, only))

    @staticmethod
    def _check_condition(condition: str) -> None:
        try:
            compile(condition, "<condition>", "eval")
        except SyntaxError as error:
            raise ValueError("the condition %r is no expression: %s" % (condition, error.msg)) from None

    def _place(self, point: bdb.Breakpoint) -> str:
        return "%s:%d" % (self.places.short(point.file), point.line)

    def _list(self) -> None:
        points = self.points()
        if not points:
            self.message("There are no breakpoints.")
            return
        self.message("Num Type         Disp Enb   Where")
        for point in points:
            kept, enabled = "del " if point.temporary else "keep", "yes" if point.enabled else "no "
            self.message("%-4dbreakpoint   %s %s   at %s" % (point.number, kept, enabled, self._place(point)))
            if point.cond:
                self.message("\tstop only if %s" % point.cond)
            if point.ignore:
                self.message("\tignore next %d hits" % point.ignore)
            if point.hits:
                self.message("\tbreakpoint already hit %d time%s" % (point.hits, "s" if point.hits > 1 else ""))
            for line in self.scripts.get(point.number, []):
                self.message("\t    " + line)

    def do_clear(self, arg: str) -> None:
        """cl(ear) [file:line | number ...]: delete breakpoints; alone, delete all, without asking."""
        place, colon, line = arg.rpartition(":")
        doomed: List[bdb.Breakpoint] = [] if arg else self.points()
        try:
            if colon:
                if not line.strip().isdigit():
                    raise ValueError("say  cl file.py:line  or  cl number")
                filename = self.find_file(place.strip())
                doomed = list(self.get_breaks(filename, int(line)))
                if not doomed:
                    raise ValueError("there is no breakpoint at %s:%s" % (self.places.short(filename), line.strip()))
            elif not arg and not doomed:
                raise ValueError("there are no breakpoints")
        except ValueError as error:
            self.error(str(error))
            return
        for number in [] if colon else arg.split():
            try:
                doomed.append(self.get_bpbynumber(number))
            except ValueError as error:
                self.error(str(error))
        for point in doomed:
            self.clear_bpbynumber(point.number)
            self.scripts.pop(point.number, None)
            self.message("Deleted breakpoint %d at %s" % (point.number, self._place(point)))

    do_cl = do_clear

    def do_enable(self, arg: str) -> None:
        """enable number [number ...]: let breakpoints stop the program again."""
        self._switch(arg, True)

    def do_disable(self, arg: str) -> None:
        """disable number [number ...]: keep breakpoints, but do not stop at them."""
        self._switch(arg, False)

    def _switch(self, arg: str, enabled: bool) -> None:
        for number in arg.split() or [""]:
            try:
                point = self.get_bpbynumber(number)
            except ValueError as error:
                self.error(str(error))
                continue
            point.enabled = enabled
            done = "Enabled" if enabled else "Disabled"
            self.message("%s breakpoint %d at %s" % (done, point.number, self._place(point)))

    def do_condition(self, arg: str) -> None:
        """condition number [expression]: stop there only if the expression is true; alone, always."""
        try:
            if len(arg.split()) > 1:
                self._check_condition(arg.split(None, 1)[1])
        except ValueError as error:
            self.error(str(error))
            return
        super().do_condition(arg)

    def do_commands(self, arg: str) -> None:
        """commands [number], then one command a line, then ``end``: what to do each time it stops there.

        All lines come in one call. ``silent`` as the first line leaves out where the program stopped; a
        command that resumes the program (``c``) is the last. With no commands, those that it has are removed.
        """
        number = arg.strip() or str(len(bdb.Breakpoint.bpbynumber) - 1)
        try:
            point = self.get_bpbynumber(number)
        except ValueError as error:
            self.error("cannot set commands: %s" % error)
            return
        lines: List[str] = []
        line = self.take_line()
        if line is None:
            self.error("give the commands in the same call, one a line, and then a line `end`")
            return
        while line is not None and line.strip() != "end":
            lines.append(line.strip())
            if line.split()[0] in RESUMING:
                self.take_line("end")
                break
            line = self.take_line()
        self.scripts.pop(point.number, None)
        if lines:
            self.scripts[point.number] = lines
        count = "%d command%s" % (len(lines), "" if len(lines) == 1 else "s") if lines else "no commands"
        self.message("Breakpoint %d at %s runs %s" % (point.number, self._place(point), count))

    def take_line(self, only: Optional[str] = None) -> Optional[str]:
        """The next line of the text that is being executed (``only`` that one, if named); None at its end."""
        raise NotImplementedError
