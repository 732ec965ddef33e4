"""``debug-gym http`` and its client: a real server, real sandboxes, clients that come, go and overdo it."""

import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import debug_gym
from debug_gym import ToolCall
from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError
from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare
from debug_gym.session import AttemptSession
from debug_gym.store.records import Run
from debug_gym.store.writer import RunWriter

pytest.importorskip("fastapi", reason="the extra http is not installed")
pytest.importorskip("httpx2", reason="the extra http is not installed")

import httpx2
import uvicorn

from debug_gym.integrations.http.app import MAX_BODY, make_app
from debug_gym.integrations.http.client import RemoteEnv, RemoteError, RemoteRefusedError
from debug_gym.integrations.http.sessions import Sessions

LOOK = {"name": "view", "arguments": {"path": "calc.py"}}
FIX = {"name": "replace", "arguments": {"path": "calc.py", "old": "a - b", "new": "a + b"}}
SUBMIT = {"name": "submit", "arguments": {}}
WAIT = {"name": "bash", "arguments": {"command": "until [ -e /tmp/go ]; do sleep 0.05; done; echo went on"}}


@contextmanager
def running(app):
    """The address of a server around ``app``."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def served(calc, tmp_path):
    """``with served(...) as (address, sessions)``: the folder ``calc`` on a server."""

    @contextmanager
    def serve(token=None, keep=False, workers=32, **settings):
        named = {
            "benchmark": "repo",
            "benchmark_options": {"path": str(calc)},
            "agent": "trainer",
            "attempts": 1000,
            "output": tmp_path / "run",
        }
        plan = prepare(load_config((), named), driven=True)
        writer = RunWriter.begin(plan.config.folder, plan.manifest()) if keep else None
        sessions = Sessions(plan, writer, **settings)
        try:
            with running(make_app(sessions, token, workers)) as address:
                yield address, sessions
        finally:
            if writer is not None:
                writer.close()

    return serve


@contextmanager
def cutting(address):
    """A way to the server that breaks once a step was sent on."""
    listening = socket.create_server(("127.0.0.1", 0))
    host, port = address.removeprefix("http://").split(":")
    cut, threads, opened = threading.Event(), [], [listening]

    def pump(source, target, watch):
        seen = b""
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
                seen += data
                if watch and not cut.is_set() and b"/step" in seen and b'"action"' in seen:
                    cut.set()
                    source.shutdown(socket.SHUT_RDWR)
            target.shutdown(socket.SHUT_RDWR)

    def accept():
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection((host, int(port)))
                opened.extend((client, server))
                for ends in ((client, server, True), (server, client, False)):
                    threads.append(threading.Thread(target=pump, args=ends))
                    threads[-1].start()

    threads.append(threading.Thread(target=accept))
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        for end in opened:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for end in opened:
            end.close()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def test_an_episode_is_the_same_as_in_the_environment(served, calc):
    def play(env):
        first = env.reset(seed=7)
        wrong = ({"name": "view", "arguments": {}}, "no call")
        seen = [first, *map(env.step, (LOOK, *wrong, FIX, ToolCall.parse(SUBMIT)))]
        env.close()
        return json.loads(json.dumps(seen))  # which knows no tuples

    with served() as (address, _):
        remote = play(RemoteEnv(address))
    patch = remote[-1][-1].pop("patch")
    assert remote == play(DebugGymEnv("repo", path=calc))
    assert remote[-1][1:4] == [1.0, True, False]
    assert "+    return a + b" in patch


def test_gymnasium_takes_the_client_for_an_environment(served):
    with served() as (address, _), warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gymnasium.make("debug_gym/Remote-v0", url=address, render_mode="ansi")
        check_env(env.unwrapped)
        env.close()


def test_forks_go_on_by_themselves(served):
    with served() as (address, sessions):
        env = gymnasium.make("debug_gym/Remote-v0", url=address)
        env.reset()
        env.step(LOOK)
        forked = debug_gym.fork(env)
        forked.step(FIX)
        assert forked.step(SUBMIT)[1] == 1.0
        assert env.step(SUBMIT)[1] == 0.0
        forked.close()
        env.close()
        assert sessions.live == 0


def test_a_step_whose_reply_was_lost_is_not_played_twice(served):
    with served() as (address, _), httpx2.Client(base_url=address) as client:
        name = client.post("/sessions", json={}).json()["session"]
        count = {"name": "bash", "arguments": {"command": "echo x >> /tmp/count; wc -l < /tmp/count"}}
        first = client.post(f"/sessions/{name}/step", json={"action": count, "number": 0})
        again = client.post(f"/sessions/{name}/step", json={"action": count, "number": 0})
        assert first.json() == again.json()
        assert "2" in client.post(f"/sessions/{name}/step", json={"action": count}).json()["observation"]
        late = client.post(f"/sessions/{name}/step", json={"action": count, "number": 7})
        assert (late.status_code, late.json()["error"]["message"]) == (
            409,
            "the next step of this session is number 2, not 7",
        )


def test_a_connection_that_breaks_in_the_middle_of_a_step_loses_nothing(served):
    with served() as (address, _), cutting(address) as between:
        env = RemoteEnv(between)
        env.reset()
        count = "echo x >> /tmp/count; sleep 1; wc -l < /tmp/count"
        assert env.step({"name": "bash", "arguments": {"command": count}})[0].split()[0] == "1"
        assert "a - b" in env.step(LOOK)[0]
        env.close()


def test_a_session_that_is_closed_while_it_is_reset_leaves_nothing(served, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    begin = AttemptSession.begin

    def slowly(session):
        if begun.is_set():
            return begin(session)
        begun.set()
        go_on.wait(60)
        return begin(session)

    with served() as (address, sessions), httpx2.Client(base_url=address, timeout=60) as client:
        name = client.post("/sessions", json={}).json()["session"]
        monkeypatch.setattr(AttemptSession, "begin", slowly)
        with ThreadPoolExecutor(1) as pool:
            reset = pool.submit(client.post, f"/sessions/{name}/reset", json={})
            assert begun.wait(60)
            assert client.delete(f"/sessions/{name}").status_code == 204
            go_on.set()
            assert reset.result().status_code == 404
        assert sessions.live == 0


def test_closing_does_not_wait_for_a_verdict(served, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    judge = debug_gym.env.judge

    def slowly(*arguments, **options):
        begun.set()
        assert go_on.wait(60)
        return judge(*arguments, **options)

    monkeypatch.setattr("debug_gym.env.judge", slowly)
    with served() as (address, sessions), httpx2.Client(base_url=address, timeout=120) as client:
        name = client.post("/sessions", json={}).json()["session"]
        with ThreadPoolExecutor(1) as pool:
            verdict = pool.submit(client.post, f"/sessions/{name}/finish")
            assert begun.wait(60)
            assert client.delete(f"/sessions/{name}").status_code == 204
            assert (verdict.done(), sessions.live) == (False, 1)
            go_on.set()
            assert verdict.result().status_code == 410
        assert sessions.live == 0


def test_a_name_that_leads_here_from_elsewhere_is_refused(served):
    with served() as (address, _):
        assert httpx2.get(f"{address}/", headers={"host": "evil.example"}).status_code == 400


def test_a_full_server_says_so_and_a_client_waits_for_its_place(served):
    with served(limit=1) as (address, _):
        env, second = RemoteEnv(address), RemoteEnv(address, patience=0.0)
        env.reset()
        with pytest.raises(RemoteRefusedError, match="1 sessions are open"):
            second.reset()
        with pytest.raises(RemoteRefusedError, match="1 sessions are open"):
            env._patience = 0.0
            env.fork()
        with ThreadPoolExecutor(1) as pool:
            patient = RemoteEnv(address, patience=60.0)
            waiting = pool.submit(patient.reset)
            env.close()
            assert "Find the bug" in waiting.result()[0]
            patient.close()
        second.close()


def test_who_does_not_call_loses_the_lease(served):
    with served(lease=0.2) as (address, sessions):
        env = RemoteEnv(address)
        env.reset()
        wait_for(lambda: sessions.live == 0)
        with pytest.raises(RemoteRefusedError, match="its lease has expired"):
            env.step(LOOK)
        env.reset()  # a new one
        env.close()


def test_a_call_that_takes_longer_than_the_lease_is_no_idleness(served):
    with served(lease=2) as (address, _):
        env = RemoteEnv(address)
        env.reset()
        slow = {"name": "bash", "arguments": {"command": "sleep 4; echo still here"}}
        assert "still here" in env.step(slow)[0]
        env.close()


def test_one_call_of_a_session_at_a_time_and_closing_breaks_it_off(served):
    with served() as (address, sessions), httpx2.Client(base_url=address, timeout=60) as client:
        name = client.post("/sessions", json={}).json()["session"]
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(client.post, f"/sessions/{name}/step", json={"action": WAIT})
            early = {"action": LOOK, "number": 9}
            wait_for(lambda: "under way" in client.post(f"/sessions/{name}/step", json=early).text)
            assert client.get(f"/sessions/{name}").json()["steps"] == 0
            assert client.delete(f"/sessions/{name}").status_code == 204
            assert slow.result().status_code in {200, 410}
        assert client.delete(f"/sessions/{name}").status_code == 404
        assert sessions.live == 0


@pytest.mark.parametrize(
    ("request_line", "body", "status", "said"),
    [
        ("POST /sessions", b"{", 400, "JSON"),
        ("POST /sessions", b'{"seed": "x"}', 400, "seed: "),
        ("POST /sessions", b'{"taks": "calc"}', 400, "taks: "),
        ("POST /sessions", b'{"task": "clac"}', 400, "did you mean 'calc'?"),
        ("POST /sessions/calc-0/step", b'{"action": {}}', 404, "there is no session 'calc-0'"),
        ("POST /sessions/calc-0/step", b"{}", 400, "action: "),
        ("GET /sesions", b"", 404, "GET /sesions"),
        ("POST /sessions", b" " * (MAX_BODY + 1), 413, "at most 4 MiB"),
    ],
)
def test_wrong_requests_get_a_sentence(served, request_line, body, status, said):
    method, path = request_line.split()
    with served() as (address, _):
        reply = httpx2.request(
            method, address + path, content=body, headers={"content-type": "application/json"}
        )
    assert reply.status_code == status
    assert said in reply.json()["error"]["message"]


def test_an_episode_that_is_over_gives_its_result_again_and_takes_no_step(served):
    with served() as (address, _):
        env = RemoteEnv(address)
        env.reset()
        env.step(FIX)
        ended = env.judge()
        assert (ended["result"]["status"], ended["live"]) == ("resolved", False)
        assert env.judge() == ended
        with pytest.raises(gymnasium.error.ResetNeeded, match="the episode is over"):
            env.step(LOOK)
        env.close()


def test_only_who_has_the_token_is_served(served, monkeypatch):
    monkeypatch.delenv("DEBUG_GYM_HTTP_TOKEN", raising=False)
    with served(token="sesame") as (address, _):
        for wrong in (None, "simsim"):
            with pytest.raises(RemoteRefusedError, match="needs its token"):
                RemoteEnv(address, token=wrong)
        assert httpx2.get(f"{address}/health").json()["status"] == "ok"
        monkeypatch.setenv("DEBUG_GYM_HTTP_TOKEN", "sesame")
        stored = RemoteEnv(address)
        env = pickle.loads(pickle.dumps(stored))
        stored.close()
        env.reset()
        with pytest.raises(ConfigError, match="cannot be pickled"):
            pickle.dumps(env)
        env.close()


def test_a_server_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free_port = taken.getsockname()[1]
    with pytest.raises(RemoteError, match=r"is  debug-gym http  running there\?"):
        RemoteEnv(f"http://127.0.0.1:{free_port}")
    with pytest.raises(ConfigError, match="is no address of a server"):
        RemoteEnv("127.0.0.1")


def test_what_is_judged_is_kept_as_a_run(served, tmp_path):
    with served(keep=True) as (address, _):
        env = RemoteEnv(address)
        for fix in (True, False):
            env.reset()
            if fix:
                env.step(FIX)
            env.step(SUBMIT)
        env.reset()
        env.close()  # nobody has judged it
    found = [(result.key, result.status) for result in Run.open(tmp_path / "run").results()]
    assert found == [(("calc", 0), "resolved"), (("calc", 1), "unresolved")]


def test_two_hundred_sessions_are_held_and_leave_nothing(served):
    def children():
        return len(
            subprocess.run(["pgrep", "-P", str(os.getpid())], check=False, capture_output=True).stdout.split()
        )

    def play(address):
        with httpx2.Client(base_url=address, timeout=300) as client:
            name = client.post("/sessions", json={}).json()["session"]
            seen = client.post(f"/sessions/{name}/step", json={"action": LOOK}).json()["observation"]
            return name, "a - b" in seen

    with served(limit=200) as (address, sessions), ThreadPoolExecutor(32) as pool:
        warm = play(address)
        httpx2.delete(f"{address}/sessions/{warm[0]}")
        before = len(os.listdir("/proc/self/fd")), children()
        held = list(pool.map(play, [address] * 200))
        assert all(right for _, right in held)
        assert sessions.live == 200
        refused = httpx2.post(f"{address}/sessions", json={})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        closed = pool.map(lambda name: httpx2.delete(f"{address}/sessions/{name}", timeout=300), dict(held))
        assert {reply.status_code for reply in closed} == {204}
        assert sessions.live == 0
        wait_for(lambda: (len(os.listdir("/proc/self/fd")), children()) <= before)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_command_serves_and_leaves_no_sandbox(calc, ending):
    command = [sys.executable, "-c", "from debug_gym.cli import main; main()"]
    command += ["http", "repo", "--path", str(calc), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        address = next(found[0] for line in server.stderr if (found := re.search(r"http://[\d.:]+", line)))
        env = RemoteEnv(address)
        env.reset()
        assert "a - b" in env.step(LOOK)[0]
        server.send_signal(ending)
        server.stderr.read()
        server.wait()
        group = ["ps", "-eo", "sid=,args="]

        def left():
            lines = subprocess.run(group, check=True, capture_output=True, text=True).stdout.splitlines()
            return [line for line in lines if line.split()[0] == str(server.pid)]

        wait_for(lambda: not left())
        env.close()
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def test_an_address_that_others_reach_wants_a_token(calc):
    command = [sys.executable, "-c", "from debug_gym.cli import main; main()"]
    command += ["http", "repo", "--path", str(calc), "--host", "0.0.0.0"]
    environment = {name: value for name, value in os.environ.items() if name != "DEBUG_GYM_HTTP_TOKEN"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "set DEBUG_GYM_HTTP_TOKEN to a secret" in done.stderr.replace("\n", " ")
