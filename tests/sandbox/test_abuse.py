"""What code under test may try against its sandbox: each attempt ends in time and leaves a working sandbox."""

import time

import pytest

from debug_gym.errors import SandboxError
from debug_gym.task import Limits

LIMITS = Limits(memory=512 << 20, disk=64 << 20, files=5000, processes=64)

TESTS = {  # name: (code of test_abuse.py, seconds allowed)
    "endless loop": ("def test_a():\n    while True: pass\n", 0.5),
    "endless loop in C": ("def test_a(): sum(range(10 ** 12))\n", 0.5),
    "deaf to signals": (
        "import signal\ndef test_a():\n    for s in (2, 15): signal.signal(s, signal.SIG_IGN)\n    while True: pass\n",
        0.5,
    ),
    "stops itself": ("import os\ndef test_a(): os.kill(os.getpid(), 19)\n", 0.5),
    "fork bomb": ("import os\ndef test_a():\n    while True: os.fork()\n", 1),
    "fork bomb in new sessions": (
        "import os\ndef test_a():\n    while True:\n        try:\n            if not os.fork(): os.setsid()\n"
        "        except OSError: pass\n",
        1,
    ),
    "thread bomb": (
        "import threading, time\ndef test_a():\n    while True: threading.Thread(target=time.sleep, args=(99,)).start()\n",
        2,
    ),
    "memory in one block": ("def test_a(): x = bytearray(4 << 30)\n", 5),
    "memory in small blocks": (
        "def test_a():\n    x = []\n    while True: x.append(bytearray(1 << 20))\n",
        8,
    ),
    "memory in many processes": (
        "import os, time\ndef test_a():\n    for _ in range(8):\n        if not os.fork():\n"
        "            x = bytearray(b'x') * (200 << 20); time.sleep(60)\n    time.sleep(60)\n",
        3,
    ),
    "full disk": (
        "def test_a():\n    f = open('/tmp/big', 'wb')\n    while True: f.write(bytes(1 << 20))\n",
        5,
    ),
    "full workspace": (
        "def test_a():\n    f = open('big', 'wb')\n    while True: f.write(bytes(1 << 20))\n",
        5,
    ),
    "no inodes left": ("def test_a():\n    for i in range(10 ** 6): open(f'/tmp/{i}', 'w').close()\n", 8),
    "endless output": ("import os\ndef test_a():\n    while True: os.write(2, b'y' * 65536)\n", 1),
    "endless output past the capture": (
        "import os\ndef test_a(capfd):\n    with capfd.disabled():\n        while True: os.write(1, b'y' * 65536)\n",
        1,
    ),
    "daemon": (
        "import os, time\ndef test_a():\n    if not os.fork():\n        os.setsid()\n"
        "        if not os.fork(): time.sleep(99)\n        os._exit(0)\n",
        5,
    ),
    "zombies": (
        "import os\ndef test_a():\n    for _ in range(30):\n        if not os.fork(): os._exit(0)\n",
        5,
    ),
    "kills everything": ("import os\ndef test_a(): os.kill(-1, 9)\n", 5),
    "kills pid 1": ("import os\ndef test_a():\n    for s in (9, 15, 19, 2, 1): os.kill(1, s)\n", 5),
    "closes all descriptors": ("import os\ndef test_a(): os.closerange(0, 4096)\n", 5),
    "writes to all descriptors": (
        "import os\ndef test_a():\n    for fd in range(3, 64):\n        try: os.write(fd, b'junk')\n"
        "        except OSError: pass\n",
        5,
    ),
    "deletes the workspace": (
        "import shutil\ndef test_a(): shutil.rmtree('/workspace', ignore_errors=True)\n",
        5,
    ),
    "deletes the interpreter": (
        "import os, sys\ndef test_a():\n    for p in (sys.executable, os.__file__, '/bin/bash'):\n"
        "        try: os.unlink(p)\n        except OSError: pass\n        assert os.path.exists(p)\n",
        5,
    ),
    "stack overflow in C": (
        "import sys\ndef test_a():\n    sys.setrecursionlimit(10 ** 9)\n    f = lambda: f()\n    f()\n",
        8,
    ),
    "segmentation fault": ("import ctypes\ndef test_a(): ctypes.string_at(0)\n", 5),
}

