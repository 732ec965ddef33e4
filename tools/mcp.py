"""Tools of other servers of the Model Context Protocol, beside the environment's own (extra ``mcp``).

A server is a program of the user's choice, outside the sandbox and with the user's rights: an agent can do
with it whatever its tools allow. One connection serves all episodes of a process.
"""

import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from threading import Thread
from typing import Any, Self, TextIO

import anyio
from anyio.from_thread import BlockingPortal
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client import Transport
from mcp_types import ContentBlock, TextContent
from mcp_types import Tool as RemoteTool
from pydantic import BaseModel, ConfigDict

from debug_gym.episode import Observation
from debug_gym.errors import ConfigError
from debug_gym.tools.base import Session, Tool, ToolError
from debug_gym.tools.printable import printable
from debug_gym.tools.text import clip

TIMEOUT = 60.0
"""Seconds that a server has to start, and to answer a call."""
SHOWN = 20_000
"""Characters of an answer that the agent sees."""
SAID = 500
"""Characters of a server's own messages that are shown when it does not start."""
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class McpServer:
    """A connection to a server, usable from any thread. Close it, or use it as a context manager.

    Args:
        address: ``http://...`` (streamable HTTP), or the command line of a program that speaks over stdio.
            The program inherits the environment.
        timeout: seconds for its start and for each call.

    Raises:
        ConfigError: the server cannot be reached, or does not speak the protocol.
    """

    def __init__(self, address: str, *, timeout: float = TIMEOUT) -> None:
        self.address = address
        self._open = ExitStack()
        errors = self._open.enter_context(tempfile.TemporaryFile("w+", errors="replace"))  # noqa: SIM115 - a stack closes it
        try:
            self._portal = self._open.enter_context(_event_loop())
            client = Client(_transport(address, errors), read_timeout_seconds=timeout)
            self._client = self._open.enter_context(self._portal.wrap_async_context_manager(client))
            listed = self._portal.call(self._list)
        except Exception as error:  # whatever the server's start or its first answers lead to
            errors.seek(0)
            said = " ".join(errors.read()[-SAID:].split())
            self._open.close()
            raise ConfigError(
                f"the MCP server {address!r} cannot be used: {_cause(error)}; does it run by itself?"
                + (f" It says: {said}" if said else "")
            ) from error
        self.tools: tuple[Tool, ...] = tuple(McpTool(self, tool) for tool in listed)
        """What the server offers, for ``DebugGymEnv(tools=[..., *server.tools])``."""

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        """Call one of its tools.

        Raises:
            ToolError: the server is gone, refuses, or does not answer in time.
        """
        try:
            result = self._portal.call(partial(self._client.call_tool, name, arguments))
        except (MCPError, RuntimeError, OSError) as error:
            raise ToolError(f"the MCP server {self.address!r} did not answer: {_cause(error)}") from None
        text = "\n".join(_show(part) for part in result.content)
        data = result.structured_content
        return Observation(
            text=clip(printable(text), SHOWN),
            data=data if isinstance(data, dict) else {},
            error=result.is_error,
        )

    async def _list(self) -> list[RemoteTool]:
        """The tools of all pages."""
        page = await self._client.list_tools()
        tools = [*page.tools]
        while page.next_cursor is not None:
            page = await self._client.list_tools(cursor=page.next_cursor)
            tools += page.tools
        return tools

    def close(self) -> None:
        """End the connection; a program that was started for it ends as well."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@cache
def shared_server(address: str) -> McpServer:
    """The one connection of this process to a server. Raises as ``McpServer`` does."""
    return McpServer(address)


class McpTool(Tool):
    """One tool of a server. The server checks the arguments."""

    class Args(BaseModel):
        """Any: the server's own schema says more."""

        model_config = ConfigDict(extra="allow")

    def __init__(self, server: McpServer, remote: RemoteTool) -> None:
        self._server, self._remote = server, remote
        self.name = _NOT_IN_NAMES.sub("_", remote.name)[:64]
        """As models' servers take it: the protocol allows more."""
        self.description = remote.description or remote.name

    def run(self, session: Session, args: BaseModel) -> Observation:
        """Pass the call on."""
        return self._server.call(self._remote.name, args.model_dump())

    def examples(self, session: Session) -> list[dict[str, Any]]:
        """A call without arguments, if the server takes one."""
        return [] if self._remote.input_schema.get("required") else [{}]

    def schema(self) -> dict[str, Any]:
        """The server's own schema in the form of OpenAI's function calling."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": self._remote.input_schema,
        }
        return {"type": "function", "function": function}


@contextmanager
def _event_loop() -> Iterator[BlockingPortal]:
    """A way to call into an event loop in a thread of its own, which does not hold up the process's end."""
    started: Future[BlockingPortal] = Future()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            started.set_result(portal)
            await portal.sleep_until_stopped()

    Thread(target=anyio.run, args=(serve,), name="mcp", daemon=True).start()
    portal = started.result()
    try:
        yield portal
    finally:
        portal.call(portal.stop)


def _transport(address: str, errors: TextIO) -> str | Transport:
    if address.startswith(("http://", "https://")):
        return address
    command, *arguments = shlex.split(address) or [""]
    program = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    return stdio_client(program, errlog=errors)


def _show(part: ContentBlock) -> str:
    if isinstance(part, TextContent):
        return part.text
    return f"[{part.type}: {json.dumps(part.model_dump(mode='json', exclude={'data'}), sort_keys=True)}]"


def _cause(error: BaseException) -> str:
    """The first error inside a group, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split()) or type(error).__name__
