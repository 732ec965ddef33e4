"""The process under the debugger: a script or tests, run as Python or pytest would, stopped where asked."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import sys
import traceback
from typing import Any, Callable, Dict

from .. import warm
from ..checkpoints import Checkpoints
from ..mainprogram import OUR_DESCRIPTORS, become_main, load_main, make_way, take_streams
from ..pytest_ids import Ids
from ..testruns import run_child
from ..wire import Channel
from .conversation import Conversation
from .debugger import Debugger, flush
from .harnesses import stop_in_tests
from .places import Places
from .pytest_plugin import DebuggedTests
from .rendering import describe
from .state import State


def main(channel: int, output: int, request: Dict[str, Any], workspace: str) -> None:
    """In the forked child: run what ``request`` names under the debugger. Never returns."""
    high = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, OUR_DESCRIPTORS)
    os.close(channel)
    take_streams(output)
    conversation = Conversation(Channel(high, high), request["output"])
    state = State(conversation, Places(workspace), Checkpoints(request["memory"]))
    state.breakpoints.restore(request["breakpoints"], conversation.output)
    state.settings.restore(request["settings"])
    debugger = Debugger(state)
    make_way(request["script"], workspace)
    if request["at"] == "idle":  # no program has set its path: modules are looked up where tests find them
        sys.path[:0] = [*warm.first_folders(workspace), os.path.join(workspace, "src")]
        debugger.idle()
    run_child(lambda: _script(debugger, request) if request["script"] else _tests(debugger, request))


def _tests(debugger: Debugger, request: Dict[str, Any]) -> int:
    """What ``python -m pytest`` does. The output is not captured: it belongs to the one who debugs."""
    if importlib.util.find_spec("pytest") is None:
        debugger.finish("pytest is not installed for %s, so tests cannot be debugged" % sys.executable)
        return 1
    arguments = [*request["arguments"], "-s"]
    warm.enter_program("pytest.__main__", arguments)
    _write_at_once()
    debugger.begin()
    plugin = DebuggedTests(debugger, request["at"], Ids(request["selection"]))
    code = plugin.run(arguments)
    debugger.finish(plugin.summary(code))
    return code


def _script(debugger: Debugger, request: Dict[str, Any]) -> int:
    """What ``python SCRIPT ARGUMENTS`` or ``python -m MODULE ARGUMENTS`` does."""
    namespace = become_main()
    _write_at_once()
    debugger.begin()
    try:
        code = load_main(request["script"], namespace)
    except (ImportError, OSError, SyntaxError, IndexError) as error:
        debugger.finish("cannot run %s: %s" % (" ".join(request["script"]), describe(error)))
        return 2
    if request["harness"]:
        stop_in_tests(debugger, request["harness"], request["at"])
    elif request["at"] == "start":
        debugger.stop_at_first_line(lambda entered: entered is code)
    if request["at"] == "breakpoint":
        debugger.resume()
    status = _outcome(debugger, lambda: exec(code, namespace.__dict__))  # noqa: S102 - it is the program
    debugger.finish("")
    return status


def _outcome(debugger: Debugger, work: Callable[[], Any]) -> int:
    """Run a script to its exit status; an unhandled exception is shown where it was raised."""
    try:
        work()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and debugger.state.places.hidden(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        with contextlib.suppress(Exception):  # it may have closed its output
            traceback.print_exception(type(error), error, trace)
        flush()
        debugger.post_mortem(error)
        return 1
    return 0


def _write_at_once() -> None:
    """Line by line, so that what was printed can be seen at each stop and after a crash."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)
    else:  # Python 3.6
        sys.stdout = sys.__stdout__ = warm.stream(1, sys.__stdout__, at_once=True)  # type: ignore[misc]
