"""Running what was typed, or a breakpoint's condition, with the names of a frame."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import Any, Dict

_INNER = frozenset(["<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"])


class _Names(Dict[str, Any]):
    """Globals that know a frame's local variables, too, as they are at any time."""

    def __init__(self, *scopes: Any) -> None:
        super().__init__()
        self._scopes = scopes

    def __missing__(self, name: str) -> Any:
        for scope in self._scopes:
            if name in scope:
                return scope[name]
        raise KeyError(name)


def scope(code: CodeType, names: Dict[str, Any], values: Any) -> Dict[str, Any]:
    """The globals to run code in: with the local ``values``, if a comprehension or lambda needs them."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    if values is names or not inner or not all(const.co_name in _INNER for const in inner):
        return names
    return _Names(values, names)


def evaluate(expression: str, names: Dict[str, Any], values: Any, filename: str = "<stdin>") -> Any:
    """The value of an expression, with the global ``names`` and the local ``values`` of a frame."""
    code = compile(expression, filename, "eval")
    return eval(code, scope(code, names, values), values)


def evaluate_condition(condition: str, frame: FrameType) -> Any:
    """The value of a breakpoint's condition."""
    return evaluate(condition, frame.f_globals, frame.f_locals, "<condition>")
