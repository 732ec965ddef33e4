"""A warm test run starts from the state of a fresh interpreter, whatever was imported ahead."""

import json
import textwrap

import pytest

from debug_gym.task import Environment

STATE = """
import atexit, builtins, decimal, faulthandler, gc, json, locale, logging, os, resource, signal, sys, tempfile
import threading, time, warnings

def stream(file):
    raw = getattr(file.buffer, "raw", file.buffer)
    return [file.name, file.mode, file.encoding, file.errors, file.line_buffering, file.write_through,
            file.newlines, file.seekable(), type(file.buffer).__name__, raw.name, raw.mode]

def status():
    names = {"Name", "Umask", "Uid", "Gid", "Threads", "SigBlk", "SigCgt", "CapEff", "NoNewPrivs", "Seccomp"}
    return [line for line in open("/proc/self/status").read().splitlines() if line.split(":")[0] in names]

def state():
    main = sys.modules["__main__"]
    return {
        "path": sys.path, "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", [])[1:],
        "flags": repr(sys.flags), "environ": sorted(os.environ.items()), "cwd": os.getcwd(),
        "leader": os.getpid() == os.getsid(0) == os.getpgid(0), "parent": os.getppid(),
        "signals": {int(n): repr(signal.getsignal(n)).split(" at ")[0] for n in signal.Signals},
        "limits": [resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")],
        "streams": [stream(file) for file in (sys.__stdin__, sys.__stdout__, sys.__stderr__)],
        "threads": [threading.active_count(), threading.Thread().name],
        "native_id": threading.main_thread().native_id == os.getpid(),
        "warnings": [repr(item) for item in warnings.filters], "warnoptions": sys.warnoptions,
        "finders": [getattr(f, "__name__", type(f).__name__) for f in sys.meta_path],
        "hooks": [getattr(hook, "__qualname__", repr(hook)) for hook in sys.path_hooks],
        "logging": [logging.root.level, [type(handler).__name__ for handler in logging.root.handlers]],
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks), len(gc.garbage)],
        "interpreter": [sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace() is None,
                        sys.excepthook is sys.__excepthook__, sys.breakpointhook is sys.__breakpointhook__,
                        faulthandler.is_enabled(), sys.dont_write_bytecode, sys.pycache_prefix],
        "builtins": sorted(vars(builtins)), "decimal": repr(decimal.getcontext()), "atexit": atexit._ncallbacks(),
        "locale": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False), sys.getfilesystemencoding()],
        "tempdir": [tempfile.gettempdir(), tempfile.tempdir], "time": [time.tzname, time.timezone],
        "descriptors": len(os.listdir("/proc/self/fd")), "status": status(),
        "main": [main.__file__, main.__package__, main.__spec__.name],
    }

imported = json.loads(json.dumps(state()))
def test_state():
    with open("/tmp/left", "w") as file: json.dump({"import": imported, "test": state()}, file)
"""
VARIABLES = {
    "none": {},
    "relative_python_path": {"PYTHONPATH": "src:/workspace/lib::tests"},
    "streams": {
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "latin-1",
        "PYTHONWARNINGS": "error::ImportWarning",
    },
    "safe_path": {"PYTHONSAFEPATH": "1", "PYTHONPATH": "src", "PYTHONDEVMODE": "1", "PYTHONUTF8": "1"},
    "places": {"TMPDIR": "/workspace/temporary", "COLUMNS": "60", "PYTEST_ADDOPTS": "-rA"},
}


