"""The warm interpreter: pytest and third-party modules imported ahead, so that a test run is only a fork.

A run in the fork must be equal to a cold ``python -m pytest`` in the same sandbox. What would differ is found
out beforehand, and such a run is made cold (see ``shadowed``).
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
import types
from typing import Any, Iterable

from .report import run_module

_SAMPLE = """
import pytest
@pytest.mark.parametrize("n", [1, 2])
def test_sample(n, tmp_path, capsys, monkeypatch): assert {1: 2} == {1: n + 1}
class TestSample:
    def test_raises(self):
        with pytest.raises(ZeroDivisionError): 1 / 0
"""


def preload(modules: Iterable[str]) -> list[str]:
    """Import pytest and ``modules``, and run one throw-away suite, so that lazy imports and caches are warm.

    Returns the modules that cannot be imported ahead: they start threads, which a fork would lose.
    """
    sys.dont_write_bytecode = True
    _run_sample()
    unfit = []
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            if not isinstance(error, Exception) and not isinstance(error, SystemExit):
                raise
        if len(os.listdir("/proc/self/task")) > 1:
            unfit.append(name)
            break
    gc.collect()
    gc.freeze()
    return unfit


def _run_sample() -> None:
    """Run a tiny suite in this process; everything that it changes is put back."""
    try:
        import pytest
    except ImportError:
        return
    saved_path, saved_environ, saved_hooks = list(sys.path), dict(os.environ), list(sys.meta_path)
    saved_argv, saved_cwd, saved_modules = sys.argv, os.getcwd(), set(sys.modules)
    saved_streams, saved_warnings = (sys.stdout, sys.stderr), sys.warnoptions[:]
    folder = tempfile.mkdtemp()
    null = os.open(os.devnull, os.O_RDWR)
    saved_fds = os.dup(1), os.dup(2)
    try:
        for name, text in (("test_gym_sample.py", _SAMPLE), ("pytest.ini", "[pytest]\n")):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        os.chdir(folder)
        for fd in (1, 2):
            os.dup2(null, fd)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
        pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", folder, folder])
    finally:
        sys.stdout, sys.stderr = saved_streams
        for fd, saved in zip((1, 2), saved_fds):
            os.dup2(saved, fd)
            os.close(saved)
        os.close(null)
        os.chdir(saved_cwd)
        sys.path[:], sys.meta_path[:], sys.argv = saved_path, saved_hooks, saved_argv
        sys.warnoptions[:] = saved_warnings
        os.environ.clear()
        os.environ.update(saved_environ)
        for name in set(sys.modules) - saved_modules:
            if name.startswith("test_gym_sample"):
                del sys.modules[name]
        sys.path_importer_cache.clear()
        shutil.rmtree(folder, ignore_errors=True)


def shadowed(names: Iterable[str]) -> str:
    """The first of the workspace's importable names that is imported already here, or "".

    A cold run would import the workspace's own module under that name.
    """
    for name in sorted(names):
        if name in sys.modules and name not in {"__main__", "conftest"}:
            return name
    return ""


def importable_names(folder: str, skip: frozenset[str] = frozenset([".git", "__pycache__"])) -> set[str]:
    """Top-level module names that files below ``folder`` could take: modules and packages in folders that
    are no packages themselves, each of which may come to stand on ``sys.path``."""
    names = set()
    for _where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skip]
        if "__init__.py" in files:
            names.add(os.path.basename(_where))
            continue
        names.update(name[:-3] for name in files if name.endswith(".py"))
        names.update(folders)
    return names


def run_pytest(arguments: list[str], report_fd: int) -> None:
    """In the forked child: what ``python -m pytest ARGUMENTS`` does. Raises its ``SystemExit``."""
    enter_program("pytest.__main__", arguments)
    run_module(report_fd)


def enter_program(module: str, arguments: list[str]) -> None:
    """Make this forked process look like a fresh ``python -m MODULE ARGUMENTS`` in the current folder."""
    import random
    import signal

    sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="backslashreplace")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    spec = importlib.util.find_spec(module)
    main = types.ModuleType("__main__")
    main.__spec__ = spec
    main.__file__ = spec.origin if spec else None
    main.__package__ = module.rpartition(".")[0]
    sys.modules["__main__"] = main
    sys.argv = [main.__file__ or module, *arguments]


def leave_program(code: Any) -> None:
    """End the forked process as the interpreter would: threads joined, atexit run, output flushed."""
    import atexit
    import threading

    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    os._exit(code & 0xFF)
