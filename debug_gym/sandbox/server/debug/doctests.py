"""A doctest that failed, as an exception that was raised at the example's line in its file."""

from __future__ import annotations

import doctest
from types import FrameType, TracebackType
from typing import Any, Optional


def at_the_example(error: BaseException) -> BaseException:
    """What to look at in place of the failure of a doctest; any other exception is given back as it is."""
    failures = getattr(error, "failures", None)  # of pytest, where it goes on after the first
    failure: Any = failures[0] if isinstance(failures, list) and failures else error
    if not isinstance(failure, (doctest.DocTestFailure, doctest.UnexpectedException)):
        return error
    test, example = failure.test, failure.example
    if test.lineno is None or not test.filename:
        return error
    line = test.lineno + example.lineno + 1
    frame = _frame_at(test.filename, line, test.globs)
    if isinstance(failure, doctest.UnexpectedException):
        raised: BaseException = failure.exc_info[1]
        inner = _below_the_example(failure.exc_info[2])
    else:
        given = "Expected:\n%sGot:\n%s" % (_indented(example.want), _indented(failure.got))
        raised, inner = AssertionError("%s\n%s" % (example.source.strip(), given.rstrip())), None
    return raised.with_traceback(TracebackType(inner, frame, frame.f_lasti, line))


def _frame_at(filename: str, line: int, names: Any) -> FrameType:
    """A frame at this line that sees these names. doctest's own has a file that does not exist."""
    try:
        exec(compile("\n" * (line - 1) + "1/0", filename, "exec"), names)  # noqa: S102 - it is our own
    except ZeroDivisionError as error:
        assert error.__traceback__ is not None
        assert error.__traceback__.tb_next is not None
        return error.__traceback__.tb_next.tb_frame
    raise AssertionError("a division by zero did not fail")


def _below_the_example(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """The rest of a traceback: what the example called."""
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith("<doctest "):
        trace = trace.tb_next
    return trace.tb_next if trace is not None else None


def _indented(text: str) -> str:
    return "".join("    %s\n" % line for line in text.split("\n") if line) or "    nothing\n"
