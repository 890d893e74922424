"""Many runs that need the MCP server at the same time, while it says nothing."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from agent_worker.mcp_connection import McpConnection, McpServerLost
from tests.support.eventually import eventually

TIMEOUT_SECONDS = 0.5


class SilentServer:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.read()  # until the client has gone
        writer.close()


@pytest.fixture
async def silent() -> AsyncGenerator[SilentServer, None]:
    server = SilentServer()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/sse"
        yield server


def a_run(connection: McpConnection) -> asyncio.Task[None]:
    async def run() -> None:
        agent = Agent(TestModel(), toolsets=[connection])
        with pytest.raises(McpServerLost):
            await agent.run("how many?")

    return asyncio.create_task(run())


async def test_they_wait_for_one_attempt_to_connect(silent: SilentServer) -> None:
    """Not for each other's, one after the other."""
    async with McpConnection(silent.url, timeout_seconds=TIMEOUT_SECONDS) as connection:
        await asyncio.gather(*(a_run(connection) for _ in range(10)))
        assert silent.connections == 1
        await a_run(connection)
        assert silent.connections == 2


async def test_one_of_them_that_is_stopped_does_not_stop_the_others(silent: SilentServer) -> None:
    async with McpConnection(silent.url, timeout_seconds=TIMEOUT_SECONDS) as connection:
        stopped, other = a_run(connection), a_run(connection)
        await eventually(lambda: silent.connections, "they connect")
        stopped.cancel()
        await other
        assert stopped.cancelled()
    assert silent.connections == 1


async def test_a_worker_that_ends_does_not_wait_for_the_server(silent: SilentServer) -> None:
    async with McpConnection(silent.url, timeout_seconds=3600) as connection:
        stopped = a_run(connection)
        await eventually(lambda: silent.connections, "it connects")
        stopped.cancel()
        await asyncio.wait([stopped])
