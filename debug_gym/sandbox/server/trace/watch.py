"""Seeing what a traced program does: from code objects to what is recorded there, from events to rows."""

from __future__ import annotations

import dis
import inspect
import os
from types import CodeType, FrameType
from typing import Any, Dict, List, Optional, Set, Tuple

from .plan import CodePlan, Plan, Spec
from .record import Recorder, render
from .stores import parameter_names, stores

_ASYNC_VALUE = "async_generator_wrapped_value"


class Bound:
    """A plan on the code object that it turned out to mean."""

    def __init__(self, code: CodeType, plan: CodePlan) -> None:
        self.code, self.plan = code, plan
        self.begins = {line: _begins(code, line, end) for line, end in plan.ends.items()}
        """Line of a statement of several lines to the offsets at which it begins."""
        self.stores: Dict[int, List[Spec]] = {}
        """Offset of an instruction to the names that it assigns."""
        self.after: Set[int] = set()
        """Offsets of the instructions that follow those."""
        for spec in plan.names:
            offsets, after = stores(code, spec.shown[0][0])
            self.after |= after
            for offset in offsets:
                self.stores.setdefault(offset, []).append(spec)
        self.parameters = [spec for spec in plan.names if spec.shown[0][0] in parameter_names(code)]


def _begins(code: CodeType, line: int, end: int) -> Set[int]:
    """Where a statement begins: not where it comes back to its first line, say to call a function after the
    arguments on other lines."""
    found: Set[int] = set()
    fresh = True
    for offset, number in dis.findlinestarts(code):
        if number == line and fresh:
            found.add(offset)
            fresh = False
        elif number is not None and not line <= number <= end:
            fresh = True
    return found


class Watch:
    """What both ways of watching share: from code objects to plans, from events to rows."""

    def __init__(self, plan: Plan, recorder: Recorder) -> None:
        self._codes, self._files, self.recorder = plan.codes, plan.files, recorder
        self._paths: Dict[str, str] = {}
        self._pending: Dict[int, Tuple[List[Spec], int]] = {}
        """Identity of a frame to the names that its last instruction assigned, and the line."""

    def start(self) -> None:
        """Begin to watch, in all threads."""
        raise NotImplementedError

    def check(self) -> None:
        """See that nobody has taken the events away; say so if rows may be missing."""

    def bind(self, code: CodeType) -> Optional[Bound]:
        """What to record in a code object, or None."""
        path = self._paths.get(code.co_filename)
        if path is None:
            path = self._paths[code.co_filename] = os.path.realpath(code.co_filename)
        if path not in self._files:
            return None
        plan = self._codes.get((path, code.co_name, code.co_firstlineno))
        if plan is None:
            return None
        if plan.calls:
            self.recorder.traced.add(id(code))
        return Bound(code, plan)

    def began(self, bound: Bound, frame: FrameType) -> None:
        """A frame begins to run."""
        self._pending.pop(id(frame), None)
        if bound.plan.calls:
            self.recorder.call(bound.plan, frame)
        for spec in bound.parameters:
            self.recorder.assigned(spec, bound.plan, frame, frame.f_lineno)

    def reached(self, bound: Bound, frame: FrameType) -> None:
        """A line is about to run: first tell what the line before it has assigned."""
        if self._pending:
            self._flush(bound, frame, frame.f_lasti)
        line = frame.f_lineno
        begins = bound.begins.get(line)
        if begins and frame.f_lasti not in begins:
            return
        for spec in bound.plan.lines.get(line, ()):
            self.recorder.line(spec, bound.plan, frame)

    def _flush(self, bound: Bound, frame: FrameType, offset: int) -> None:
        done = self._pending.pop(id(frame), None)
        if done is not None and offset in bound.after:  # else the assignment raised
            for spec in done[0]:
                self.recorder.assigned(spec, bound.plan, frame, done[1])

    def stepped(self, bound: Bound, frame: FrameType, offset: int) -> None:
        """An instruction is about to run: the one after an assignment, or an assignment."""
        self._flush(bound, frame, offset)
        if offset in bound.stores:
            self._pending[id(frame)] = (bound.stores[offset], frame.f_lineno)

    def gave(self, bound: Bound, frame: FrameType, value: Any) -> None:
        """A frame is suspended: by a ``yield`` of its own, or since what it awaits is."""
        flags = bound.code.co_flags
        if flags & inspect.CO_ASYNC_GENERATOR and type(value).__name__ == _ASYNC_VALUE:
            self.recorder.yielded(bound.plan, frame, "a value")  # it is wrapped out of reach
        elif not flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
            self.recorder.yielded(bound.plan, frame, render(value))
