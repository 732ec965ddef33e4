"""Coroutines under the debugger: as programs, and as tests by anyio and by pytest-asyncio."""

import subprocess
import sys
from pathlib import Path

import pytest

from debug_gym.task import Environment

PROGRAM = """import asyncio


async def child(n):
    await asyncio.sleep(0)
    return 12 // n


async def parent(n):
    found = await child(n)
    return found


async def main():
    first = await parent(3)
    return first


if __name__ == "__main__":
    asyncio.run(main())
    print("end")
"""
TESTS = """import asyncio

import pytest

from program import child, parent


MARK
async def test_passes(four):
    found = await parent(four)
    twice = found * 2
    assert twice == 6


MARK
async def test_fails(four):
    await parent(four - 4)


MARK
async def test_broken(broken):
    pass


FIXTURE
async def four(BACKEND):
    yield await parent(3)
    done = True


FIXTURE
async def broken(BACKEND):
    await child(0)
    yield


MARK
async def test_tasks():
    await asyncio.gather(child(1), child(0))
"""
ANYIO = """

@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.anyio
async def test_group():
    async with anyio.create_task_group() as group:
        group.start_soon(child, 1)
        group.start_soon(child, 0)
"""
FILES = {
    "anyio": "import anyio\n"
    + TESTS.replace("MARK", "@pytest.mark.anyio")
    .replace("FIXTURE", "@pytest.fixture")
    .replace("BACKEND", "anyio_backend")
    + ANYIO,
    "asyncio": "import pytest_asyncio\n"
    + TESTS.replace("MARK", "@pytest.mark.asyncio")
    .replace("FIXTURE", "@pytest_asyncio.fixture")
    .replace("BACKEND", ""),
}


@pytest.fixture(scope="session")
def python_with_pytest_asyncio(make_interpreter):
    """Not installed for all tests: as a plugin, it would have its say in every test run."""
    folder = make_interpreter()
    (site,) = Path(folder).glob("lib/python3*/site-packages")
    packages = ["pytest-asyncio", "typing-extensions", "backports-asyncio-runner; python_version < '3.11'"]
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, *packages]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("pytest-asyncio cannot be installed: " + done.stderr[-200:])
    return folder


@pytest.fixture(scope="module", params=["anyio", "asyncio"])
def sandbox(request, backend, make_task):
    python = request.getfixturevalue("python_with_pytest_asyncio") if request.param == "asyncio" else None
    files = {"program.py": PROGRAM, "test_it.py": FILES[request.param]}
    files["pytest.ini"] = "[pytest]\nasyncio_default_fixture_loop_scope = function\n" * (
        request.param == "asyncio"
    )
    with backend.start(make_task(files, environment=Environment(python=python))) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def plain(backend, make_task):
    with backend.start(make_task({"program.py": PROGRAM})) as sandbox:
        yield sandbox


def where(reply):
    return reply.stop and (reply.stop.file, reply.stop.function, reply.stop.reason)


def line(sandbox):
    return sandbox.debug("where").output.split("\n")[-2].strip()


# -- tests -----------------------------------------------------------------------------------------


def test_a_test_is_stepped_across_its_awaits_to_its_end(sandbox):
    reply = sandbox.debug_start(test="test_it.py::test_passes", at="start")
    assert where(reply) == ("test_it.py", "test_passes", "start")
    assert line(sandbox) == "found = await parent(four)"
    assert where(sandbox.debug("n")) == ("test_it.py", "test_passes", "step")
    assert sandbox.debug("p found").output == "3\n"
    assert where(sandbox.debug("n")) == ("test_it.py", "test_passes", "step")
    after = sandbox.debug("n")  # the program's own code goes on in the fixture
    assert where(after) == ("test_it.py", "four", "call")
    assert sandbox.debug("n").stop.function == "four"
    assert line(sandbox) == "done = True"
    assert sandbox.debug("c").output.startswith("tests: 1 passed\n")


def test_a_step_into_a_coroutine_and_a_return_from_it(sandbox):
    sandbox.debug_start(test="test_it.py::test_passes", at="start")
    assert where(sandbox.debug("s")) == ("program.py", "parent", "call")
    assert where(sandbox.debug("s\ns")) == ("program.py", "child", "call")
    assert where(sandbox.debug("r")) == ("program.py", "parent", "step")
    assert sandbox.debug("p found").output == "3\n"
    assert sandbox.debug("r").stop.function == "test_passes"


def test_a_breakpoint_in_a_coroutine_shows_who_awaits_it(sandbox):
    sandbox.debug_start(test="test_it.py::test_passes", at="start")
    reply = sandbox.debug("b program.py:6\nc\nwhere")
    assert where(reply) == ("program.py", "child", "breakpoint 1")
    places = [row.split()[-1] for row in reply.output.split("\n") if " in " in row and ".py:" in row]
    assert places[-3:] == ["test_passes", "parent", "child"]
    assert sandbox.debug("back\nc\np n").output.endswith("\n4\n")


@pytest.mark.parametrize("test", ["test_fails", "test_broken", "test_tasks"])
def test_a_failure_stops_at_the_line_that_raised(sandbox, test):
    reply = sandbox.debug_start(test=f"test_it.py::{test}", at="failure")
    assert where(reply) == ("program.py", "child", "post-mortem")
    assert line(sandbox) == "return 12 // n"
    assert ("failed in its setup" in reply.output) is (test == "test_broken")
    assert sandbox.debug("u").output.startswith(
        f"frame at {'program' if test == 'test_fails' else 'test_it'}.py:"
    )
    assert sandbox.debug("c").ended


@pytest.mark.parametrize("sandbox", ["anyio"], indirect=True)
def test_a_failure_in_a_task_group_stops_at_the_line_that_raised(sandbox):
    assert where(sandbox.debug_start(test="test_it.py::test_group", at="failure")) == (
        "program.py",
        "child",
        "post-mortem",
    )
    assert "ExceptionGroup('unhandled errors in a TaskGroup'" in sandbox.debug("exceptions").output
    assert sandbox.debug("exceptions 1").stop.function == "test_group"


# -- programs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["n", "r"])
def test_the_event_loop_is_left_out_when_the_outermost_coroutine_ends(plain, command):
    plain.debug_start(script=["program.py"], at="start")
    assert plain.debug("b main\nc\nwhere").output.split("\n")[-5:] == [
        "   program.py:20 in <module>",
        "       asyncio.run(main())",
        "-> program.py:15 in main",
        "       first = await parent(3)",
        "",
    ]
    assert plain.debug("n\np first").output.endswith("\n4\n")
    assert where(plain.debug(command)) == ("program.py", "<module>", "step")
    assert line(plain) == 'print("end")'


def test_returning_from_a_coroutine_that_still_waits(plain):
    plain.debug_start(script=["program.py"], at="start")
    plain.debug("b child\nc\ncl")
    assert where(plain.debug("r")) == ("program.py", "parent", "step")
    assert where(plain.debug("r")) == ("program.py", "main", "step")
