"""Traces: a run of tests or of a script that stops nowhere and records what it was asked to. Here are the
runtime's side and the forked child's."""

from __future__ import annotations

import fcntl
import importlib.util
import itertools
import json
import mmap
import os
import sys
import traceback
from typing import Any, Callable, Dict, Iterator, List

from .. import pytest_reporter, warm
from ..mainprogram import OUR_DESCRIPTORS, become_main, load_main, make_way, take_streams
from ..output import BoundedOutput
from ..pytest_ids import Ids
from ..supervise import Supervisor
from ..testruns import read_records, run_child
from .monitor import Monitor
from .plan import Plan
from .record import Recorder
from .settrace import Tracer
from .watch import Watch

_MAX_LINE = 1 << 16
"""Bytes of one record: the program can reach the pipe and write anything."""
_MAX_NOTES = 20
_RESULTS = 16 << 20
"""Bytes of test results."""
_ROW = (int, int, str, str, int, str, int, str, int, list, str)
"""The types of what a row is made of: see ``Recorder``."""


class _Rows:
    """What came over the pipe, within bounds: of each entry, the first hits, the last, or half of both."""

    def __init__(self, entries: int, hits: int, keep: str) -> None:
        self.entries, self.hits = entries, hits
        self.first = {"first": hits, "last": 0, "both": (hits + 1) // 2}[keep]
        self.problems: List[str] = []
        self.notes: List[str] = []
        self._kept: List[Dict[int, List[Any]]] = [{} for _ in range(entries)]
        """Of each entry: number of the hit to its rows."""
        self._rest = b""
        self._number = 0

    def add(self, data: bytes) -> None:
        """Take more of the pipe."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                record = json.loads(line.decode("ascii"))
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict):
                self._remark(record)
            elif isinstance(record, list) and tuple(map(type, record)) == _ROW and _are_pairs(record[9]):
                self._keep(record)
        self._rest = self._rest[:_MAX_LINE]

    def _remark(self, record: Dict[str, Any]) -> None:
        for key, texts in (("problem", self.problems), ("note", self.notes)):
            if key in record and len(texts) < _MAX_NOTES:
                texts.append(str(record[key])[:1000])

    def _keep(self, row: List[Any]) -> None:
        spec, hit, kind = row[:3]
        if not 0 <= spec < self.entries or sum(map(len, map(str, row))) > _MAX_LINE:
            return
        kept = self._kept[spec]
        if hit not in kept:
            if kind in ("return", "raise") or (len(kept) >= self.hits == self.first):
                return
            kept[hit] = []
            if len(kept) > self.hits:
                del kept[next(itertools.islice(kept, self.first, None))]
        if hit in kept and len(kept[hit]) < 2:  # a call and its end
            self._number += 1
            kept[hit].append([self._number, *row])

    def rows(self) -> List[List[Any]]:
        """The rows in the order in which they happened."""
        found = [row for kept in self._kept for rows in kept.values() for row in rows]
        return [row[1:] for row in sorted(found)]


def _are_pairs(values: List[Any]) -> bool:
    """Names or expressions, with their values in words."""
    return all(isinstance(pair, list) and list(map(type, pair)) == [str, str] for pair in values)


def trace(
    supervisor: Supervisor,
    spawn: Callable[[Callable[[], None]], int],
    workspace: str,
    request: Dict[str, Any],
) -> Dict[str, Any]:
    """``points``, ``calls``, ``assignments``, ``hits``, ``keep``; ``script``, or ``arguments`` and
    ``selection`` of pytest;
    ``timeout``, ``output`` (bytes) -> how it ended, as for tests, and ``rows``, ``hits``, ``problems``."""
    entries = sum(len(request[kind]) for kind in ("points", "calls", "assignments"))
    counts = mmap.mmap(-1, 8 * max(entries, 1))  # shared with the child: known also if that is killed
    strays = supervisor.strays()
    os.chdir(workspace)
    pipes = [os.pipe() for _ in range(3)]

    def child() -> None:
        for reader, _ in pipes:
            os.close(reader)
        _main([writer for _, writer in pipes], counts, request, workspace)

    pid = spawn(child)
    for _, writer in pipes:
        os.close(writer)
    rows, text, results = (
        _Rows(entries, request["hits"], request["keep"]),
        BoundedOutput(request["output"]),
        BoundedOutput(_RESULTS),
    )
    sinks: Dict[int, Any] = dict(zip((reader for reader, _ in pipes), (text, results, rows)))
    reply = supervisor.run(pid, sinks, request["timeout"], strays)
    reply.update(read_records(b"" if request["script"] else results.data()))
    reply["complete"] = reply["complete"] and not reply["timed_out"]
    reply["note"] = "; ".join(filter(None, [reply.get("note"), *rows.notes]))
    with memoryview(counts).cast("Q") as numbers:
        hits = list(numbers)[:entries]
    counts.close()
    return {
        **reply,
        "output": text.text(),
        "dropped": text.dropped,
        "rows": rows.rows(),
        "hits": hits,
        "problems": rows.problems,
    }


def _main(writers: List[int], counts: mmap.mmap, request: Dict[str, Any], workspace: str) -> None:
    """In the forked child: find out what is meant, then run it. Never returns."""
    results, rows = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, OUR_DESCRIPTORS) for fd in writers[1:])
    for fd in writers[1:]:
        os.close(fd)
    take_streams(writers[0])
    script: List[str] = request["script"]
    plan = Plan(workspace, request)
    numbers = memoryview(counts).cast("Q")
    recorder = Recorder(rows, numbers, request["hits"], request["keep"], plan.source.short)
    problems = plan.problems
    if not script and importlib.util.find_spec("pytest") is None:
        problems.append("pytest is not installed for %s, so tests cannot be traced" % sys.executable)
    for problem in problems:
        recorder.problem(problem)
    if problems:
        os._exit(2)
    make_way(script, workspace)
    watch = (Monitor if hasattr(sys, "monitoring") else Tracer)(plan, recorder)
    run_child(lambda: _script(watch, script) if script else _tests(watch, results, request))


class _Session(pytest_reporter.Reporter):
    """A pytest session in this one process, whose tests are watched."""

    def __init__(self, fd: int, ids: Ids, watch: Watch) -> None:
        super().__init__(fd, ids)
        self.watch = watch

    def pytest_cmdline_main(self, config: Any) -> None:
        """pytest-xdist must not run the tests in other processes."""
        for name, off in (("numprocesses", None), ("dist", "no"), ("tx", [])):
            if hasattr(config.option, name):
                setattr(config.option, name, off)

    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        """Around a test."""
        self.watch.check()
        yield
        self.watch.check()


def _tests(watch: Watch, results: int, request: Dict[str, Any]) -> int:
    """What ``python -m pytest`` does."""
    arguments = request["arguments"]
    warm.enter_program("pytest.__main__", arguments)
    import pytest

    pytest.hookimpl(tryfirst=True)(_Session.pytest_cmdline_main)
    pytest.hookimpl(hookwrapper=True, tryfirst=True)(_Session.pytest_runtest_call)
    Ids.mark_hooks()
    _Session.mark_hooks()
    ids = Ids(request["selection"])
    watch.start()
    return int(pytest.main(arguments, plugins=[ids, _Session(results, ids, watch)]))


def _script(watch: Watch, words: List[str]) -> int:
    """What ``python SCRIPT ARGUMENTS`` or ``python -m MODULE ARGUMENTS`` does."""
    main = become_main()
    try:
        code = load_main(words, main)
    except (ImportError, OSError, SyntaxError, IndexError) as error:
        print("cannot run %s: %s" % (" ".join(words), error), file=sys.stderr)
        return 2
    watch.start()
    try:
        exec(code, main.__dict__)  # noqa: S102 - it is the program
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__
        traceback.print_exception(type(error), error, trace.tb_next if trace is not None else None)
        return 1
    finally:
        watch.check()
    return 0
