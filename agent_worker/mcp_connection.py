"""The tools of an MCP server that runs elsewhere, over one connection per process.

The server may be away when the worker starts and may be restarted at any time: the connection is
opened when it is first needed, proved before each model call by asking for the tools, and opened
anew when it was lost. A call whose answer the server did not live to give ends the turn
(`McpServerLost`): left to the model, it would invite an answer without data.
"""

import asyncio
import logging
from typing import Any, Self

from mcp import MCPError
from mcp.types import CONNECTION_CLOSED
from pydantic_ai import AbstractToolset, ModelRetry, RunContext, ToolsetTool
from pydantic_ai.mcp import MCPToolset

_log = logging.getLogger(__name__)


class McpServerLost(Exception):
    """The MCP server cannot be reached, or was lost in the middle of a call."""


class McpConnection(AbstractToolset[Any]):
    """The toolset of the server at `url`. Entered once for the process, then by every run."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._users = 0
        self._server: MCPToolset[Any] | None = None
        self._connecting = asyncio.Lock()

    @property
    def id(self) -> str:
        return "mcp"

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0 and self._server is not None:
            await self._drop(self._server)

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """What the server offers at this moment. Raises `McpServerLost`."""
        server = await self._connect()
        try:
            return await server.get_tools(ctx)
        except Exception:  # restarted since, it does not know this connection: once more
            await self._drop(server)
        server = await self._connect()
        try:
            return await server.get_tools(ctx)
        except Exception as error:
            await self._drop(server)
            raise McpServerLost from error

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:
        """The tool's result. Raises `ModelRetry` for what the model may put right, and
        `McpServerLost`."""
        server = await self._connect()
        try:
            return await server.call_tool(name, tool_args, ctx, tool)
        except Exception as error:
            if isinstance(error, ModelRetry) and not _is_closed(error.__cause__):
                raise
            await self._drop(server)
            raise McpServerLost from error

    async def _connect(self) -> MCPToolset[Any]:
        async with self._connecting:
            if self._server is None:
                # Not cached: asking is the proof that the server is there, once a model call.
                server = MCPToolset[Any](self._url, cache_tools=False)
                try:
                    await server.__aenter__()
                except Exception as error:
                    raise McpServerLost from error
                self._server = server
            return self._server

    async def _drop(self, server: MCPToolset[Any]) -> None:
        """Give this connection up; calls of other runs that are under way on it may still end."""
        if self._server is not server:
            return  # somebody else has
        self._server = None
        try:
            await server.__aexit__(None, None, None)
        except Exception as error:  # a lost connection says so again when it is closed
            _log.info("the MCP server's connection was lost: %s", type(error).__name__)


def _is_closed(cause: BaseException | None) -> bool:
    return isinstance(cause, MCPError) and cause.code == CONNECTION_CLOSED
