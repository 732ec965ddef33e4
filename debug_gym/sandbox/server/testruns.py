"""Test runs: warm in a forked child of this process, or cold in a new interpreter; results over a pipe."""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import struct
import sys
from typing import Any, Callable

from . import clock, confine, pytest_ids, pytest_reporter, warm
from .output import BoundedOutput
from .spawn import spawn
from .supervise import Supervisor

_RECORDS = 32 << 20
"""Bytes of results from one run."""
_FRAME = re.compile(rb'  File "(.*)", line (\d+) in (.*)')
"""A line of what ``faulthandler`` writes."""
_MAX_STACK = 100
_ALONE = "the task says that its tests start no process, so none can be started while they run"
_COLD = (
    """
import sys
own_modules, own_path = set(sys.modules), sys.path[:1] == [""]
if own_path: del sys.path[0]
"""
    + inspect.getsource(pytest_ids)
    + inspect.getsource(pytest_reporter)
    + inspect.getsource(confine)
    + """
if os.environ.get(%r):
    clock = {"__name__": "clock"}
    exec(%r, clock)
    clock["stop_clock"]()
fd, wanted, alone, search = json.loads(sys.argv.pop(1))
os.set_inheritable(fd, False)
if alone: forbid_processes()
folders = [os.path.abspath(folder) for folder in search.split(os.pathsep)] if search else []
import importlib.machinery
for name in {name.partition(".")[0] for name in set(sys.modules) - own_modules} - {"importlib"}:
    found = importlib.machinery.PathFinder.find_spec(name, folders + [os.getcwd()] * own_path)
    if found is not None and found.loader is not None:
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]
if alone:
    if folders: os.environ["PYTHONPATH"] = search
    sys.path[:0] = folders
    import site
    site.main()
if own_path: sys.path.insert(0, os.getcwd())
if hasattr(sys, "orig_argv"): sys.orig_argv[1:4] = ["-m", "pytest"]
run_module(fd, wanted)
"""
    % (clock.VARIABLE, inspect.getsource(clock))
)
"""What a cold run starts with ``python -c``: ``python -m pytest``, and a plugin that nobody sees.

Where no process may be started, the interpreter looks into no folder of the workspace until that holds: it
gets neither ``PYTHONPATH`` nor ``site`` before. What is imported here for ourselves, and the workspace has a
module of its own by that name, is forgotten again."""


