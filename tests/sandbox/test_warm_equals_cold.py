"""A warm test run gives what a cold ``python -m pytest`` gives: exit code, output, results, side effects."""

import textwrap

import pytest

from debug_gym.task import Environment, Tests

BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Variables for quick cold runs: without the plugins that happen to be installed."""
AHEAD = Environment(preload=("colorsys",), variables=BARE)

CASES = {
    "pass_fail_skip_xfail": """
        import pytest
        def test_pass(): pass
        def test_fail(): assert 1 == 2
        @pytest.mark.skip(reason="later")
        def test_skip(): pass
        @pytest.mark.xfail
        def test_xfail(): assert 0
        @pytest.mark.xfail
        def test_xpass(): pass
        @pytest.mark.parametrize("n", [1, 2])
        def test_many(n): assert n < 2
    """,
    "errors_in_fixtures": """
        import pytest
        @pytest.fixture
        def broken(): raise ValueError("setup")
        @pytest.fixture
        def leaky():
            yield
            raise ValueError("teardown")
        def test_setup(broken): pass
        def test_teardown(leaky): pass
    """,
    "import_error": "import no_such_module\ndef test_a(): pass\n",
    "syntax_error": "def test_a(:\n",
    "no_tests": "x = 1\n",
    "exit_in_test": "import sys\ndef test_a(): sys.exit(0)\ndef test_b(): pass\n",
    "exit_at_import": "import sys\nsys.exit(0)\n",
    "hard_exit_in_test": "import os\ndef test_a(): os._exit(0)\ndef test_b(): pass\n",
    "hard_exit_at_import": "import os\nos._exit(0)\n",
    "killed": "import os\ndef test_a(): os.kill(os.getpid(), 9)\n",
    "aborted": "import os\ndef test_a(): os.abort()\n",
    "stdin": "import sys\ndef test_a(): assert sys.stdin.read() == ''\n",
    "input": "def test_a(): input()\n",
    "stdin_descriptor": "import os\ndef test_a(): assert os.read(0, 10) == b''\n",
    "keyboard_interrupt": "def test_a(): raise KeyboardInterrupt\n",
    "atexit": "import atexit\natexit.register(lambda: open('/tmp/left', 'a').write('atexit'))\ndef test_a(): pass\n",
    "thread_left_running": """
        import threading, time
        def test_a(): threading.Thread(target=lambda: (time.sleep(.2), open('/tmp/left', 'a').write('thread'))).start()
    """,
    "daemon_thread": """
        import threading, time
        def test_a(): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    """,
    "subprocess": """
        import subprocess, sys
        def test_a(): assert subprocess.check_output([sys.executable, '-c', 'print(1)']) == b'1\\n'
    """,
    "multiprocessing_fork": """
        import multiprocessing as mp
        def square(x): return x * x
        def test_a():
            with mp.get_context('fork').Pool(2) as pool: assert pool.map(square, [1, 2]) == [1, 4]
    """,
    "multiprocessing_spawn": """
        import multiprocessing as mp
        def square(x): return x * x
        def test_a():
            with mp.get_context('spawn').Pool(1) as pool: assert pool.map(square, [1, 2]) == [1, 4]
    """,
    "asyncio": "import asyncio\ndef test_a(): assert asyncio.run(asyncio.sleep(0, 5)) == 5\n",
    "main_module": """
        import __main__, sys
        def test_a(): assert __main__.__file__.endswith('pytest/__main__.py') and __name__ == 'test_case'
        def test_argv(): assert sys.argv[0].endswith('pytest/__main__.py')
    """,
    "first_path_entry": "import sys\ndef test_a(): assert '/workspace' in sys.path\n",
    "warnings": "import warnings\ndef test_a(): warnings.warn('old', DeprecationWarning)\n",
    "capture": """
        import os
        def test_a(capfd):
            print('a'); os.system('echo b')
            assert sorted(capfd.readouterr().out.split()) == ['a', 'b']
    """,
    "caplog": "import logging\ndef test_a(caplog): logging.warning('w'); assert 'w' in caplog.text\n",
    "recursion": """
        import pytest, sys
        def dive(): return dive()
        def test_limit(): assert sys.getrecursionlimit() == 1000
        def test_dive():
            with pytest.raises(RecursionError): dive()
    """,
    "signal_handlers": """
        import signal
        def test_a():
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
            assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    """,
    "alarm": """
        import signal, time, pytest
        def ring(*_): raise TimeoutError
        def test_a():
            signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, .05)
            with pytest.raises(TimeoutError): time.sleep(5)
    """,
    "environment": """
        import os
        def test_a(): assert {'PYTEST_CURRENT_TEST', 'PYTEST_VERSION'} <= set(os.environ)
        def test_all(): assert sorted(k for k in os.environ if k.startswith('PYTHON')) == [
            'PYTHONDONTWRITEBYTECODE', 'PYTHONHASHSEED', 'PYTHONNOUSERSITE']
    """,
    "random_differs": """
        import random
        def test_a():
            open('/tmp/random', 'a').write(f'{random.random()}\\n')
            seen = open('/tmp/random').read().split()
            assert len(set(seen)) == len(seen)
    """,
    "hash_is_fixed": """
        def test_a():
            open('/tmp/hash', 'a').write(f'{hash("abc")}\\n')
            assert len(set(open('/tmp/hash').read().split())) == 1
    """,
    "garbage_collector": "import gc\ndef test_a(): assert gc.isenabled() and gc.get_threshold()[0] == 700\n",
    "descriptors": """
        import os
        def test_a(): assert len(os.listdir('/proc/self/fd')) < 14
    """,
    "unraisable": "class A:\n    def __del__(self): raise ValueError\ndef test_a(): A()\n",
    "faulthandler": "import faulthandler\ndef test_a(): assert faulthandler.is_enabled()\n",
    "assertion_rewriting": "def test_a():\n    a = [1, 2, 3]\n    assert a == [1, 2, 4]\n",
    "unittest": """
        import unittest
        class Test(unittest.TestCase):
            def setUp(self): self.x = 1
            def test_a(self): self.assertEqual(self.x, 1)
            def test_b(self): self.assertEqual(self.x, 2)
            @unittest.skip('x')
            def test_c(self): pass
            def test_d(self):
                for i in range(3):
                    with self.subTest(i=i): self.assertLess(i, 2)
    """,
    "tmp_path_and_monkeypatch": """
        def test_a(tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path); open('x', 'w').close(); assert (tmp_path / 'x').exists()
    """,
    "output_after_the_end": "import atexit\natexit.register(print, 'bye')\ndef test_a(): pass\n",
    "nested_session": """
        import pytest
        def test_a(tmp_path):
            (tmp_path / 'test_inner.py').write_text('def test_b(): assert 0')
            assert pytest.main(['-p', 'no:cacheprovider', str(tmp_path)]) == 1
    """,
    "pytester": """
        pytest_plugins = 'pytester'
        def test_a(pytester):
            pytester.makepyfile('def test_b(): assert 0')
            pytester.runpytest_inprocess('-p', 'no:cacheprovider').assert_outcomes(failed=1)
    """,
    "multiprocessing_forkserver": """
        import multiprocessing as mp
        def square(x): return x * x
        def test_a():
            with mp.get_context('forkserver').Pool(1) as pool: assert pool.map(square, [1, 2]) == [1, 4]
    """,
    "pools": """
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
        def test_a():
            for kind in (ProcessPoolExecutor, ThreadPoolExecutor):
                with kind(2) as pool: assert list(pool.map(abs, [-1, 2])) == [1, 2]
    """,
    "thread_pool_left_running": """
        import time
        from concurrent.futures import ThreadPoolExecutor
        def slow(): time.sleep(.2); open('/tmp/left', 'a').write('pool')
        def test_a(): ThreadPoolExecutor(1).submit(slow)
    """,
    "asyncio_subprocess": """
        import asyncio
        async def run(): return await (await asyncio.create_subprocess_exec('true')).wait()
        def test_a(): assert asyncio.run(run()) == 0
    """,
    "file_left_open": "file = open('/tmp/left', 'w')\ndef test_a(): file.write('unflushed')\n",
    "finalizer_at_the_end": """
        class Late:
            def __del__(self): print('finalized')
        late = Late()
        def test_a(): pass
    """,
    "finalizer_that_fails": """
        class Late:
            def __del__(self): raise ValueError('too late')
        late = Late()
        def test_a(): pass
    """,
    "weak_finalizer": """
        import weakref
        class Thing: pass
        thing = Thing()
        weakref.finalize(thing, lambda: open('/tmp/left', 'a').write('finalized'))
        def test_a(): pass
    """,
    "resource_warning": "def test_a(): open('/dev/null')\n",
    "doctest": "def f():\n    '''\n    >>> f()\n    1\n    '''\n    return 2\n",
    "working_folder_lost": "import os\ndef test_a(): os.chdir('/tmp')\ndef test_b(): assert os.getcwd() == '/tmp'\n",
}

DIFFERENT = {
    "finalizer_that_fails": "an interpreter near its end no longer finds the source line",
    "aborted": "the interpreter's own frames in faulthandler's dump differ",
}
"""Cases whose output differs, with the reason; everything else about them is equal."""


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    files = {"pytest.ini": "[pytest]\naddopts = --doctest-modules\n"}
    environment = Environment(preload=(), variables=BARE)
    with backend.start(make_task(files, environment=environment)) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", CASES)
def test_warm_run_equals_cold_run(sandbox, run_both, name):
    sandbox.write("test_case.py", textwrap.dedent(CASES[name]).lstrip().encode())
    cold, warm = run_both(sandbox)
    assert warm[:-1] == cold[:-1]
    if name not in DIFFERENT:
        assert warm[-1] == cold[-1]


def test_code_changed_within_the_same_second_is_what_runs(sandbox):
    sandbox.write("test_case.py", b"from unit import value\ndef test_a(): assert value == 1\n")
    for value in (1, 2, 1, 2):
        sandbox.write("unit.py", b"value = %d\n" % value)
        for cold in (False, True):
            assert sandbox.run_tests(cold=cold).success is (value == 1)


def test_a_message_at_exit_is_printed(make_session, run_both):
    files = {"conftest.py": "raise SystemExit('not today')\n", "test_a.py": "def test_a(): pass\n"}
    cold, warm = run_both(make_session(files).sandbox)
    assert warm == cold
    assert warm[0] == 1
    assert "not today" in warm[-1]


@pytest.mark.parametrize("cold", [True, False])
def test_a_session_inside_a_test_is_not_reported(sandbox, cold):
    sandbox.write("test_case.py", textwrap.dedent(CASES["nested_session"]).encode())
    run = sandbox.run_tests(cold=cold)
    assert run.outcomes == {"test_case.py::test_a": "passed"}
    assert run.collected == ("test_case.py::test_a",)
    assert run.success


def test_tests_in_several_processes(make_session, run_both):
    pytest.importorskip("xdist")
    files = {"test_a.py": "def test_a(): assert 0\ndef test_b(): pass\n"}
    sandbox = make_session(files, tests=Tests(command=("pytest", "-n2", "-q"))).sandbox
    cold, warm = run_both(sandbox)
    assert warm[:-1] == cold[:-1]
    assert warm[1] == {"test_a.py::test_a": "failed", "test_a.py::test_b": "passed"}
    assert set(warm[3]) == set(warm[1])


SHADOWING = {
    "json.py": {},
    "pluggy/__init__.py": {},
    "tests/colorsys.py": {},
    "lib/json/__init__.py": {"pytest.ini": "[pytest]\npythonpath = .  lib\n"},
    "lib/colorsys.py": {"lib/__init__.py": "", "setup.cfg": "[tool:pytest]\npythonpath = lib\n"},
    "pkg/json.py": {
        "pkg/__init__.py": "",
        "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["pkg"]\n',
    },
}


@pytest.mark.parametrize("name", SHADOWING)
def test_a_workspace_module_with_the_name_of_a_preloaded_one_runs_cold(make_session, name):
    files = {name: "MINE = 1\n", "tests/test_a.py": "def test_a(): pass\n", **SHADOWING[name]}
    run = make_session(files, environment=AHEAD).sandbox.run_tests()
    assert not run.warm
    assert "own module named" in run.note


@pytest.mark.parametrize(
    "name",
    [
        "data/json/example.txt",
        "json/example.txt",
        "pkg/json/__init__.py",
        "pkg/colorsys.py",
        "tests/argparse.py",  # pytest itself has imported the installed one before, in any run
    ],
)
def test_a_name_that_a_cold_run_would_not_import_runs_warm(make_session, run_both, name):
    files = {
        name: "MINE = 1\n",
        "pkg/__init__.py": "",
        "tests/test_a.py": "import argparse, colorsys, json\ndef test_a(): assert not hasattr(argparse, 'MINE')\n",
    }
    cold, warm = run_both(make_session(files, environment=AHEAD).sandbox)
    assert warm == cold
    assert warm[0] == 0


def test_a_colliding_module_made_later_runs_cold(make_session):
    files = {"test_a.py": "import colorsys\ndef test_a(): assert colorsys.MINE\n", "pkg/__init__.py": ""}
    sandbox = make_session(files, environment=AHEAD).sandbox
    run = sandbox.run_tests()
    assert run.warm
    assert not run.success
    sandbox.write("pkg/colorsys.py", b"")
    assert sandbox.run_tests().warm
    sandbox.write("colorsys.py", b"MINE = 1\n")
    run = sandbox.run_tests()
    assert run.success
    assert not run.warm


def test_start_code_on_the_python_path_runs_cold(make_session):
    files = {
        "src/sitecustomize.py": "import sys\nsys.STARTED = True\n",
        "test_a.py": "import sys\ndef test_a(): assert sys.STARTED\n",
    }
    environment = Environment(preload=(), variables={**BARE, "PYTHONPATH": "src"})
    run = make_session(files, environment=environment).sandbox.run_tests()
    assert run.success
    assert not run.warm
