"""Where a code object gives a value to a name: by instruction, so that every form of assignment counts."""

from __future__ import annotations

import dis
import inspect
from types import CodeType
from typing import List, Optional, Set, Tuple

_STORES = frozenset(
    [
        "STORE_FAST",
        "STORE_NAME",
        "STORE_GLOBAL",
        "STORE_DEREF",
        "STORE_FAST_LOAD_FAST",
        "STORE_FAST_STORE_FAST",
    ]
)
_TURNS = frozenset(["ROT_TWO", "SWAP"])
"""What an augmented assignment to an attribute does last before it."""


def parameter_names(code: CodeType) -> Tuple[str, ...]:
    """The names of a function's parameters."""
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars]


def stores(code: CodeType, name: str) -> Tuple[Set[int], Set[int]]:
    """Offsets of the instructions that assign ``name`` (``total`` or ``self.total``), and of those after
    them, at which the new value can be seen."""
    found: Set[int] = set()
    after: Set[int] = set()
    before: Optional[dis.Instruction] = None
    prefix: List[int] = []
    stored = False
    for step in dis.get_instructions(code):
        if stored:
            after.add(step.offset)
        if step.opname == "EXTENDED_ARG":
            prefix.append(step.offset)
            continue
        stored = _assigns(step, before, name)
        if stored:
            found.update(prefix, [step.offset])
        before, prefix = step, []
    return found, after


def assigned_names(code: CodeType) -> Set[str]:
    """All names to which a code object gives a value; of attributes, those of ``self``."""
    names = set(parameter_names(code))
    for step in dis.get_instructions(code):
        if step.opname in _STORES:
            names.update(_stored(step))
        elif step.opname == "STORE_ATTR":
            names.add("self.%s" % step.argval)
    return names


def _assigns(step: dis.Instruction, before: Optional[dis.Instruction], name: str) -> bool:
    base, _, last = name.rpartition(".")
    if not base:
        return step.opname in _STORES and name in _stored(step)
    if step.opname != "STORE_ATTR" or step.argval != last or before is None:
        return False
    loaded = before.argval[-1] if isinstance(before.argval, tuple) else before.argval
    return bool(loaded == base.rpartition(".")[2]) or before.opname in _TURNS


def _stored(step: dis.Instruction) -> Tuple[str, ...]:
    names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
    return names if step.opname == "STORE_FAST_STORE_FAST" else names[:1]
