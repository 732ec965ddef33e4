"""What all tests share: repositories on disk, and live sandboxes around them."""

import gc
import importlib.util
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.store.records import Run
from debug_gym.task import DirectorySource, Environment, Task
from debug_gym.tools.base import Session

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
hypothesis.settings.register_profile(  # a busy machine stalls any process for seconds, which says nothing of a test
    "debug-gym", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("debug-gym")
MAY_BE_MISSING = ("Python", "Triton", "x86-64", "root may", "not a git checkout")
"""What a machine that installs all that tests need may still lack, by a word of the reason for skipping."""
GOLD = """\
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure: what it needs should have been installed."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(word in reason for word in MAY_BE_MISSING):
            report.outcome, report.longrepr = "failed", f"skipped, which CI does not allow: {reason}"
    return report


def pytest_collection_modifyitems(items):
    """Files that hold slow tests come first: where several workers share the files, none is left for the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """No test touches the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEBUG_GYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", autouse=True)
def nothing_left_open():
    """A file or socket that a module's tests leave open is told there, not in whatever test runs when the
    garbage is collected."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def smollm2():
    """A folder with real weights: SmolLM2-135M-Instruct."""
    spec = importlib.util.spec_from_file_location("smollm2", Path(__file__).parent / "smollm2.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.smollm2()


@pytest.fixture(scope="session")
def make_task(tmp_path_factory):
    """``make_task({"a.py": "x = 1\\n"}, **fields of Task)``: a task around a new folder with these files."""

    def make(files, **fields):
        folder = tmp_path_factory.mktemp("repository")
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        values = {"id": "example", "problem": "Something is wrong.", "source": DirectorySource(path=folder)}
        return Task(**{**values, **fields})

    return make


@pytest.fixture
def calc(tmp_path):
    """A folder with a function that is wrong, and the test that says so."""
    folder = tmp_path / "calc"
    folder.mkdir()
    (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (folder / "test_calc.py").write_text(
        "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    return folder


@pytest.fixture
def broken(tmp_path):
    """Make a folder ``name`` with a wrong sum, and a gold patch beside it; gives the benchmark's options."""

    def make(
        name="calc", test="from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n", gold=GOLD
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
        (folder / "test_calc.py").write_text(test)
        (tmp_path / f"{name}.diff").write_text(gold)
        return {"path": folder, "gold_patch": tmp_path / f"{name}.diff"}

    return make


@pytest.fixture
def told():
    """Everything that a run's agents did and saw, without times, and the predictions."""

    def tell(folder):
        run = Run.open(folder)
        found = {path.name: path.read_text() for path in folder.glob("predictions*")}
        for result in run.results():
            trajectory = run.trajectory(*result.key)
            steps = [(step.call, step.observation.text) for step in trajectory.steps]
            found[result.key] = (result.status, result.seed, result.reason, steps, trajectory.verdict.seen)
        return found

    return tell


@pytest.fixture(scope="module")
def backend():
    if not os.path.isdir("/proc/self/ns"):
        pytest.skip("needs Linux")
    running = NamespaceBackend()
    yield running
    running.close()


@pytest.fixture
def make_session(backend, make_task):
    """``make_session(files, **fields of Task)``: what tools work on, around a sandbox of this one test.

    Nothing is imported ahead unless the fields say so: a module's sandboxes share one warm interpreter.
    """
    with ExitStack() as sandboxes:
        yield lambda files, **fields: _session(sandboxes, backend, make_task, files, fields)


@pytest.fixture(scope="module")
def make_shared_session(backend, make_task):
    """The same around a sandbox that lives as long as the test module."""
    with ExitStack() as sandboxes:
        yield lambda files, **fields: _session(sandboxes, backend, make_task, files, fields)


def _session(sandboxes, backend, make_task, files, fields):
    task = make_task(files, **{"environment": Environment(preload=()), **fields})
    return Session(sandbox=sandboxes.enter_context(backend.start(task)), task=task)
