"""The process under the debugger: a script or tests, run as Python or pytest would, stopped where asked."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import sys
import traceback
import types
from typing import Any, Callable, Dict, List

from . import warm
from .checkpoints import Past
from .debugger import Debugger, flush
from .debugtalk import Conversation
from .debugtests import TestsUnderDebugger
from .debugview import Places, Sources, describe
from .testruns import run_child
from .wire import Channel

_HIGH = 900
"""Descriptors from here on are ours: a program that closes or counts its own should not meet them."""

_AT_STARTUP = frozenset(
    [
        "__main__",
        "abc",
        "codecs",
        "encodings",
        "genericpath",
        "io",
        "os",
        "posixpath",
        "site",
        "stat",
        "sys",
        "types",
    ]
)
"""Modules that a fresh interpreter has imported before any folder of the program's is on ``sys.path``."""


def main(channel: int, output: int, request: Dict[str, Any], workspace: str) -> None:
    """In the forked child: run what ``request`` names under the debugger. Never returns."""
    high = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for fd in (1, 2):
        os.dup2(output, fd)
    os.close(output)
    os.close(channel)
    talk = Conversation(Channel(high, high), request["output"])
    debugger = Debugger(talk, Places(workspace), Sources(), Past(request["memory"]))
    debugger.restore(request["breakpoints"])
    folder = os.path.dirname(os.path.abspath(request["script"][0])) if request["script"] else workspace
    _make_way(folder)
    if request["at"] == "idle":
        debugger.idle()
    run_child(lambda: _script(debugger, request) if request["script"] else _tests(debugger, request))


def _make_way(folder: str) -> None:
    """Forget modules imported ahead where a folder, which will come first on ``sys.path``, has its own."""
    for name in warm.names_on_path(folder):
        if name in sys.modules and name not in _AT_STARTUP:
            for known in [known for known in sys.modules if known.split(".")[0] == name]:
                del sys.modules[known]


def _tests(debugger: Debugger, request: Dict[str, Any]) -> int:
    """What ``python -m pytest`` does. The output is not captured: it belongs to the one who debugs."""
    if importlib.util.find_spec("pytest") is None:
        debugger.finish("pytest is not installed for %s, so tests cannot be debugged" % sys.executable)
        return 1
    selection = [request["test"]] if request["test"] else []
    arguments = [*request["arguments"], "-p", "no:cacheprovider", "-s", *selection]
    warm.enter_program("pytest.__main__", arguments)
    _write_at_once()
    debugger.begin()
    plugin = TestsUnderDebugger(debugger, request["at"])
    code = plugin.run(arguments)
    debugger.finish(plugin.summary(code))
    return code


def _script(debugger: Debugger, request: Dict[str, Any]) -> int:
    """What ``python SCRIPT ARGUMENTS`` or ``python -m MODULE ARGUMENTS`` does."""
    words: List[str] = request["script"]
    warm.enter_program("pdb", [])
    del sys.path[0]  # the workspace, where enter_program has put it
    _write_at_once()
    namespace = types.ModuleType("__main__")
    sys.modules["__main__"] = namespace
    debugger.begin()
    try:
        code = _load_module(words[1:], namespace) if words[0] == "-m" else _load_script(words, namespace)
    except (ImportError, OSError, SyntaxError, IndexError) as error:
        debugger.finish("cannot run %s: %s" % (" ".join(words), describe(error)))
        return 2
    if request["at"] == "start":
        debugger.run_to(lambda entered: entered is code, "start")
    elif request["at"] == "breakpoint":
        debugger.resume()
    status = _outcome(debugger, lambda: exec(code, namespace.__dict__))  # noqa: S102 - it is the program
    debugger.finish("")
    return status


def _load_script(words: List[str], namespace: types.ModuleType) -> types.CodeType:
    path = os.path.abspath(words[0])
    sys.argv = list(words)
    sys.path.insert(0, os.path.dirname(path))
    namespace.__file__ = path
    with open(path, "rb") as file:
        code: types.CodeType = compile(file.read(), path, "exec", dont_inherit=True)
    return code


def _load_module(words: List[str], namespace: types.ModuleType) -> types.CodeType:
    sys.argv = list(words)
    sys.path.insert(0, os.getcwd())
    spec = importlib.util.find_spec(words[0])
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(words[0] + ".__main__")
    code = spec.loader.get_code(spec.name) if spec is not None and spec.loader is not None else None  # type: ignore[attr-defined]
    if spec is None or code is None:
        raise ImportError("there is no module %s that can be run" % words[0])
    sys.argv[0] = namespace.__file__ = code.co_filename
    namespace.__spec__, namespace.__package__, namespace.__loader__ = spec, spec.parent, spec.loader
    return code  # type: ignore[no-any-return]


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
        while trace is not None and debugger.places.hidden(trace.tb_frame.f_code.co_filename):
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
        flush()
        debugger.post_mortem(error, trace)
        return 1
    return 0


def _write_at_once() -> None:
    """Line by line, so that what was printed can be seen at each stop and after a crash."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
