"""Warming up: what test runs import is imported ahead, once, in the process that all of them are forked from.

Only what leaves a test run equal to a cold one: a module that does what a test run could notice (starts a
thread, warns, writes) is left for the run itself. Who imported such a module by mistake starts anew.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import warnings
from typing import Any, Collection, Iterable, Iterator, NoReturn, Sequence

from .notes import Notes

_SAMPLE = """
import logging, unittest, warnings
import pytest

@pytest.fixture
def number(): yield 1

@pytest.mark.parametrize("n", [1, 2])
def test_fixtures(n, number, tmp_path, capsys, capfd, caplog, recwarn, monkeypatch, request):
    print(n); logging.warning("w"); assert caplog.text
    assert {1: [2, "a"]} == {1: [n + number, "a"]}

def test_text(): assert "a\\nb" == "a\\nc"
def test_warns(): warnings.warn("sample")
def test_approx(): assert 0.1 + 0.2 == pytest.approx(0.3)
def test_skips(): pytest.skip("sample")
@pytest.mark.xfail
def test_error(): {}["missing"]

class TestSample(unittest.TestCase):
    def test_raises(self):
        with pytest.raises(ZeroDivisionError, match="zero"): 1 / 0
    def test_equal(self): self.assertEqual([1], [2])
"""
_PROBE_LIMIT = 30.0
"""Seconds for the fork that finds out what pytest's plugins import."""


def preload(
    modules: Sequence[str],
    folders: Sequence[str] = (),
    unfit: Collection[str] = (),
    notes: Notes | None = None,
) -> list[str]:
    """Import pytest, its installed plugins and ``modules``, and run a throw-away suite, so that lazy imports
    and caches are warm.

    ``folders``: where modules may come from; empty: anywhere; ``unfit``: modules to leave out; ``notes``:
    what earlier processes found out. Returns those modules that should have been left out: if there are any,
    this process is of no use.
    """
    sys.dont_write_bytecode = True
    wanted = list(modules)
    finders = []
    if "pytest" in sys.modules:
        plugins = _plugins()
        finders.append(_run_sample(["-pno:" + name for name in plugins]))
        wanted[:0] = _used_by_plugins(list(plugins.values()), notes or Notes(None))
    sys.meta_path[:0] = finders  # pytest rewrites the assertions of its plugins, whoever imports them
    found = [name for name in wanted if name not in unfit and not _fits(name, folders)]
    del sys.meta_path[: len(finders)]
    tempfile.tempdir = None  # each run looks for itself
    with contextlib.suppress(
        Exception
    ):  # it notes where all modules lie, which each failing test asks it for
        inspect.getmodule(compile("", "<nothing>", "exec"))
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()
    return found


def restart(state: dict[str, Any]) -> NoReturn:
    """Start this program anew, in this process; ``restarted`` gives it the state."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(state).encode())
        file.flush()
        fd = os.dup(file.fileno())
    os.set_inheritable(fd, True)
    with open("/proc/self/cmdline") as line:
        command = line.read().split("\0")[:-1]
    os.execv(sys.executable, [*command, "restarted=%d" % fd])


def restarted() -> dict[str, Any]:
    """What the last ``restart`` handed over; empty if this is the first start."""
    word, _, fd = sys.argv[-1].partition("=")
    if word != "restarted":
        return {}
    with open(int(fd), "rb") as file:
        file.seek(0)
        state: dict[str, Any] = json.loads(file.read())
    return state


def _plugins() -> dict[str, str]:
    """Name to module of the installed plugins that pytest loads by itself."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return {}
    try:
        from importlib import metadata
    except ImportError:  # before Python 3.8; there pytest brings one of these
        try:
            import importlib_metadata as metadata  # type: ignore[import-not-found, no-redef, unused-ignore]
        except ImportError:
            import pkg_resources  # type: ignore[import-not-found, unused-ignore]

            return {point.name: point.module_name for point in pkg_resources.iter_entry_points("pytest11")}
    found: Any = metadata.entry_points()
    points = found.select(group="pytest11") if hasattr(found, "select") else found.get("pytest11", ())
    return {point.name: point.value.partition(":")[0].strip() for point in points}


# -- importing only what fits ----------------------------------------------------------------


