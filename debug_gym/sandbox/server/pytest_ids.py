"""A pytest plugin that names tests by workspace-relative ids, and runs those that are asked for.

pytest's own ids are relative to its rootdir, which the command line, ini files and ``-c`` decide on; two
files may even share one. Here an id is the path of the test's file in the workspace, then pytest's names.

One self-contained file with no relative imports, nor annotations that Python 3.6 could not evaluate: cold
runs and the judge get its source as text.
"""

import codecs
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Tuple

_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|[nrt])")


class Ids:
    """Ids of one session. ``wanted``: ids and paths to run; none: what the command line selects."""

    def __init__(self, wanted: Any = ()) -> None:
        self.folder = os.getcwd()
        self.wanted = list(wanted)
        self.rootdir = self.folder
        self._parametrized: dict[tuple[str, str], set[str]] = {}
        """File and test to the ids with parameters that are wanted of it."""
        self._whole: list[tuple[str, str]] = []
        """Files and folders, and classes and tests in them, of which everything is wanted."""
        self._asked: dict[str, str] = {}
        """Path or id as it is shown to the form in which it was asked for."""
        self._current = ("", "")
        """pytest's id of the test that is being run, and ours."""
        self._collecting: dict[str, str] = {}
        self._cache = ""

    @classmethod
    def mark_hooks(cls) -> None:
        """Say in which order pytest calls the hooks; needs pytest."""
        from _pytest.config import hookimpl

        orders: list[tuple[Any, dict[str, Any]]] = [
            (cls.pytest_configure, {"tryfirst": True}),
            (cls.pytest_runtest_protocol, {"tryfirst": True}),
            (cls.pytest_unconfigure, {"trylast": True}),
            (cls.pytest_collection_modifyitems, {"trylast": True}),
        ]
        for hook, order in orders:
            hookimpl(**order)(hook)

    # -- what to run -----------------------------------------------------------------------

    def pytest_configure(self, config: Any) -> None:
        """Before anything is collected: the tests to run, and a cache that does not outlive the session."""
        self.rootdir = str(getattr(config, "rootpath", None) or config.rootdir)
        if config.pluginmanager.hasplugin("cacheprovider"):
            self._redirect_cache()
        if self.wanted:
            config.args[:] = dict.fromkeys(self._target(test) for test in self.wanted)
            if hasattr(config, "args_source"):
                config.args_source = type(config.args_source).ARGS

    def pytest_unconfigure(self, config: Any) -> None:
        """The session is over."""
        if self._cache:
            shutil.rmtree(self._cache, ignore_errors=True)

    def _redirect_cache(self) -> None:
        """What pytest remembers of the last run must change neither the workspace nor the next run."""
        from _pytest import cacheprovider

        kind: Any = cacheprovider.Cache

        self._cache = os.path.join(tempfile.gettempdir(), "pytest-cache")
        shutil.rmtree(self._cache, ignore_errors=True)
        usual = vars(kind)["cache_dir_from_config"]

        def elsewhere(*_: Any, **__: Any) -> Path:
            kind.cache_dir_from_config = usual  # a test may run a pytest of its own
            return Path(self._cache)

        kind.cache_dir_from_config = staticmethod(elsewhere)

    def _target(self, asked: str) -> str:
        """What pytest's command line takes for an id or path."""
        path, colons, names = asked.partition("::")
        candidates = [os.path.normpath(os.path.join(folder, path)) for folder in (self.folder, self.rootdir)]
        full = next((candidate for candidate in candidates if os.path.exists(candidate)), "")
        if not path or not full:
            return asked
        shown = self._relative(full) or path
        if shown != path:
            self._asked[shown] = path
        base, bracket, parameters = names.partition("[")
        if not bracket:
            self._whole.append((full, names))
            return full + colons + names
        self._parametrized.setdefault((full, base), set()).add(asked)
        odd = "::" in parameters or "\\" in parameters or not parameters.isascii()
        return full + colons + (base if odd or not parameters.isprintable() else names)

    def pytest_collection_modifyitems(self, items: Any) -> None:
        """Of tests with parameters, only those that were asked for."""
        if self._parametrized:
            items[:] = [item for item in items if self._is_wanted(item)]

    def _is_wanted(self, item: Any) -> bool:
        file, names = self._parts(item)
        base = names.partition("[")[0]
        several = self._parametrized.get((file, base))
        for asked in several or ():
            if _plain(asked.partition("::")[2]) == _plain(names):
                self._asked[self._shown(item)] = asked
                return True
        return several is None or any(
            (file + "/").startswith(path + "/") and (base + "::").startswith(whole + "::" if whole else "")
            for path, whole in self._whole
        )

    # -- names -------------------------------------------------------------------------------

    def of_item(self, item: Any) -> str:
        """The id of a test."""
        return self._as_asked(self._shown(item))

    def of_report(self, report: Any) -> str:
        """The id of the test or file that a report is about."""
        nodeid = str(report.nodeid)
        if nodeid == self._current[0]:
            return self._current[1]
        return self._collecting.get(nodeid) or self.of_nodeid(nodeid)

    def of_nodeid(self, nodeid: str) -> str:
        """The id for one of pytest's own, as far as that tells."""
        path, colons, names = nodeid.partition("::")
        full = os.path.normpath(os.path.join(self.rootdir, path))
        shown = self._relative(full) if path and os.path.exists(full) else ""
        return self._as_asked(shown + colons + names) if shown else nodeid

    def pytest_runtest_protocol(self, item: Any) -> None:
        """A test is about to run; its reports follow."""
        self._current = (str(item.nodeid), self.of_item(item))

    def pytest_collectstart(self, collector: Any) -> None:
        """A file or class is about to be collected; a report follows if that fails."""
        file, names = self._parts(collector)
        path = self._relative(file) if file else ""
        if path:
            self._collecting[str(collector.nodeid)] = self._as_asked(path + ("::" + names if names else ""))

    def _shown(self, node: Any) -> str:
        file, names = self._parts(node)
        path = self._relative(file) if file else ""
        return path + "::" + names if path else str(node.nodeid)

    def _as_asked(self, shown: str) -> str:
        if shown in self._asked:
            return self._asked[shown]
        path, colons, names = shown.partition("::")
        return self._asked.get(path, path) + colons + names

    def _relative(self, full: str) -> str:
        """A path relative to the workspace, or "" where it is outside."""
        path = os.path.relpath(full, self.folder)
        return "" if path == os.pardir or path.startswith(os.pardir + os.sep) else path

    def _parts(self, node: Any) -> Tuple[str, str]:
        """The file of a test or class, "" if there is none, and its name in there."""
        import pytest

        file = node.getparent(pytest.File)
        if file is None:
            return "", str(node.nodeid)
        names = str(node.nodeid)[len(str(file.nodeid)) :]
        return str(getattr(file, "path", None) or file.fspath), names[2:] if names.startswith("::") else names


def _plain(names: str) -> str:
    """Without escapes: ids are shown with them, and pytest makes some itself."""
    return _ESCAPE.sub(lambda found: codecs.decode(found.group(), "unicode_escape"), names)
