"""What a worker shows at the MCP server, and to nobody else."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from httpx2 import Auth, Request
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from agent_worker.mcp_connection import McpConnection, McpServerLost, build_auth
from agent_worker.settings import WorkerSettings
from dev.embedded_redis import free_port
from tests.agent_worker.mcp_elsewhere import McpElsewhere

TOKEN = "S3CRET-TOKEN"
BASIC = f"Basic {b64encode(b'us:S3CRET').decode()}"


def header_of(auth: Auth | None) -> str | None:
    """What `auth` adds to a request."""
    if auth is None:
        return None
    request = next(auth.auth_flow(Request("GET", "http://127.0.0.1/mcp")))
    return request.headers["authorization"]


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({}, None),
        ({"MCP_TOKEN": TOKEN}, f"Bearer {TOKEN}"),
        ({"MCP_CLIENT_ID": "us", "MCP_CLIENT_SECRET": "S3CRET"}, BASIC),
        ({"AIDBOX_CLIENT_ID": "us", "AIDBOX_CLIENT_SECRET": "S3CRET"}, BASIC),
        ({"MCP_TOKEN": TOKEN, "MCP_CLIENT_ID": "us"}, f"Bearer {TOKEN}"),
    ],
)
def test_a_token_or_an_id_and_a_secret_make_the_header(
    environment: dict[str, str], header: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert header_of(build_auth(WorkerSettings())) == header


@pytest.mark.parametrize("name", ["MCP_CLIENT_ID", "MCP_CLIENT_SECRET"])
def test_half_of_an_id_and_a_secret_is_a_mistake(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ValueError, match="MCP_CLIENT_ID and MCP_CLIENT_SECRET"):
        build_auth(WorkerSettings())


async def ask(url: str, token: str) -> None:
    """A run that needs the server's tools."""
    auth = build_auth(WorkerSettings.model_validate({"mcp_token": token}))
    connection = McpConnection(url, auth)
    agent = Agent(TestModel(call_tools=["count"]), toolsets=[connection])
    async with connection:
        await agent.run("how many?")


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_server_that_does_not_know_us_is_as_good_as_lost(
    transport: str, tmp_path: Path
) -> None:
    """Nothing is retried without end, and the right token opens the same door."""
    server = McpElsewhere(tmp_path, free_port(), transport, f"Bearer {TOKEN}")
    async with server.running():
        with pytest.raises(McpServerLost):
            await ask(server.url, "wrong")
        await ask(server.url, TOKEN)


@dataclass
class Listener:
    """A server that gives everybody the same answer, and keeps what it was asked."""

    answer: str
    port: int = 0
    requests: list[str] = field(default_factory=lambda: [])

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["Listener", None]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {self.answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.write_eof()
        await reader.read()
        writer.close()


@pytest.mark.parametrize("path", ["mcp", "sse"])
async def test_a_redirect_to_another_server_does_not_take_the_token_there(path: str) -> None:
    """Only the server that was named sees it."""
    async with Listener("404 Not Found").listening() as thief:
        there = f"http://127.0.0.1:{thief.port}/{path}"
        async with Listener(f"307 Moved\r\nLocation: {there}").listening() as named:
            with pytest.raises(McpServerLost):
                await ask(f"http://127.0.0.1:{named.port}/{path}", TOKEN)
    assert named.requests
    assert all(f"Bearer {TOKEN}" in request for request in named.requests)
    assert not [request for request in thief.requests if TOKEN in request]
