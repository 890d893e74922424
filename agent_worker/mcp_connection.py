"""The tools of an MCP server that runs elsewhere, over one connection per process.

The server may be away when the worker starts and may be restarted at any time: the connection is
opened when it is first needed, proved before each model call by asking for the tools, and opened
anew when it was lost. A call whose answer the server did not live to give, or did not give in time,
ends the turn (`McpServerLost`): left to the model, it would invite an answer without data.
"""

import asyncio
import logging
from typing import Any, Self
from urllib.parse import urlsplit

from fastmcp.client import Client
from fastmcp.client.auth import BearerAuth
from fastmcp.client.transports import ClientTransport, SSETransport, StreamableHttpTransport
from httpx2 import Auth, BasicAuth
from mcp import MCPError
from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT
from pydantic_ai import AbstractToolset, ModelRetry, RunContext, ToolsetTool
from pydantic_ai.mcp import MCPToolset

from agent_worker.settings import WorkerSettings

_log = logging.getLogger(__name__)

MAX_SILENCE_SECONDS = 86_400.0
"""How long an open SSE stream may carry nothing. That is no sign of death, and not every server
sends pings: whether it is there is found out by asking."""
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Of one answer over streamable HTTP. What of it a frame and the model get is cut later."""


class McpServerLost(Exception):
    """The MCP server cannot be reached, refuses us, was lost in the middle of a call, or has not
    answered in time."""


def build_auth(settings: WorkerSettings) -> Auth | None:
    """What to show at `MCP_URL`, if anything: a token, else a client's id and secret. Raises
    `ValueError` for one of these two without the other."""
    if settings.mcp_token is not None:
        return BearerAuth(settings.mcp_token.get_secret_value())
    client_id, secret = settings.mcp_client_id, settings.mcp_client_secret
    if client_id and secret is not None:
        return BasicAuth(client_id, secret.get_secret_value())
    if client_id or secret is not None:
        raise ValueError("MCP_CLIENT_ID and MCP_CLIENT_SECRET: one is set without the other")
    return None


class McpConnection(AbstractToolset[Any]):
    """The toolset of the server at `url`. Entered once for the process, then by every run. Each
    answer may take `timeout_seconds`. `auth` goes to that server alone: redirects to another origin
    are not followed."""

    def __init__(self, url: str, auth: Auth | None = None, timeout_seconds: float = 30.0) -> None:
        self._url = url
        self._auth = auth
        self._timeout_seconds = timeout_seconds
        self._users = 0
        self._server: MCPToolset[Any] | None = None
        self._opening: asyncio.Task[MCPToolset[Any] | Exception] | None = None

    @property
    def id(self) -> str:
        return "mcp"

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0:
            if self._opening is not None:
                self._opening.cancel()
                await asyncio.gather(self._opening, return_exceptions=True)
            if self._server is not None:
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
            if isinstance(error, ModelRetry) and not _is_lost(error.__cause__):
                raise
            await self._drop(server)
            raise McpServerLost from error

    async def _connect(self) -> MCPToolset[Any]:
        """The open connection. Runs that need it at the same time wait for one attempt, which none
        of them, when it is stopped, breaks off for the others."""
        if self._server is not None:
            return self._server
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        opened = await asyncio.shield(self._opening)
        if isinstance(opened, Exception):
            raise McpServerLost from opened
        return opened

    async def _open(self) -> MCPToolset[Any] | Exception:
        client = Client(
            self._transport(), timeout=self._timeout_seconds, init_timeout=self._timeout_seconds
        )
        # Not cached: asking is the proof that the server is there, once a model call.
        server = MCPToolset[Any](client, cache_tools=False)
        try:
            # The client's own limits begin when an SSE stream has begun.
            async with asyncio.timeout(self._timeout_seconds):
                await server.__aenter__()
        except Exception as error:
            return error
        else:
            self._server = server
            return server
        finally:
            self._opening = None

    def _transport(self) -> ClientTransport:
        if urlsplit(self._url).path.rstrip("/").endswith("/sse"):
            return SSETransport(self._url, auth=self._auth, sse_read_timeout=MAX_SILENCE_SECONDS)
        return StreamableHttpTransport(
            self._url, auth=self._auth, max_sse_event_size=MAX_ANSWER_BYTES
        )

    async def _drop(self, server: MCPToolset[Any]) -> None:
        """Give this connection up; calls of other runs that are under way on it may still end."""
        if self._server is not server:
            return  # somebody else has
        self._server = None
        try:
            async with asyncio.timeout(self._timeout_seconds):  # it may want to say goodbye
                await server.__aexit__(None, None, None)
        except Exception as error:  # a lost connection says so again when it is closed
            _log.info("the MCP server's connection was lost: %s", type(error).__name__)


def _is_lost(cause: BaseException | None) -> bool:
    return isinstance(cause, MCPError) and cause.code in (CONNECTION_CLOSED, REQUEST_TIMEOUT)
