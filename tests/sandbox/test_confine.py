"""Tests that start no process by themselves: while they run, nobody can."""

import pytest

from debug_gym.task import Environment, Tests

WAYS = {
    "fork": "os.fork()",
    "a new terminal": "os.forkpty()",
    "another program in its place": "os.execv('/bin/true', ['true'])",
    "subprocess": "subprocess.run(['true'])",
    "a shell": "assert os.system('true') == 0",
    "posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "multiprocessing": "multiprocessing.get_context('fork').Process(target=print).start()",
    "a fresh interpreter": "multiprocessing.get_context('spawn').Process(target=print).start()",
    "C's fork": "c(libc.fork())",
    "C's vfork": "c(libc.vfork())",
    "a call of the kernel": "c(libc.syscall({'x86_64': 57}.get(machine, 1000), 0, 0, 0, 0, 0))",
    "one that shares memory": "c(libc.syscall(clone, 0x100 | signal.SIGCHLD, 0, 0, 0, 0))",
    "the newest one": "c(libc.syscall(435, (ctypes.c_uint64 * 8)(0, 0, 0, 0, signal.SIGCHLD), 64))",
}
TEST = """\
import concurrent.futures, ctypes, multiprocessing, os, platform, pytest, signal, subprocess

libc = ctypes.CDLL(None, use_errno=True)
machine = platform.machine()
clone = {"x86_64": 56, "aarch64": 220}[machine]
me = os.getpid()


def c(pid):
    if pid == 0 or os.getpid() != me:
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "refused")


def test_threads():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
"""


@pytest.fixture(scope="module")
def confined(backend, make_task):
    ways = [f"def test_{number}(): {way}" for number, way in enumerate(WAYS.values())]
    text = "\n\n".join([TEST, *ways])
    task = make_task({"test_ways.py": text, "test_fine.py": "def test_fine(): pass"})
    return task.model_copy(update={"tests": Tests(processes=False)})


@pytest.mark.parametrize("cold", [False, True])
def test_there_is_no_way_to_start_a_process_but_threads_can_be_started(cold, backend, confined):
    with backend.start(confined) as sandbox:
        run = sandbox.run_tests(["test_ways.py"], cold=cold)
        assert run.complete, run.output
        passed = [test for test, outcome in run.outcomes.items() if outcome == "passed"]
        assert passed == ["test_ways.py::test_threads"]
        assert "its tests start no process, so none can be started" in run.note
        assert "start no process" not in sandbox.run_tests(["test_fine.py"], cold=cold).note
        assert sandbox.shell("echo still here").output == "still here\n"


def test_the_ways_work_where_nothing_is_said(backend, confined):
    with backend.start(confined.model_copy(update={"tests": Tests()})) as sandbox:
        run = sandbox.run_tests(["test_ways.py::test_0", "test_ways.py::test_3", "test_ways.py::test_8"])
    assert set(run.outcomes.values()) == {"passed"}, run.output


EARLY = """\
import posix
try:
    if posix.fork() == 0:
        posix._exit(0)
except OSError:
    pass
else:
    posix.close(posix.open("/tmp/forked", posix.O_CREAT | posix.O_WRONLY))
"""


@pytest.mark.parametrize(
    "module",
    [
        "platform.py",
        "json.py",
        "lib/struct.py",
        "lib/ctypes/__init__.py",
        "lib/sitecustomize.py",
        "lib/encodings/__init__.py",
    ],
)
def test_no_module_of_the_workspace_comes_before_that_holds(module, backend, make_task):
    task = make_task({module: EARLY, "test_it.py": "def test_it(): pass"}).model_copy(
        update={"tests": Tests(processes=False), "environment": Environment(variables={"PYTHONPATH": "lib"})}
    )
    with backend.start(task) as sandbox:
        assert not sandbox.run_tests(cold=True).warm
        assert sandbox.shell("ls /tmp/forked").exit_code != 0


def test_the_workspaces_modules_and_its_site_count_as_ever(backend, make_task):
    files = {
        "lib/sitecustomize.py": "import builtins; builtins.begun = ['site']",
        "platform.py": "import os\nours = True\nexec(open(os.path.dirname(os.__file__) + '/platform.py').read())",
        "test_it.py": "import os, sys, json, platform, helped\n"
        "def test_it():\n    assert begun == ['site'] and helped.ok\n"
        "    assert os.environ['PYTHONPATH'].endswith('lib') and sys.path[0] == os.getcwd()\n"
        "def test_ours():\n    assert platform.ours",
        "lib/helped.py": "ok = True",
    }
    task = make_task(files)
    for processes in (True, False):
        tests = Tests(processes=processes)
        variables = Environment(variables={"PYTHONPATH": "lib"})
        with backend.start(task.model_copy(update={"tests": tests, "environment": variables})) as sandbox:
            run = sandbox.run_tests()
            assert not run.warm
            assert set(run.outcomes.values()) == {"passed"}, run.output
