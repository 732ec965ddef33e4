"""Tools of another MCP server inside an environment: a real server in a process of its own."""

import sys
import textwrap

import pytest

from debug_gym import DebugGymEnv
from debug_gym.errors import ConfigError
from debug_gym.task import Environment

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from debug_gym.tools.mcp import McpServer

SERVER = """
    import os, time
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

    server = MCPServer("library")

    @server.tool()
    def look_up(word: str, times: int = 1) -> str:
        "Look a word up."
        if word == "slow":
            time.sleep(60)
        if word == "die":
            os._exit(1)
        if word == "fail":
            raise ToolError("no such word")
        return f"\\x1b[31m{word} " * times

    @server.tool("shelf.read/all")
    def read_shelf() -> str:
        "Read all."
        return "all"

    server.run()
"""

PAGES = """
    import anyio, mcp_types as types
    from mcp.server.lowlevel.server import Server
    from mcp.server.stdio import stdio_server

    async def list_tools(context, params):
        number = int(params.cursor) if params and params.cursor else 0
        tool = types.Tool(name=f"tool{number}", input_schema={"type": "object"})
        return types.ListToolsResult(tools=[tool], next_cursor=str(number + 1) if number < 2 else None)

    async def serve():
        server = Server("pages", on_list_tools=list_tools)
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(serve)
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    file = tmp_path_factory.mktemp("server") / "library.py"
    file.write_text(textwrap.dedent(SERVER))
    return f"{sys.executable} {file}"


@pytest.fixture
def make_env(backend, make_task):
    environments = []

    def make(tools):
        task = make_task({"a.py": "x = 1\n"}, environment=Environment(preload=()))
        environments.append(DebugGymEnv(task=task, tools=tools, sandbox=backend))
        environments[-1].reset()
        return environments[-1]

    yield make
    for env in environments:
        env.close()


def call(env, word, **more):
    text, _, _, _, info = env.step({"name": "look_up", "arguments": {"word": word, **more}})
    return text, info["error"]


def test_a_servers_tools_stand_beside_the_environments_own(command, make_env):
    with McpServer(command) as server:
        env = make_env(["view", *server.tools])
        schemas = {schema["function"]["name"]: schema["function"] for schema in env.toolbox.schemas()}
        assert list(schemas) == ["view", "look_up", "shelf_read_all"]
        assert env.step({"name": "shelf_read_all", "arguments": {}})[0] == "all"
        assert schemas["look_up"]["description"] == "Look a word up."
        assert schemas["look_up"]["parameters"]["required"] == ["word"]
        assert call(env, "tree", times=2) == ("\\x1b[31mtree \\x1b[31mtree ", False)
        assert env.action_space.contains({"name": "look_up", "arguments": {"word": "tree"}})
        drawn = {env.action_space.sample()["name"] for _ in range(50)}
        assert drawn == {"view", "shelf_read_all"}  # what the server would refuse is not drawn


def test_tools_that_come_in_pages_are_all_there(tmp_path):
    file = tmp_path / "pages.py"
    file.write_text(textwrap.dedent(PAGES))
    with McpServer(f"{sys.executable} {file}") as server:
        assert [tool.name for tool in server.tools] == ["tool0", "tool1", "tool2"]


def test_what_a_server_refuses_is_an_observation(command, make_env):
    with McpServer(command) as server:
        env = make_env(server.tools)
        text, error = call(env, "fail")
        assert (error, "no such word" in text) == (True, True)
        text, error = call(env, ["not", "a", "word"])
        assert (error, "word" in text) == (True, True)
        assert call(env, "tree")[1] is False


def test_a_server_that_dies_or_hangs_is_an_observation(command, make_env):
    with McpServer(command, timeout=2) as server:
        env = make_env(server.tools)
        text, error = call(env, "slow")
        assert (error, "did not answer" in text) == (True, True)
        text, error = call(env, "die")
        assert (error, "did not answer" in text) == (True, True)
        text, error = call(env, "tree")
        assert (error, "did not answer" in text) == (True, True)


@pytest.mark.parametrize("address", ["", "no-such-program-anywhere", "false", "http://127.0.0.1:9/mcp"])
def test_a_server_that_cannot_be_used_is_one_sentence(address):
    with pytest.raises(ConfigError, match=r"the MCP server .* cannot be used: .+; does it run by itself"):
        McpServer(address, timeout=5)


def test_a_program_that_does_not_start_is_quoted():
    command = f"{sys.executable} -c 'import no_such_module'"
    with pytest.raises(ConfigError, match=r"It says: .*No module named 'no_such_module'"):
        McpServer(command)


def test_two_tools_of_one_name_are_refused(command, backend, make_task):
    with (
        McpServer(command) as one,
        McpServer(command) as other,
        pytest.raises(ConfigError, match="two tools are named 'look_up'"),
    ):
        DebugGymEnv(task=make_task({}), tools=[*one.tools, *other.tools], sandbox=backend)