def _fits(name: str, folders: Sequence[str]) -> bool:
    """Import a module; whether doing so ahead would go unnoticed."""
    known, threads = set(sys.modules), _threads()
    with tempfile.TemporaryFile() as file, _written_to(file.fileno()):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                importlib.import_module(name)
                failed = False
            except (Exception, SystemExit):
                failed = True
        _flush()
        quiet = not caught and not os.fstat(file.fileno()).st_size
    new = set(sys.modules) - known
    if failed:
        return not new
    return quiet and _threads() == threads and not _strangers(new, folders)


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _strangers(names: Iterable[str], folders: Sequence[str]) -> bool:
    """Whether a module comes from a place that the sandbox does not show."""
    paths = [getattr(sys.modules[name], "__file__", None) for name in names]
    inside = tuple(folder.rstrip("/") + "/" for folder in folders) or ("",)
    return not all(path.startswith(inside) for path in paths if isinstance(path, str))


# -- the sample ------------------------------------------------------------------------------


def _used_by_plugins(plugins: list[str], notes: Notes) -> list[str]:
    """All modules that running a suite with the installed plugins imports."""
    if not plugins:
        return []
    used: list[str] | None = notes.get("used by plugins")
    if used is None:
        used = _tried(plugins)
        notes.keep("used by plugins", used)
    return used


def _tried(plugins: list[str]) -> list[str]:
    """The same, found out in a fork: what plugins do beside importing must not stay."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            known = set(sys.modules)
            _run_sample([])
            new = [name for name in sys.modules if name not in known and not _of_sample(name)]
            os.write(write, "\n".join([*plugins, *new]).encode())
        finally:
            os._exit(0)
    os.close(write)
    parts = []
    deadline = time.monotonic() + _PROBE_LIMIT
    while select.select([read], [], [], max(0.0, deadline - time.monotonic()))[0]:
        parts.append(os.read(read, 65536))
        if not parts[-1]:
            break
    os.close(read)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return list(dict.fromkeys(b"".join(parts).decode().split()))


def _of_sample(name: str) -> bool:
    return name.startswith("test_gym_sample")


class _Spy:
    """A plugin that keeps the finder by which pytest rewrites assertions."""

    finder: Any = None

    def pytest_configure(self, config: Any) -> None:
        """See pytest."""
        self.finder = config.pluginmanager.rewrite_hook


def _run_sample(options: list[str]) -> Any:
    """Run a small suite in this process; everything that it changes is put back. Returns pytest's finder."""
    import pytest

    spy = _Spy()
    folder = tempfile.mkdtemp()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        for name, text in (("test_gym_sample.py", _SAMPLE), ("pytest.ini", "[pytest]\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        fixed = ["-pno:cacheprovider", "--rootdir", folder, "--basetemp", os.path.join(folder, "tmp"), folder]
        with _put_back(), _written_to(null):
            os.chdir(folder)
            os.environ.pop("PYTEST_ADDOPTS", None)
            os.environ.pop("PYTEST_PLUGINS", None)
            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
            pytest.main([*options, *fixed], plugins=[spy])
    finally:
        os.close(null)
        shutil.rmtree(folder, ignore_errors=True)
    return spy.finder


@contextlib.contextmanager
def _put_back() -> Iterator[None]:
    """Restore what a run of pytest changes in a process."""
    lists = [(place, list(place)) for place in (sys.path, sys.meta_path, sys.path_hooks, sys.warnoptions)]
    argv, folder, environ = sys.argv, os.getcwd(), dict(os.environ)
    streams = sys.stdout, sys.stderr
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.stdout, sys.stderr = streams
        os.chdir(folder)
        sys.argv = argv
        for place, content in lists:
            place[:] = content
        os.environ.clear()
        os.environ.update(environ)
        for name in [name for name in sys.modules if _of_sample(name)]:
            del sys.modules[name]
        sys.path_importer_cache.clear()


@contextlib.contextmanager
def _written_to(fd: int) -> Iterator[None]:
    """Send stdout and stderr to another descriptor."""
    saved = [(number, os.dup(number)) for number in (1, 2)]
    try:
        _flush()
        for number, _ in saved:
            os.dup2(fd, number)
        yield
    finally:
        _flush()
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
