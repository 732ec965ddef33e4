"""A pytest plugin that stops at the start of a test, or where a test has failed."""

from __future__ import annotations

import inspect
import io
from collections import Counter
from types import CodeType
from typing import Any, Callable, Dict, Iterator, List

from ..pytest_ids import Ids
from .debugger import Debugger
from .doctests import at_the_example
from .stepping import use

_PREAMBLE = ("=", "platform ", "rootdir: ", "configfile: ", "plugins: ", "cachedir: ", "collect")
"""How the lines begin with which pytest introduces itself."""
_OFF: Dict[str, Any] = {
    "numprocesses": None,
    "dist": "no",
    "tx": [],
    "tbstyle": "no",
    "usepdb": False,
    "trace": False,
}
"""Options of pytest and its plugins that do not go together with this debugger."""
_HOOKS: Dict[str, Any] = {
    "pytest_load_initial_conftests": {"hookwrapper": True},
    "pytest_cmdline_main": {"tryfirst": True},
    "pytest_configure": {"trylast": True},
    "pytest_collection": {"tryfirst": True},
    "pytest_runtest_call": {"hookwrapper": True},
}


class DebuggedTests:
    """One pytest session. ``at`` is ``start``, ``failure`` or ``breakpoint``; a failure always stops it."""

    __test__ = False

    def __init__(self, debugger: Debugger, at: str, ids: Ids) -> None:
        self.debugger, self.at, self.ids = debugger, at, ids
        self.trace = False
        """Stop at the start of each test, as pytest's option of this name asks."""
        self.outcomes: Counter[str] = Counter()
        self.report = io.StringIO()
        """What pytest itself reports."""

    def run(self, arguments: List[str]) -> int:
        """Run pytest in this process; return its exit code."""
        import pytest

        for name, options in _HOOKS.items():
            pytest.hookimpl(**options)(getattr(DebuggedTests, name))
        self.ids.mark_hooks()
        return int(pytest.main(arguments, plugins=[self.ids, self]))

    def _watch(self) -> None:
        if self.at == "breakpoint":
            self.debugger.resume()

    def summary(self, code: int) -> str:
        """How the tests ended; pytest's own words if it could not run them."""
        counts = ["%d %s" % (count, outcome) for outcome, count in sorted(self.outcomes.items())]
        if counts:
            return "tests: " + ", ".join(counts)
        lines = [
            line for line in self.report.getvalue().split("\n") if line and not line.startswith(_PREAMBLE)
        ]
        return "\n".join(["pytest ran no test to its end (its exit code is %d)" % code, *lines[-40:]])

    # -- pytest's hooks --------------------------------------------------------------------

    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        """Around the first code of the workspace's own. Where there is none yet, watching can wait: it makes
        pytest's own start slower."""
        self._watch()
        yield
        files = [str(getattr(plugin, "__file__", "")) for plugin in early_config.pluginmanager.get_plugins()]
        if not any(file.endswith("conftest.py") for file in files):
            use(None)

    def pytest_cmdline_main(self, config: Any) -> None:
        """pytest-xdist must not run the tests in other processes, and no other debugger may take over; nobody
        reads pytest's tracebacks."""
        self.trace = bool(getattr(config.option, "trace", False))
        for name, off in _OFF.items():
            if hasattr(config.option, name):
                setattr(config.option, name, off)

    def pytest_configure(self, config: Any) -> None:
        """Last of all: pytest has put its own ``breakpoint()`` in place. Its report is not the program's."""
        from _pytest.config import create_terminal_writer

        self.debugger.hooks.take_breakpoints()
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter._tw = create_terminal_writer(config, self.report)

    def pytest_collection(self, session: Any) -> None:
        """Plugins are in place by now: those that measure time must not fail a test that stands still, and
        one that traces (coverage) has taken our trace function's place."""
        session.config.hook.pytest_enter_pdb(config=session.config, pdb=self.debugger)
        self._watch()

    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        """Around the setUp of a TestCase and the test function itself."""
        if self.at == "start" or self.trace:
            self.at = "breakpoint"  # only the first of several tests
            self.debugger.message("test " + self.ids.of_item(item))
            self.debugger.stop_at_first_line(_entrance(item, self.debugger.places.ours))
        yield

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count the outcomes; tell of a failure without an exception: a test that is to fail, and passes."""
        if report.when == "call" or not report.passed:
            outcome = "errors" if report.failed and report.when != "call" else report.outcome
            self.outcomes["xfailed" if hasattr(report, "wasxfail") and report.skipped else outcome] += 1
        if report.failed and isinstance(report.longrepr, str):
            self.debugger.message("%s failed: %s" % (self.ids.of_report(report), report.longrepr.strip()))

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Code of the workspace has ended the whole run, as ``pytest.exit()`` does; or pytest has."""
        if any(self.debugger.places.ours(str(entry.path)) for entry in excinfo.traceback):
            self.debugger.message("the run of the tests was stopped")
            self.debugger.post_mortem(excinfo.value)

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        """A test has failed, or a file could not be collected."""
        phase = {"call": "", "setup": " in its setup", "teardown": " in its teardown"}
        where = phase.get(getattr(report, "when", ""), " while it was collected")
        self.debugger.message("%s failed%s" % (self.ids.of_report(report), where))
        self.debugger.post_mortem(at_the_example(call.excinfo.value))


def _entrance(item: Any, ours: Callable[[str], bool]) -> Callable[[CodeType], bool]:
    """Tells the code object at which a test begins: its function, the setUp of its TestCase, or, of a
    doctest, the first code of the workspace's own."""
    function = getattr(item, "function", None)
    if function is None:
        return lambda code: ours(code.co_filename)
    setup = getattr(getattr(item, "cls", None), "setUp", None)
    codes = [
        getattr(inspect.unwrap(thing), "__code__", None) for thing in (function, setup) if thing is not None
    ]
    filename, name = (
        str(getattr(item, "path", None) or item.fspath),
        getattr(item, "originalname", None) or item.name,
    )

    def wanted(code: CodeType) -> bool:
        return code in codes or (code.co_name == name and code.co_filename == filename)

    return wanted