def _environment(**fields):
    return Environment(**{"preload": (), "variables": {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, **fields})


@pytest.mark.parametrize("name", VARIABLES)
def test_the_state_is_that_of_a_fresh_interpreter(backend, make_task, run_both, name):
    files = {"test_state.py": STATE, "src/one.py": "", "temporary/x": ""}
    environment = _environment(variables={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **VARIABLES[name]})
    with backend.start(make_task(files, environment=environment)) as sandbox:
        cold, warm = run_both(sandbox)
    was, is_now = json.loads(cold[4]), json.loads(warm[4])
    assert warm[:4] == cold[:4]
    for moment in ("import", "test"):
        assert is_now[moment] == was[moment]
    assert warm[5] == cold[5]


def test_a_source_folder_on_a_relative_python_path(backend, make_task, run_both):
    files = {
        "src/inside/__init__.py": "value = 1\n",
        "test_inside.py": "from inside import value\ndef test_a(): assert value == 1\n",
    }
    environment = _environment(variables={"PYTHONPATH": "src"})
    with backend.start(make_task(files, environment=environment)) as sandbox:
        cold, warm = run_both(sandbox)
    assert warm == cold
    assert warm[0] == 0


INSTALLED = {
    "plain.py": "import os\nos.environ['PLAIN'] = 'imported'\n",
    "warns.py": "import warnings\nwarnings.warn('warns is old', DeprecationWarning)\n",
    "uses_warns.py": "import warns\n",
    "filters.py": "import warnings\nwarnings.simplefilter('ignore')\n",
    "prints.py": "print('hello from prints')\n",
    "starts.py": "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n",
    "fails.py": "import fails_inside\nraise RuntimeError('cannot')\n",
    "fails_inside.py": "",
    "exits.py": "raise SystemExit(3)\n",
}
USES = {
    "plain": "import plain, os\ndef test_a(): assert os.environ['PLAIN'] == 'imported'\n",
    "warns": "import warns\ndef test_a(): pass\n",
    "uses_warns": "import uses_warns\ndef test_a(): pass\n",
    "filters": "import filters, warnings\ndef test_a(): warnings.warn('heard')\n",
    "prints": "import prints\nassert 0\n",
    "starts": "import starts, threading\ndef test_a(): assert threading.active_count() == 2\n",
    "fails": """
        import sys
        def test_a():
            try: import fails
            except RuntimeError: pass
            assert 'fails_inside' in sys.modules
        def test_b(): import fails
    """,
    "exits": "import exits\n",
}


@pytest.fixture(scope="module")
def odd_sandbox(backend, make_task, make_interpreter):
    """A sandbox whose interpreter has odd modules, which the repository imports."""
    files = {"imports.txt.py": "".join(f"import {name}\n" for name in USES), "pytest.ini": "[pytest]\n"}
    environment = Environment(python=make_interpreter(INSTALLED))
    with backend.start(make_task(files, environment=environment)) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", USES)
def test_what_an_import_does_is_seen_warm_as_it_is_cold(odd_sandbox, run_both, name):
    odd_sandbox.write("test_case.py", textwrap.dedent(USES[name]).encode())
    cold, warm = run_both(odd_sandbox)
    assert warm == cold


def test_only_what_does_nothing_odd_is_imported_ahead(odd_sandbox):
    odd_sandbox.write(
        "test_case.py",
        b"import sys\ndef test_a(): open('/tmp/left', 'w').write(' '.join(sorted(sys.modules)))\n",
    )
    assert odd_sandbox.run_tests().warm
    ahead = set(odd_sandbox.exec("cat /tmp/left").output.split())
    assert ahead & {name.removesuffix(".py") for name in INSTALLED} == {"plain", "filters"}


def test_what_starts_threads_behind_everyday_imports_is_imported_ahead(backend, make_task):
    """OpenBLAS behind numpy, the allocator of pyarrow behind pandas: their threads are turned off."""
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    test = """
import sys
ahead = {"numpy", "pandas", "pyarrow"} & set(sys.modules)
import pandas
def test_a(): assert len(ahead) == 3
"""
    with backend.start(make_task({"test_a.py": test})) as sandbox:
        assert sandbox.run_tests().exit_code == 0


PLUGIN = {
    "plug.py": """
import os, sys
import plug_helper
sessions = []
def pytest_configure(config):
    import plug_late
    sessions.append(1)
    os.environ["PLUGGED"] = str(len(sessions))
def pytest_report_header(): return "sessions: %d" % len(sessions)
def pytest_unconfigure():
    open("/tmp/left", "a").write("%d %s" % (len(sessions), sys.modules["plug_helper"].compare([1])))
""",
    "plug_helper.py": "def compare(value):\n    try: assert value == [2]\n    except AssertionError as error: return error\n",
    "plug_late.py": "",
    "plug-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: plug\nVersion: 1\n",
    "plug-1.dist-info/entry_points.txt": "[pytest11]\nplug = plug\n",
    "plug-1.dist-info/RECORD": "plug.py,,\nplug_helper.py,,\nplug_late.py,,\n",
}


def test_an_installed_plugin_has_seen_no_session_before(backend, make_task, make_interpreter, run_both):
    files = {"test_a.py": "import plug_helper, plug_late\ndef test_a(): pass\n"}
    with backend.start(make_task(files, environment=Environment(python=make_interpreter(PLUGIN)))) as sandbox:
        cold, warm = run_both(sandbox)
    assert warm == cold
    assert warm[4].startswith("1 assert [1] == [2]")
    assert "sessions: 1" in warm[5]
