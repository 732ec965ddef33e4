"""Which exception to look at: those that caused another, and those of a group, are all within reach."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Callable, Iterator, List, Optional, Sequence

from .places import Places
from .rendering import describe

MAX_CHAINED = 50
"""Exceptions that can be selected after one failure."""


class ExceptionChain:
    """An exception with those that led to it, oldest first; those of a group come before the group."""

    def __init__(self, error: BaseException, places: Places) -> None:
        found: List[BaseException] = []
        _collect(error, found)
        start = next((each for each in _suspects(error) if _touches(each, places)), error)
        if not _holds(found, start):
            found.insert(0, start)  # it was raised `from None`, but it is what reaches the program's own code
        self.errors: List[BaseException] = found
        self.index = next(number for number, each in enumerate(found) if each is start)
        """The one that is looked at: at first the last raised that reaches the workspace's own code."""

    @property
    def current(self) -> BaseException:
        """The exception that is looked at."""
        return self.errors[self.index]

    def select(self, argument: str, evaluate: Callable[[str], Any]) -> None:
        """Look at another one, by its number, or at the value of an expression, which then is listed after
        those that there were.

        Raises:
            ValueError: with what is wrong.
        """
        try:
            kept = evaluate(argument)
        except Exception:
            kept = None
        if isinstance(kept, BaseException):
            _collect(kept, self.errors)
            self._go_to(next(number for number, each in enumerate(self.errors) if each is kept))
        elif argument.isdigit():
            self._go_to(int(argument))
        else:
            raise ValueError("Argument must be an integer")

    def _go_to(self, number: int) -> None:
        if number >= len(self.errors):
            raise ValueError("No exception with that number")
        if self.errors[number].__traceback__ is None:
            raise ValueError("This exception does not have a traceback, cannot jump to it")
        self.index = number

    def describe(self) -> str:
        """The one that is looked at, and how many there are."""
        text, count = describe(self.current), len(self.errors)
        if count == 1:
            return text
        return "%s\n(one of %d exceptions, with number %d; `exceptions` lists them)" % (
            text,
            count,
            self.index,
        )

    def table(self) -> str:
        """All of them, as the command ``exceptions`` of Python 3.13 lists them."""
        rows = []
        for number, error in enumerate(self.errors):
            text = _safe_repr(error)
            rows.append(
                "%s %3s %s"
                % (
                    ">" if number == self.index else " ",
                    "-" if error.__traceback__ is None else number,
                    text if len(text) <= 80 else text[:77] + "...",
                )
            )
        return "\n".join(rows)


def _collect(error: Optional[BaseException], found: List[BaseException]) -> None:
    """Add an exception after all that led to it."""
    line: List[BaseException] = []
    while error is not None and not _holds([*found, *line], error) and len(line) < MAX_CHAINED:
        line.append(error)
        hidden = error.__suppress_context__
        error = error.__cause__ or (None if hidden else error.__context__)
    for each in reversed(line):
        for inner in _members(each):
            if len(found) < MAX_CHAINED:
                _collect(inner, found)
        found.append(each)


def _members(error: BaseException) -> Sequence[BaseException]:
    """Of an exception group, those inside it (also of the backport for Python before 3.11)."""
    try:
        members = getattr(error, "exceptions", ())
        if not isinstance(members, tuple) or not hasattr(error, "derive"):
            return ()
    except BaseException:  # a property of its own may raise anything
        return ()
    return [member for member in members if isinstance(member, BaseException)]


def _suspects(error: BaseException) -> Iterator[BaseException]:
    """The most likely to be what is wrong first: a group's members before it, causes after."""
    here: Optional[BaseException] = error
    seen: List[BaseException] = []
    while here is not None and not _holds(seen, here):
        seen.append(here)
        for member in _members(here):
            yield from _suspects(member)
        yield here
        here = here.__cause__ or here.__context__


def _touches(error: BaseException, places: Places) -> bool:
    """Whether the workspace's code took part in an exception: pytest wraps some in its own."""
    trace: Optional[TracebackType] = error.__traceback__
    while trace is not None:
        if places.ours(trace.tb_frame.f_code.co_filename):
            return True
        trace = trace.tb_next
    return isinstance(error, SyntaxError) and bool(error.filename) and places.ours(str(error.filename))


def _holds(errors: Sequence[BaseException], error: BaseException) -> bool:
    """``in``, for what may have an ``__eq__`` of its own."""
    return any(each is error for each in errors)


def _safe_repr(error: BaseException) -> str:
    try:
        return repr(error)
    except BaseException:  # its own code may raise anything
        return type(error).__name__
