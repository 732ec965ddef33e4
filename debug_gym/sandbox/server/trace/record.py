"""Writing down what a traced program does: which hits count, what the values are, one short line each."""

from __future__ import annotations

import builtins
import inspect
import itertools
import json
import os
import re
import reprlib
import sys
import threading
from types import CodeType, FrameType, ModuleType
from typing import Any, Callable, Dict, List, Optional, Set, Tuple, Union

from .plan import CodePlan, Spec
from .stores import parameter_names

Value = Tuple[str, str]
"""What was looked at, and its value in words."""

_MAX_ROW = 4_000
"""Bytes of a row: what a pipe takes in one piece, so that those of many threads and processes do not mix."""
_MAX_VALUE = 200
"""Characters of a value."""
_MAX_LOCALS = 12
"""Variables shown at a point that names none."""
_MAX_DEPTH = 2_000
"""Frames that are counted for the depth of a call."""
_get_ident, _getpid, _write = threading.get_ident, os.getpid, os.write
"""The real ones: a test may put others in their place."""
_encode = json.JSONEncoder(separators=(",", ":")).encode


class _Short(reprlib.Repr):
    """Python's abridged ``repr``, with dicts in their order and long bytes cut before they are rendered."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxdict = 12
        self.maxstring, self.maxlong, self.maxother = 100, 60, _MAX_VALUE

    def repr_dict(self, x: Dict[Any, Any], level: int) -> str:
        """See ``reprlib``."""
        if not x:
            return "{}"
        if level <= 0:
            return "{...}"
        shown = itertools.islice(x.items(), self.maxdict)
        parts = ["%s: %s" % (self.repr1(key, level - 1), self.repr1(item, level - 1)) for key, item in shown]
        return "{%s}" % ", ".join([*parts, "..."] if len(x) > self.maxdict else parts)

    def repr_bytes(self, x: bytes, level: int) -> str:
        """See ``reprlib``."""
        return builtins.repr(x[: self.maxstring]) + ("..." if len(x) > self.maxstring else "")

    def repr_bytearray(self, x: bytearray, level: int) -> str:
        """See ``reprlib``."""
        return builtins.repr(x[: self.maxstring]) + ("..." if len(x) > self.maxstring else "")

    def repr_instance(self, x: Any, level: int) -> str:
        """See ``reprlib``; cut at the end, where no address is torn."""
        return builtins.repr(x)


_short = _Short()


def render(thing: Any) -> str:
    """A value on one short line."""
    try:
        text = _short.repr(thing)
    except BaseException as error:
        text = "<%s, whose repr raises %s>" % (type(thing).__name__, describe(error))
    return _cut(re.sub(r"\s*\n\s*", " ", text), _MAX_VALUE)


def describe(error: BaseException) -> str:
    """An exception on one short line."""
    try:
        message = " ".join(str(error).split())
    except BaseException:
        message = ""
    return _cut(type(error).__name__ + (": " + message if message else ""), _MAX_VALUE)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


MAX_FOLLOWED = 50_000
"""Hits of an entry after which the last ones are no longer recorded, where the first ones are shown, too:
that takes 30 microseconds each."""


class Recorder:
    """Writes rows to a descriptor. ``counts`` has the hits of each entry, and outlives this process;
    ``short`` makes paths short.

    A row is a JSON list: entry, hit, kind, file, line, function, depth, thread, process, values, caller. The
    kinds are ``line``, ``call``, ``return``, ``raise``, ``yield`` and ``assign``.
    """

    def __init__(self, fd: int, counts: Any, hits: int, keep: str, short: Callable[[str], str]) -> None:
        self.fd, self.counts, self.short = fd, counts, short
        self._recorded = {"first": hits, "last": sys.maxsize, "both": max(hits, MAX_FOLLOWED)}[keep]
        self.traced: Set[int] = set()
        """Identities of the code objects whose calls are recorded."""
        self._open: Dict[int, List[Tuple[Spec, int]]] = {}
        """Identity of a running frame to the entries and hits of its call."""
        self._main, self._process = _get_ident(), _getpid()

    # -- what happens ----------------------------------------------------------------------------

    def line(self, spec: Spec, plan: CodePlan, frame: FrameType) -> None:
        """A line is about to run."""
        hit, values = self._hit(spec, frame)
        if hit:
            for text, code in spec.shown:
                values.append((text, self._look(code, frame)))
            self._row(spec, hit, "line", plan, frame, values if spec.shown else values + _locals(frame))

    def call(self, plan: CodePlan, frame: FrameType) -> None:
        """A function begins."""
        began = self._open[id(frame)] = []
        for spec in plan.calls:
            hit, values = self._hit(spec, frame)
            if hit:
                began.append((spec, hit))
                self._row(spec, hit, "call", plan, frame, values + _arguments(frame), self._caller(frame))

    def yielded(self, plan: CodePlan, frame: FrameType, value: str) -> None:
        """A generator yields: a hit of its own."""
        for spec, _ in self._open.get(id(frame), ()):
            hit, _ = self._hit(spec, frame, always=True)
            if hit:
                self._row(spec, hit, "yield", plan, frame, [("", value)])

    def returned(self, plan: CodePlan, frame: FrameType, value: Any) -> None:
        """A function returns."""
        for spec, hit in self._open.pop(id(frame), ()):
            self._row(spec, hit, "return", plan, frame, [("", render(value))])

    def raised(self, plan: CodePlan, frame: FrameType, error: Union[BaseException, str]) -> None:
        """An exception leaves a function."""
        for spec, hit in self._open.pop(id(frame), ()):
            shown = error if isinstance(error, str) else describe(error)
            self._row(spec, hit, "raise", plan, frame, [("", shown)])

    def assigned(self, spec: Spec, plan: CodePlan, frame: FrameType, line: int) -> None:
        """A name has got a value at a line."""
        text, code = spec.shown[0]
        try:
            value = evaluate(code, frame)
        except BaseException:
            return  # the compiler's own restoring of a variable that had no value
        hit, _ = self._hit(spec, frame)
        if hit:
            self._row(spec, hit, "assign", plan, frame, [(text, render(value))], line=line)

    def note(self, text: str) -> None:
        """Something that the reader of the rows should know."""
        self._send(_encode({"note": text}))

    def problem(self, text: str) -> None:
        """Why nothing can be recorded at all."""
        self._send(_encode({"problem": text}))

    # -- how it is written -----------------------------------------------------------------------

    def _hit(self, spec: Spec, frame: FrameType, always: bool = False) -> Tuple[int, List[Value]]:
        """The number of the hit, or 0 if it is not recorded; and why its condition failed, if it did."""
        values: List[Value] = []
        if spec.condition is not None and not always:
            try:
                if not evaluate(spec.condition, frame):
                    return 0, values
            except BaseException as error:
                values = [("the condition", "raised " + describe(error))]
        hit = self.counts[spec.number] = self.counts[spec.number] + 1
        return (hit if hit <= self._recorded else 0), values

    def _look(self, code: CodeType, frame: FrameType) -> str:
        try:
            return render(evaluate(code, frame))
        except BaseException as error:
            return "raised " + describe(error)

    def _row(
        self,
        spec: Spec,
        hit: int,
        kind: str,
        plan: CodePlan,
        frame: FrameType,
        values: List[Value],
        caller: str = "",
        line: int = 0,
    ) -> None:
        depth, here = 0, frame.f_back
        for _ in range(_MAX_DEPTH):
            if here is None:
                break
            depth += id(here.f_code) in self.traced
            here = here.f_back
        depth += kind in ("line", "assign") and id(frame.f_code) in self.traced
        place = [spec.number, hit, kind, plan.file, line or frame.f_lineno, plan.name, depth]
        for limit in (_MAX_VALUE, 60, 20):
            shown = [(_cut(text, limit), _cut(value, limit)) for text, value in values]
            data = _encode([*place, self._thread(), self._forked(), shown, _cut(caller, 500)])
            if len(data) < _MAX_ROW:
                break
            values = values[:_MAX_LOCALS]
        self._send(data)

    def _send(self, text: str) -> None:
        try:
            _write(self.fd, text.encode("ascii", "replace") + b"\n")
        except OSError:
            pass  # the program has closed every descriptor

    def _thread(self) -> str:
        ident = _get_ident()
        if ident == self._main:
            return ""
        thread = threading._active.get(ident)  # type: ignore[attr-defined] # current_thread() may make one
        return _cut(thread.name if thread is not None else "a thread", 60)

    def _forked(self) -> int:
        pid = _getpid()
        return 0 if pid == self._process else pid

    def _caller(self, frame: FrameType) -> str:
        back = frame.f_back
        return "" if back is None else "%s:%d" % (self.short(back.f_code.co_filename), back.f_lineno or 0)


def evaluate(code: CodeType, frame: FrameType) -> Any:
    """The value of an expression in a frame. What it assigns stays in a copy of the variables."""
    names, values = frame.f_globals, frame.f_locals
    if values is names:
        return eval(code, names)
    values = dict(values)
    if any(isinstance(const, CodeType) for const in code.co_consts):
        names = {**names, **values}  # a comprehension sees globals only
    return eval(code, names, values)


def _arguments(frame: FrameType) -> List[Value]:
    values = frame.f_locals
    return [(name, render(values[name])) for name in parameter_names(frame.f_code) if name in values]


def _locals(frame: FrameType) -> List[Value]:
    """The variables of a frame but modules, functions, classes of a module, and what pytest adds."""
    module = frame.f_locals is frame.f_globals
    found: List[Value] = []
    more = 0
    for name, value in list(frame.f_locals.items()):
        if not name.isidentifier() or (module and _defined(name, value)):
            continue
        if len(found) < _MAX_LOCALS:
            found.append((name, render(value)))
        else:
            more += 1
    return [*found, ("", "and %d more" % more)] if more else found


def _defined(name: str, value: Optional[Any]) -> bool:
    return name.startswith("__") or isinstance(value, (ModuleType, type)) or inspect.isroutine(value)
