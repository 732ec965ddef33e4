"""The MCP server, asked by the protocol's own client: over stdio and over HTTP, in both eras of the protocol."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial

import pytest

from debug_gym.store.records import Run

pytest.importorskip("mcp", reason="the extra mcp is not installed")

import anyio
from httpx2 import AsyncClient
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

PROGRAM = [sys.executable, "-c", "from debug_gym.cli import main; main()"]
ERAS = {"of today": "2026-07-28", "of old": "legacy"}


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "run"


def play(play_it, server, mode="auto"):
    """Run ``play_it(call)`` against a server, where ``await call(tool, **arguments)`` gives text and error."""

    async def main():
        async with Client(server, mode=mode) as client:

            async def call(tool, **arguments):
                result = await client.call_tool(tool, arguments)
                return "\n".join(part.text for part in result.content), result.is_error

            return await play_it(client, call)

    return anyio.run(main)


def over_stdio(calc, *options):
    arguments = ["mcp", "repo", "-b", f"path={calc}", *options]
    return StdioServerParameters(command=PROGRAM[0], args=[*PROGRAM[1:], *arguments], env=dict(os.environ))


FIX = {"path": "calc.py", "old": "a - b", "new": "a + b"}


@pytest.mark.parametrize("era", ERAS)
def test_a_client_repairs_a_repository_and_gets_its_patch(calc, kept, era):
    async def repair(client, call):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        opening, _ = await call("start_episode")
        failing, _ = await call("eval")
        await call("replace", **FIX)
        ending, error = await call("submit")
        return tools, opening, failing, ending, error

    server = over_stdio(calc, "--output", str(kept), "--name", "my-product")
    tools, opening, failing, ending, error = play(repair, server, ERAS[era])
    assert {"start_episode", "finish_episode", "pdb", "view"} <= set(tools)
    assert re.search(r"episode calc-[0-9a-f]{16}", opening)
    assert "1 failed" in failing
    assert not error
    assert "resolved" in ending and "unresolved" not in ending
    assert "+    return a + b" in ending
    assert (calc / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"  # it works on a copy
    run = Run.open(kept)
    assert [(result.task, result.status, result.steps) for result in run.results()] == [
        ("calc", "resolved", 3)
    ]
    assert run.trajectory("calc").agent == "my-product"


def test_what_is_wrong_with_a_call_is_said_in_its_answer(calc):
    async def stumble(client, call):
        return [
            await call("view", path="calc.py"),
            await call("start_episode", task="nope"),
            await call("start_episode"),
            await call("view", path="nope.py"),
            await call("view", episode="calc-0", path="calc.py"),
            await call("conjure"),
            await call("finish_episode"),
            await call("view", path="calc.py"),
        ]

    answers = play(stumble, over_stdio(calc))
    assert [error for _, error in answers] == [True, True, False, True, True, True, False, True]
    early, task, _, missing, handle, tool, over, late = (text for text, _ in answers)
    assert "start_episode begins one" in early
    assert "there is no task 'nope'; the tasks are: calc" in task
    assert "nope.py" in missing
    assert "there is no episode 'calc-0'" in handle
    assert "there is no tool named 'conjure'" in tool
    assert "unresolved" in over
    assert "the episode is over" in late


def test_a_client_that_goes_away_is_judged_as_it_stands(calc, kept):
    async def leave(client, call):
        await call("start_episode")
        await call("replace", **FIX)

    play(leave, over_stdio(calc, "--output", str(kept)))
    deadline = time.monotonic() + 20
    while not (results := Run.open(kept).results()) and time.monotonic() < deadline:
        time.sleep(0.1)  # the client does not wait for the server's end
    assert [(result.status, result.ending) for result in results] == [("resolved", "gave up")]


def test_attempts_run_out(calc, kept):
    async def twice(client, call):
        await call("start_episode")
        return await call("start_episode")

    text, error = play(twice, over_stdio(calc, "--output", str(kept)))
    assert error
    assert "1 attempt(s)" in text


@contextmanager
def over_http(calc, token=None, host="127.0.0.1"):
    """The address of a running server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["mcp", "repo", "-b", f"path={calc}", "--http", f"{host}:{port}"]
    environment = os.environ | ({"DEBUG_GYM_MCP_TOKEN": token} if token else {})
    with subprocess.Popen(
        [*PROGRAM, *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            said = []
            while "Uvicorn running" not in (line := server.stderr.readline()):
                said.append(line)
                assert line, "".join(said)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=30)


def test_clients_over_http_have_episodes_of_their_own(calc):
    async def one(client, call):
        opening, _ = await call("start_episode")
        episode = re.search(r"calc-[0-9a-f]{16}", opening)[0]
        await call("replace", **FIX, episode=episode)
        unnamed = await call("view", path="calc.py")
        return episode, unnamed

    async def other(client, call, episode):
        opening, _ = await call("start_episode")
        own = re.search(r"calc-[0-9a-f]{16}", opening)[0]
        return await call("view", path="calc.py", episode=own), await call("finish_episode", episode=episode)

    with over_http(calc) as address:
        episode, (unnamed, refused) = play(one, address)
        (untouched, _), (finished, _) = play(partial(other, episode=episode), address, "legacy")
    assert refused
    assert "name the episode" in unnamed
    assert "a - b" in untouched
    assert "): resolved." in finished


def test_a_token_is_demanded(calc):
    async def ask(address, headers):
        async with (
            AsyncClient(headers=headers) as http,
            Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return len((await client.list_tools()).tools)

    async def status(address):
        async with AsyncClient() as http:
            return (await http.post(address, json={})).status_code

    with over_http(calc, token="mellon") as address:
        assert anyio.run(ask, address, {"Authorization": "Bearer mellon"}) > 5
        assert anyio.run(status, address) == 401


def test_an_open_address_needs_a_token(calc):
    arguments = ["mcp", "repo", "-b", f"path={calc}", "--http", "0.0.0.0:1"]
    environment = {name: value for name, value in os.environ.items() if name != "DEBUG_GYM_MCP_TOKEN"}
    done = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert "set DEBUG_GYM_MCP_TOKEN" in done.stderr
