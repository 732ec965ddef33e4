"""A pytest plugin that writes what happened to a descriptor, one JSON line each; and, on a signal, where
the program stands, as ``faulthandler`` writes it.

Used by the warm test run, and by the cold one, which gets its source as text, behind that of ``pytest_ids``:
so its only import of ours is one that can be left out.
"""

import faulthandler
import json
import os
import runpy
import signal
from typing import Any, Dict

if "Ids" not in globals():
    from .pytest_ids import Ids


STACK_SIGNAL = getattr(signal, "SIGRTMAX", signal.SIGUSR2)
"""On this one the main thread's stack is written. The handler is C code: no endless call stops it."""


class Reporter:
    """Reports the collected ids, each test's outcome, collection errors, and the end of the session."""

    def __init__(self, fd: int, ids: Ids) -> None:
        self.fd, self.ids = fd, ids
        self.pid = os.getpid()

    def _write(self, record: Dict[str, Any]) -> None:
        if (
            os.getpid() != self.pid
        ):  # a test that forked and fell through, or code that wants to see the result
            record = {"forked": os.getpid()}
        rest = memoryview(json.dumps(record).encode() + b"\n")
        while rest:
            rest = rest[os.write(self.fd, rest) :]

    def pytest_configure(self, config: Any) -> None:
        """Before pytest's own plugins are configured. Nobody is there to talk to a debugger: with ``--pdb``
        in a repository's ``addopts`` the first failure ended the session, with ``--trace`` none showed."""
        config.option.usepdb = config.option.trace = False

    def pytest_collection_finish(self, session: Any) -> None:
        """All items are known."""
        self._write({"collected": [self.ids.of_item(item) for item in session.items]})

    @classmethod
    def mark_hooks(cls) -> None:
        """Tell pytest which hooks need not exist; needs pytest."""
        from _pytest.config import hookimpl

        optional: Any = hookimpl(optionalhook=True)
        optional(cls.pytest_xdist_node_collection_finished)

    def pytest_xdist_node_collection_finished(self, ids: Any) -> None:
        """A worker process of pytest-xdist knows all items (a hook that only exists with xdist)."""
        self._write({"collected": [self.ids.of_nodeid(nodeid) for nodeid in ids]})

    def pytest_collectreport(self, report: Any) -> None:
        """A file or class was collected, or failed to be."""
        if report.failed:
            self._write({"id": self.ids.of_report(report), "outcome": "error", "message": _message(report)})

    def pytest_runtest_protocol(self, item: Any) -> None:
        """A test is about to run."""
        self._write({"started": self.ids.of_item(item)})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase of one test ended."""
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        elif report.failed and report.when != "call":
            outcome = "error"
        elif report.when != "call" and not report.skipped:
            return
        self._write({"id": self.ids.of_report(report), "outcome": outcome, "message": _message(report)})

    def pytest_sessionfinish(self, exitstatus: Any) -> None:
        """The session ran to its end."""
        self._write({"finished": int(exitstatus)})


def run_module(fd: int, wanted: Any) -> None:
    """Do what ``python -m pytest`` does with the tests that are wanted (none: those that it selects), and a
    reporter that no option and no variable gives away.

    Raises ``SystemExit``, as the module does.
    """
    import _pytest.config

    Ids.mark_hooks()
    Reporter.mark_hooks()
    ids = Ids(wanted)
    faulthandler.register(STACK_SIGNAL, file=fd, all_threads=False)
    prepare = _pytest.config._prepareconfig

    def with_reporter(args: Any, plugins: Any = None, **options: Any) -> Any:
        _pytest.config._prepareconfig = prepare  # a test may run a pytest of its own
        return prepare(args, [*(plugins or ()), ids, Reporter(fd, ids)], **options)

    _pytest.config._prepareconfig = with_reporter
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


def _message(report: Any) -> str:
    """The first line of why it failed, at most 300 characters."""
    if not report.failed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext.strip().rpartition("\n")[2]
    line = str(text).split("\n", 1)[0]
    return line if len(line) <= 300 else line[:297] + "..."
