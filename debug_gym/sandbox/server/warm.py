"""Warm programs: a fork of an interpreter that has much imported already becomes what a fresh one would be.

A test run in the fork must be equal to a cold ``python -m pytest`` in the same sandbox. What would differ is
found out beforehand, and such a run is made cold (see ``shadowed``).
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import re
import stat
import sys
import types
from typing import Any, Collection, Iterable

from . import clock
from .files import MAX_DEPTH
from .pytest_reporter import run_module

_PYTHONPATH_SETTING = re.compile(rb"^[ \t]*pythonpath[ \t]*=([^\n]*(?:\n[ \t]+[^\n]+)*)", re.MULTILINE)
_SETTINGS = (
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
_MODULE_SUFFIXES = (".py", ".pyc", ".so")


def python_path(folder: str) -> list[str]:
    """The folders that ``$PYTHONPATH`` names to an interpreter that starts in ``folder``."""
    value = os.environ.get("PYTHONPATH")
    return [os.path.abspath(os.path.join(folder, part)) for part in value.split(os.pathsep)] if value else []


# -- names that the workspace could take ------------------------------------------------------


def importable_names(changed: str, workspace: str | None = None) -> set[str]:
    """Top-level module names that files below ``changed`` could take: those of modules and packages in
    folders that are no packages themselves, each of which may come to stand on ``sys.path``.

    ``workspace``: the whole of which ``changed`` holds a part; there it is looked up what is a package.
    """
    names: set[str] = set()
    for folder, folders, files in os.walk(changed):
        folders[:] = [name for name in folders if name not in {".git", "__pycache__"}]
        if folder.count("/") - changed.count("/") >= MAX_DEPTH:
            folders.clear()  # nobody imports from there, and walking down takes a stack
        whole = folder if workspace is None else workspace + folder[len(changed) :]
        if _is_package(whole):
            if not _is_package(os.path.dirname(whole)):
                names.add(os.path.basename(whole))
        else:
            names.update(_module_names(files))
    return names


def first_folders(workspace: str) -> list[str]:
    """The folders that are on ``sys.path`` before all others: the workspace itself, those of ``$PYTHONPATH``,
    and those of pytest's setting ``pythonpath``."""
    return [workspace, *python_path(workspace), *_configured_path(workspace)]


def names_on_path(workspace: str) -> set[str]:
    """Names of the modules and packages of the workspace in ``first_folders``."""
    names: set[str] = set()
    for folder in set(first_folders(workspace)):
        if os.path.isdir(folder) and (folder + "/").startswith(workspace + "/"):
            entries = os.listdir(folder)
            names.update(_module_names(entries))
            names.update(name for name in entries if _is_package(os.path.join(folder, name)))
    return names


def _configured_path(workspace: str) -> Iterable[str]:
    for name in _SETTINGS:
        try:
            fd = os.open(os.path.join(workspace, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(fd, "rb") as file:
                text = file.read(1 << 20) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
            found = _PYTHONPATH_SETTING.findall(text)
        except OSError:
            continue
        for word in re.split(r"[\s,\[\]\"']+", b" ".join(found).decode("utf-8", "replace")):
            yield os.path.normpath(os.path.join(workspace, word))


def _is_package(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "__init__.py"))


def _module_names(files: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in files if name.endswith(_MODULE_SUFFIXES)}


def shadowed(names: set[str], first: set[str], startup: Collection[str]) -> str:
    """The first of the workspace's names that a cold run would import from the workspace and that is imported
    already here, or "".

    ``names``: all that it could take; ``first``: those on ``sys.path`` from the start; ``startup``: modules
    that a cold run, too, has imported before any other folder comes to stand there.
    """
    if python_path("/") and not names.isdisjoint(["sitecustomize", "usercustomize"]):
        return "sitecustomize"
    for name in sorted((names | first) - {"__main__", "conftest"}):
        if name in sys.modules and (name in first or name not in startup):
            return name
    return ""


# -- the forked program -----------------------------------------------------------------------

_ahead: set[str] = set()
"""Modules that were there before the program began."""


def run_pytest(arguments: list[str], report_fd: int, wanted: list[str]) -> None:
    """In the forked child: what ``python -m pytest ARGUMENTS`` does with the tests that are wanted (none:
    those that it selects). Raises its ``SystemExit``."""
    enter_program("pytest.__main__", arguments)
    if getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    run_module(report_fd, wanted)


def enter_program(module: str, arguments: list[str]) -> None:
    """Make this forked process look like a fresh ``python -m MODULE ARGUMENTS`` in the current folder."""
    import linecache
    import random
    import signal
    import threading

    clock.stop_clock()
    linecache.cache.pop("<string>", None)  # since Python 3.13, the text of the ``-c`` that we were started by
    own = python_path(os.getcwd())
    sys.path[:] = [os.getcwd(), *dict.fromkeys(own), *[folder for folder in sys.path if folder not in own]]
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
    sys.stdin = sys.__stdin__ = stream(0, sys.__stdin__)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = stream(1, sys.__stdout__)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = stream(2, sys.__stderr__)  # type: ignore[misc]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if hasattr(threading, "get_native_id"):
        threading.main_thread()._set_native_id()  # type: ignore[attr-defined]
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    spec = importlib.util.find_spec(module)
    main = types.ModuleType("__main__")
    main.__spec__ = spec
    main.__file__ = spec.origin if spec else None
    main.__package__ = module.rpartition(".")[0]
    sys.modules["__main__"] = main
    _ahead.update(sys.modules)
    sys.argv = [main.__file__ or module, *arguments]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, "-m", main.__package__ or module, *arguments]


def stream(fd: int, model: Any, *, at_once: bool = False) -> io.TextIOWrapper:
    """A new standard stream, made as the interpreter made its own; ``at_once``: written line by line."""
    mode = "r" if fd == 0 else "w"
    unbuffered = getattr(model, "write_through", False)  # Python 3.6 does not tell
    buffer: Any = open(fd, mode + "b", 0 if fd and unbuffered else -1, closefd=False)
    getattr(buffer, "raw", buffer).name = model.name
    made = io.TextIOWrapper(
        buffer,
        encoding=model.encoding,
        errors=model.errors,
        newline="\n",
        line_buffering=at_once or model.line_buffering,
        write_through=unbuffered,
    )
    made.mode = mode  # type: ignore[misc]
    return made


def leave_program(code: Any) -> None:
    """End the forked process as the interpreter would: threads joined, atexit run, the program's modules
    cleared, output flushed. What was imported ahead is left alone: tearing it down takes long."""
    import atexit
    import threading

    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        if threading.active_count() == 1:
            _clear_modules()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 120
    os._exit(code & 0xFF)


def _clear_modules() -> None:
    """Drop what the program's modules hold: files left open are written, finalizers run."""
    for name in [name for name in reversed(list(sys.modules)) if name not in _ahead]:
        module = sys.modules.pop(name)
        content = vars(module) if isinstance(module, types.ModuleType) else {}
        for key in sorted(content, key=lambda key: not key.startswith("_")):
            if key != "__builtins__":
                content[key] = None