COMMANDS = {
    "sleeps": ("sleep 100", 0.3),
    "in the background": ("sleep 1000 & echo ok", 3),
    "nohup and disown": ("nohup sleep 1000 >/dev/null 2>&1 & disown; echo ok", 3),
    "new session": ("(setsid sleep 1000 &) ; echo ok", 3),
    "yes": ("yes", 0.5),
    "fork bomb": (":(){ :|:& };:; sleep 5", 1),
    "binary output": ("head -c 300000 /dev/urandom", 3),
    "reads the terminal": ("read x; tty; stty size; less /etc/passwd | head -1", 3),
    "stops itself": ("kill -STOP $$", 0.3),
    "many files": ("mkdir i; cd i; for i in $(seq 9000); do :> $i || break; done; cd ..; rm -rf i", 8),
}


@pytest.fixture(scope="module")
def sandbox(backend, make_task):
    task = make_task({"pytest.ini": "[pytest]\n", "test_fine.py": "def test_fine(): pass\n"}, limits=LIMITS)
    with backend.start(task) as sandbox:
        yield sandbox


def _others(sandbox):
    """What runs in the sandbox beside pid 1, its helpers and this very question."""
    listing = sandbox.exec("ps -eo pid=,stat=,args= --no-headers").output.splitlines()
    return [
        line for line in listing if not any(own in line for own in (" ps -eo", "debug_gym_runtime", "__gym"))
    ]


@pytest.mark.parametrize("name", TESTS)
def test_abuse_by_a_test(sandbox, name):
    code, allowed = TESTS[name]
    sandbox.write("test_abuse.py", code.encode())
    began = time.monotonic()
    run = sandbox.run_tests(["test_abuse.py"], timeout=allowed)
    took = time.monotonic() - began
    assert took < allowed + 2.0
    assert len(run.output) <= LIMITS.output * 1.2
    sandbox.exec("rm -rf /tmp/* test_abuse.py big")
    _still_works(sandbox)


@pytest.mark.parametrize("name", COMMANDS)
def test_abuse_by_a_command(sandbox, name):
    command, allowed = COMMANDS[name]
    began = time.monotonic()
    result = sandbox.exec(command, timeout=allowed)
    assert time.monotonic() - began < allowed + 1.5
    assert len(result.output) <= LIMITS.output * 1.2
    _still_works(sandbox)


def _still_works(sandbox):
    assert _others(sandbox) == []
    if not sandbox.listdir():
        sandbox.exec("git checkout -q -f HEAD -- .")
    sandbox.write("test_fine.py", b"def test_fine(): pass\n")
    run = sandbox.run_tests(["test_fine.py"])
    assert run.success, run.output
    assert sandbox.shell("echo fine").output == "fine\n"
    sandbox.exec("true")


def test_a_limit_is_said(sandbox):
    hungry = "x = []\nwhile True: x.append(bytearray(b'x') * (8 << 20))"
    both = sandbox.exec(["python", "-c", f"import os\nos.fork()\nos.fork()\n{hungry}"], timeout=20)
    assert "out of memory" in both.note or "MemoryError" in both.output


def test_the_runtime_outlives_what_it_is_sent(sandbox):
    for request in ({"op": "no such"}, {"op": "exec"}, {"op": "read", "path": 5}, {"op": None}):
        with pytest.raises((ValueError, OSError)):
            sandbox.request(**request)
    assert sandbox.exec("echo alive").output == "alive\n"


def test_a_dead_sandbox_says_so_and_its_files_can_be_read(backend, make_task):
    sandbox = backend.start(make_task({"a.py": "x = 1\n"}))
    sandbox.write("a.py", b"x = 2\n")
    sandbox.connection.fail("killed by the test")
    with pytest.raises(SandboxError, match="killed by the test"):
        sandbox.exec("true")
    assert sandbox.changes().files["a.py"].data == b"x = 2\n"
    sandbox.close()
    sandbox.close()