class TestRunner:
    """Runs pytest for the runtime. Keeps one *spare*: a child forked ahead that waits for its arguments."""

    def __init__(self, supervisor: Supervisor, spawn: Callable[[Callable[[], None]], int]) -> None:
        self.supervisor = supervisor
        self.spawn = spawn
        self.spare: tuple[int, int, int, int] | None = None
        supervisor.on_kill_all.append(self._forget)

    def run(self, request: dict[str, Any], shadowed: str) -> dict[str, Any]:
        """``arguments`` of pytest, ``selection`` (ids and paths; empty: what the arguments select),
        ``timeout``, ``output`` (bytes), ``cold``, ``alone`` (they can start no process) -> exit code, output,
        test results.

        ``shadowed``: a module imported here in whose place a cold run would import the workspace's, or "".
        """
        note = ""
        if "pytest" not in sys.modules:
            note = "cold: pytest is not installed for " + sys.executable
        elif request.get("cold"):
            note = "cold: asked for"
        elif shadowed:
            note = "cold: the workspace has its own module named %r" % shadowed
        strays = self.supervisor.strays()
        start = self._start_cold if note else self._start_warm
        pid, output, records = start(
            [request["arguments"], request["selection"], request.get("alone", False)]
        )
        sinks = {output: BoundedOutput(request["output"]), records: BoundedOutput(_RECORDS)}
        text, results = sinks[output], sinks[records]
        reply = self.supervisor.run(pid, sinks, request["timeout"], strays, ask=pytest_reporter.STACK_SIGNAL)
        reply.update(output=text.text(), dropped=text.dropped, warm=not note)
        refused = request.get("alone", False) and os.strerror(errno.EPERM) in reply["output"]
        reply["note"] = "; ".join(filter(None, [reply.get("note"), note, _ALONE if refused else ""]))
        reply.update(read_records(results.data()))
        reply["complete"] = reply["complete"] and not reply["timed_out"]
        return reply

    def prepare(self) -> None:
        """Fork the spare for the next run, while nobody waits."""
        if self.spare is not None or "pytest" not in sys.modules:
            return
        go_read, go_write = os.pipe()
        out_read, out_write = os.pipe()
        rec_read, rec_write = os.pipe()

        def child() -> None:
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            for fd in (1, 2):
                os.dup2(out_write, fd)
            for fd in (null, go_write, out_read, out_write, rec_read):
                os.close(fd)
            size = os.read(go_read, 4)
            if len(size) < 4:
                os._exit(0)
            with os.fdopen(go_read, "rb") as file:
                arguments, wanted, alone = json.loads(file.read(struct.unpack(">I", size)[0]))
            if alone:
                confine.forbid_processes()
            run_child(lambda: warm.run_pytest(arguments, rec_write, wanted))

        pid = self.spawn(child)
        for fd in (go_read, out_write, rec_write):
            os.close(fd)
        self.supervisor.keep.add(pid)
        self.spare = (pid, go_write, out_read, rec_read)

    def _start_warm(self, what: list[Any]) -> tuple[int, int, int]:
        if self.spare is not None and self.spare[0] in self.supervisor.exited:
            self.close()
        self.prepare()
        assert self.spare is not None
        pid, go_write, output, records = self.spare
        self.spare = None
        data = json.dumps(what).encode()
        try:
            os.write(go_write, struct.pack(">I", len(data)) + data)
        except OSError:
            pass  # it was killed; the run will say so
        os.close(go_write)
        return pid, output, records

    def _start_cold(self, what: list[Any]) -> tuple[int, int, int]:
        arguments, *rest = what
        out_read, out_write = os.pipe()
        rec_read, rec_write = os.pipe()
        os.set_inheritable(rec_write, True)
        null = os.open(os.devnull, os.O_RDONLY)
        variables, option, search = dict(os.environ), "-c", ""
        if rest[-1]:  # alone
            search, option = variables.pop("PYTHONPATH", ""), "-Sc"
        command = [sys.executable, option, _COLD, json.dumps([rec_write, *rest, search]), *arguments]
        pid = spawn(command, variables, {0: null, 1: out_write, 2: out_write})
        for fd in (null, out_write, rec_write):
            os.close(fd)
        return pid, out_read, rec_read

    def close(self) -> None:
        """End the spare."""
        if self.spare is not None:
            pid, *fds = self.spare
            for fd in fds:
                os.close(fd)
            self.supervisor.keep.discard(pid)
            self.supervisor.exited.pop(pid, None)
            self.spare = None

    def _forget(self) -> None:
        self.close()


def run_child(work: Callable[[], Any]) -> None:
    """Run ``work`` in a forked child and end the process as an interpreter would. Never returns."""
    code: Any = 70
    try:
        code = work() or 0
    except SystemExit as error:
        code = error.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    warm.leave_program(code)


def read_records(data: bytes) -> dict[str, Any]:
    """What the reporter wrote, as ``collected``, ``outcomes``, ``messages``, ``complete``, ``forked``; of a
    run that did not come to its end, ``running`` and ``stack``. The worst outcome of a test's phases counts.
    The tests may have written there too: what is no record is left out."""
    rank = {"passed": 0, "xfailed": 1, "skipped": 2, "xpassed": 3, "failed": 4, "error": 5}
    collected: list[str] = []
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    complete, running, forked = False, "", False
    stack: list[str] = []
    for line in data.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            frame = _FRAME.fullmatch(line)
            stack += (
                ["%s:%s in %s" % tuple(part.decode("utf-8", "replace") for part in frame.groups())]
                if frame
                else []
            )
            continue
        if not isinstance(record, dict):
            continue
        if _are_texts(record.get("collected")):
            collected = record["collected"]
        elif "finished" in record:
            complete = True
        elif "forked" in record:
            forked = True
        elif isinstance(record.get("started"), str):
            running = record["started"]
        elif _are_texts([record.get(name) for name in ("id", "outcome", "message")]):
            test, outcome = record["id"], record["outcome"]
            if outcome in rank and rank[outcome] >= rank.get(outcomes.get(test, ""), -1):
                outcomes[test] = outcome
                if record["message"]:
                    messages[test] = record["message"]
    results = {
        "collected": collected,
        "outcomes": outcomes,
        "messages": messages,
        "complete": complete,
        "forked": forked,
    }
    return results if complete else {**results, "running": running, "stack": stack[:_MAX_STACK]}


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
