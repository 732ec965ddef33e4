"""Watching a traced program by ``sys.monitoring`` (Python 3.12): all other code runs at full speed."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any, Dict

from .watch import Bound, Watch

_monitoring: Any = getattr(sys, "monitoring", None)


class Monitor(Watch):
    """Watches by ``sys.monitoring``."""

    def start(self) -> None:
        """See ``Watch``."""
        self._bound: Dict[int, Bound] = {}
        self._tool = next(tool for tool in (4, 3, 1, 2, 0, 5) if _monitoring.get_tool(tool) is None)
        events = _monitoring.events
        _monitoring.use_tool_id(self._tool, "debug-gym trace")
        for event, callback in (
            (events.PY_START, self._on_start),
            (events.LINE, self._on_line),
            (events.INSTRUCTION, self._on_instruction),
            (events.PY_RETURN, self._on_return),
            (events.PY_YIELD, self._on_yield),
            (events.PY_UNWIND, self._on_unwind),
        ):
            _monitoring.register_callback(self._tool, event, callback)
        calls = any(plan.calls for plan in self._codes.values())
        _monitoring.set_events(self._tool, events.PY_START | (events.PY_UNWIND if calls else 0))

    def _on_start(self, code: CodeType, offset: int) -> Any:
        """Code begins to run; what is not to be recorded is not seen again."""
        bound = self._bound.get(id(code))
        if bound is None:
            bound = self.bind(code)
            if bound is None:
                return _monitoring.DISABLE
            self._bound[id(code)] = bound
            events, plan = _monitoring.events, bound.plan
            wanted = events.PY_START
            wanted |= events.LINE if plan.lines else 0
            wanted |= events.INSTRUCTION if bound.stores else 0
            wanted |= events.PY_RETURN | events.PY_YIELD if plan.calls else 0
            _monitoring.set_local_events(self._tool, code, wanted)
        self.began(bound, sys._getframe(1))
        return None

    def _on_line(self, code: CodeType, line: int) -> Any:
        bound = self._bound[id(code)]
        if line not in bound.plan.lines and not bound.stores:
            return _monitoring.DISABLE  # with instruction events, it would swallow the one at the same place
        self.reached(bound, sys._getframe(1))
        return None

    def _on_instruction(self, code: CodeType, offset: int) -> Any:
        bound = self._bound[id(code)]
        if offset not in bound.after and offset not in bound.stores:
            return _monitoring.DISABLE
        self.stepped(bound, sys._getframe(1), offset)
        return None

    def _on_return(self, code: CodeType, offset: int, value: Any) -> None:
        self.recorder.returned(self._bound[id(code)].plan, sys._getframe(1), value)

    def _on_yield(self, code: CodeType, offset: int, value: Any) -> None:
        self.gave(self._bound[id(code)], sys._getframe(1), value)

    def _on_unwind(self, code: CodeType, offset: int, error: BaseException) -> None:
        bound = self._bound.get(id(code))
        if bound is not None:
            self.recorder.raised(bound.plan, sys._getframe(1), error)
