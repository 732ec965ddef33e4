"""The host's end: whatever a runtime answers, whoever is stopped or killed, the gym goes on."""

import os
import signal
import socket
import struct
import threading
import time

import pytest

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxError
from debug_gym.sandbox import Sandbox, template_client
from debug_gym.sandbox.channel import SocketChannel
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.server import wire

FILES = {"a.py": "x = 1\n"}


@pytest.fixture
def answering(make_task):
    """``answering(bytes)``: a sandbox whose runtime answers anything with these bytes."""
    opened = []

    def make(data):
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            try:
                ours.close()
                theirs.recv(1 << 16)
                theirs.sendall(data)
                time.sleep(60)
            finally:
                os._exit(0)
        theirs.close()
        sandbox = Sandbox(
            make_task(FILES),
            "/workspace",
            SocketChannel(ours),
            kill=lambda: os.kill(child, signal.SIGKILL),
            start_another=lambda: sandbox,
        )
        opened.append((sandbox, child))
        return sandbox

    yield make
    for sandbox, child in opened:
        sandbox.close()
        os.waitpid(child, 0)


GOOD = {"exit_code": 0, "output": "", "dropped": 0, "timed_out": False, "killed": 0, "note": ""}
TESTS = {**GOOD, "complete": True, "collected": [], "outcomes": {}, "messages": {}, "warm": True}
REPLIES = [
    {},
    {**GOOD, "unknown": 1},
    {**GOOD, "output": 5},
    {**GOOD, "exit_code": "0"},
    {"error": 5},
    {"error": []},
    {"error": [1, 2, 3, 4]},
    {"error": ["OSError", "text", "number", None]},
]


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_of_the_wrong_form_ends_the_sandbox(answering, reply):
    sandbox = answering(wire.encode(reply))
    with pytest.raises(ProtocolError, match="invalid reply"):
        sandbox.exec("true")
    with pytest.raises(SandboxDiedError, match="invalid reply"):
        sandbox.exec("true")


def test_a_second_reply_to_one_request_ends_the_sandbox(answering):
    sandbox = answering(2 * wire.encode(GOOD))
    with pytest.raises(ProtocolError, match="more than a reply"):
        sandbox.exec("true")


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (lambda s: s.run_tests(), {**TESTS, "outcomes": {"a": 5}}),
        (lambda s: s.run_tests(), {**TESTS, "collected": "abc"}),
        (lambda s: s.run_tests(), {**TESTS, "messages": []}),
        (lambda s: s.debug("next"), {"output": "", "stop": {"line": 1}}),
        (lambda s: s.debug("next"), {"output": "", "stop": {"x": 1}}),
        (lambda s: s.debug("next"), {"output": "", "stop": None, "breakpoints": [5]}),
        (lambda s: s.debug("next"), {"output": "", "stop": None, "sources": {"a": 1}}),
        (lambda s: s.listdir(), {"entries": [["a", "file"]]}),
        (lambda s: s.listdir(), {"entries": [["a", "file", "1"]]}),
        (lambda s: s.grep("x"), {"matches": [5], "truncated": False, "skipped": []}),
        (lambda s: s.snapshot(), {"state": 5}),
    ],
)
def test_each_kind_of_reply_is_checked(answering, call, reply):
    with pytest.raises(ProtocolError, match="invalid reply"):
        call(answering(wire.encode(reply)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        struct.pack(">II", 4, 0) + b"\xff\xfe\xfd\xfc",
        struct.pack(">II", 4, 0) + b"[1] ",
        struct.pack(">II", 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack(">II", 200_000, 0) + b"[" * 200_000,
        struct.pack(">II", 10, 10) + b"{}",
    ],
)
def test_what_is_no_reply_at_all_ends_the_sandbox_in_time(answering, data, monkeypatch):
    monkeypatch.setattr("debug_gym.sandbox.connection.GRACE", 0.3)
    began = time.monotonic()
    with pytest.raises(SandboxError):
        answering(data).exec("true", timeout=0.1)
    assert time.monotonic() - began < 8


def test_an_interrupted_request_is_never_answered_by_the_next(backend, make_task):
    def interrupt(*_):
        raise KeyboardInterrupt

    with backend.start(make_task(FILES)) as sandbox:
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                sandbox.exec("sleep 0.6; echo slow")
        finally:
            signal.signal(signal.SIGALRM, before)
        with pytest.raises(SandboxDiedError, match="interrupted"):
            sandbox.exec("echo fast")
        assert sandbox.changes().paths == ()


def test_closing_ends_a_request_of_another_thread(backend, make_task):
    sandbox, seen = backend.start(make_task(FILES)), []

    def wait():
        try:
            sandbox.exec("sleep 20")
        except SandboxDiedError as error:
            seen.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    sandbox.close()
    thread.join()
    assert time.monotonic() - began < 15
    assert seen == ["the sandbox is closed"]


def test_threads_share_a_sandbox(backend, make_task):
    wrong = []
    with backend.start(make_task(FILES)) as sandbox:

        def work(name):
            seen = [sandbox.exec(f"echo {name}-{number}").output for number in range(10)]
            wrong.extend(text for number, text in enumerate(seen) if text != f"{name}-{number}\n")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_closed_sandbox_never_shows_the_files_of_another(backend, make_task):
    """Its descriptors' numbers belong to the next one."""
    task = make_task(FILES)
    closed = backend.start(task)
    closed.close()
    with backend.start(task) as other:
        other.write("secret", b"")
        for look in (closed.changes, closed.snapshot):
            with pytest.raises(SandboxDiedError, match="closed"):
                look()


@pytest.mark.parametrize("limit", [float("inf"), 1e10])
def test_a_time_limit_beyond_all_bounds(backend, make_task, limit):
    with backend.start(make_task(FILES)) as sandbox:
        assert sandbox.exec("echo hi", timeout=limit).output == "hi\n"
        with pytest.raises(ValueError, match="NaN"):
            sandbox.exec("echo hi", timeout=float("nan"))


# -- the warm interpreter ----------------------------------------------------------------------------


@pytest.fixture
def own(monkeypatch):
    monkeypatch.setattr(template_client, "START_LIMIT", 3.0)
    backend = NamespaceBackend()
    yield backend
    backend.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_warm_interpreter_that_is_gone_or_stuck_is_replaced(own, make_task, number):
    task = make_task(FILES)
    with own.start(task) as old:
        (template,) = own._templates.values()
        os.kill(template._process.pid, number)
        for _ in range(3):  # never mixed up with one another
            with own.start(task) as new:
                assert new.exec("echo new").output == "new\n"
        assert old.exec("echo old").output == "old\n"


def test_a_sandbox_that_nobody_closed_leaves_no_descriptor(backend, make_task):
    task = make_task(FILES)
    backend.start(task).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.warns(ResourceWarning):
            backend.start(task)
            __import__("gc").collect()
    assert len(os.listdir("/proc/self/fd")) == before
