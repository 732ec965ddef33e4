"""Nothing stays behind: no process, mount, folder or descriptor, however a gym ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from debug_gym.sandbox.server.processes import descendants

NAP = f"sleep {os.getpid()}.4242"
"""A command that no other run of these tests has."""
PLAYER = """
import os, sys, threading
from pathlib import Path
from debug_gym import plugins
from debug_gym.task import DirectorySource, Task
backend = plugins.load("sandboxes", sys.argv[2])()
task = Task(id="x", problem="", source=DirectorySource(path=Path(sys.argv[1])))
sandboxes = [backend.start(task) for _ in range(3)]
for sandbox in sandboxes:
    sandbox.shell(sys.argv[3] + " &")
    sandbox.run_tests()
print("ready", flush=True)
sandboxes[0].exec(sys.argv[3], timeout=1000)
"""


def _processes(word):
    return subprocess.run(["pgrep", "-f", word], capture_output=True, text=True, check=False).stdout.split()


def _eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("kind", ["namespace", "process"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_gym_leaves_nothing(backend, make_task, tmp_path, kind, how):
    source = make_task({"test_a.py": "def test_a(): pass\n"}).source.path
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    gym = subprocess.Popen(
        [sys.executable, "-c", PLAYER, str(source), kind, NAP],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with gym:
        assert gym.stdout.readline() == b"ready\n"
        assert _eventually(lambda: _processes("^" + NAP))
        gym.send_signal(how)
        gym.wait()
    assert _eventually(lambda: not _processes("^" + NAP)), _processes("^" + NAP)
    assert _eventually(lambda: not any(tmp_path.iterdir())), list(tmp_path.iterdir())
    assert not any("/workspace" in line for line in _mounts())


def test_many_sandboxes_leave_no_descriptor_process_or_mount(backend, make_task):
    task = make_task({"a.py": "x = 1\n"})
    with backend.start(task) as warm_up:
        warm_up.exec("true")
    (*_, template) = backend._templates.values()
    assert _eventually(lambda: descendants(template._process.pid))  # the sandbox that is started ahead
    before = _settled()
    for number in range(60):
        sandbox = backend.start(task)
        sandbox.shell(NAP + " &")
        if number % 3 == 0:
            sandbox.fork().close()
        if number % 2:
            sandbox.close()
        else:
            sandbox.connection.fail("left to die")
            sandbox.close()
    assert _eventually(lambda: _held() == before), (_held(), before)


def _settled():
    """What is held once nothing changes any more: sandboxes that were just closed take a moment to go."""
    seen = [_held()]
    while len(seen) < 5 or seen[-1] != seen[-5]:
        time.sleep(0.1)
        seen.append(_held())
    return seen[-1]


def _held():
    """Descriptors, the number of processes below this one, mounts."""
    return sorted(os.listdir("/proc/self/fd")), len(descendants(os.getpid())), _mounts()


def _mounts():
    """But those of containers, which are other programs' business and come and go."""
    with open("/proc/self/mountinfo") as file:
        return [line for line in file if not any(word in line for word in ("docker", "containers", "netns"))]


def test_a_forked_copy_of_the_gym_neither_keeps_nor_breaks_its_sandboxes(backend, make_task):
    sandbox = backend.start(make_task({"a.py": "x = 1\n"}))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sandbox.exec("true")
        except Exception as error:
            code = 0 if "forked" in str(error) else 2
        os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert sandbox.exec("echo mine").output == "mine\n"
    sandbox.close()
