"""A sandbox started ahead, before its repository is known, is like one that is started when it is asked for."""

import os
import select
import signal
import time

import pytest

from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.server.processes import children
from debug_gym.task import Limits

LOOK = """
cut -d' ' -f5- /proc/self/mountinfo | sed -E 's,(fd/|size=|master:|shared:)[0-9k]*,,g'
id; ulimit -a; pwd; hostname; stat -c '%A %u %g %n' / /* /etc/* /dev/* ~ ~/.* .
grep -E 'Cap|Seccomp:|NoNewPrivs|NSpid' /proc/self/status; ls /proc/self/fd; df --output=size,target /tmp; cat *.txt
"""
"""What code in a sandbox can find out about it."""


@pytest.fixture(scope="module")
def own():
    backend = NamespaceBackend()
    yield backend
    backend.close()


def _waiting(backend):
    """The first process of the sandbox that the only warm interpreter has started ahead."""
    (template,) = backend._templates.values()
    deadline = time.monotonic() + 60
    while len(children(template._process.pid)) != 1:
        assert time.monotonic() < deadline, children(template._process.pid)
        time.sleep(0.01)
    return children(template._process.pid)[0]


def _ahead(backend, task):
    """A sandbox that was started ahead. (One that waits while something is mounted on the host is not taken.)"""
    (template,) = backend._templates.values()
    for _ in range(100):
        waits = _waiting(backend)
        sandbox = backend.start(task)
        if waits in children(template._process.pid):
            return sandbox
        sandbox.close()
    raise AssertionError("none is ever taken")


def test_it_is_like_one_that_was_not(own, make_task):
    first, second = make_task({"a.txt": "first\n"}), make_task({"b.txt": "second\n"})
    with own.start(first) as sandbox:
        asked = sandbox.exec(LOOK).output
    with _ahead(own, second) as sandbox:
        assert sandbox.exec(LOOK).output == asked.replace("first", "second")
        sandbox.exec("echo > /tmp/x; echo > new.txt")
        assert sandbox.changes().paths == ("new.txt",)
        assert list(sandbox.snapshot().scratch.files) == ["/tmp/x"]


def test_one_that_has_ended_meanwhile_is_left_aside(own, make_task):
    task = make_task({"a.txt": "a\n"})
    own.start(task).close()
    with os.fdopen(os.pidfd_open(_waiting(own))) as waits:
        signal.pidfd_send_signal(waits.fileno(), signal.SIGKILL)
        assert select.select([waits], [], [], 60)[0]
    with own.start(task) as sandbox:
        assert sandbox.exec("cat a.txt").output == "a\n"


def test_each_has_the_limits_of_its_task(own, make_task):
    task = make_task({"a.txt": "a\n"})
    small = task.model_copy(update={"limits": Limits(disk=8 << 20)})
    own.start(task).close()
    _waiting(own)
    with own.start(small) as sandbox:
        assert "No space left" in sandbox.exec("head -c 20M /dev/zero > big").output
    _waiting(own)
    with own.start(task) as sandbox:
        assert sandbox.exec("head -c 20M /dev/zero > big").exit_code == 0


def test_it_ends_with_the_gym(own, make_task):
    own.start(make_task({"a.txt": "a\n"})).close()
    with os.fdopen(os.pidfd_open(_waiting(own))) as waits:
        own.close()
        assert select.select([waits], [], [], 60)[0]
