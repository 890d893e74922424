"""An MCP server in another process, which may be away at any time."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fanline.conversation import Turn

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually
from tests.support.failing import of_kind
from tests.support.stub_model import Call, Reply, StubModel

MCP_SERVER = """
import sys

from fastmcp import FastMCP

server = FastMCP("elsewhere")


@server.tool
def count() -> int:
    return 7


@server.tool
def refuse() -> int:
    raise RuntimeError("TOOL-SECRET")


server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
"""


@asynccontextmanager
async def an_mcp_server(folder: Path, port: int) -> AsyncGenerator[None, None]:
    """A server of tools in a process of its own, killed at the end of the block."""
    script = folder / "mcp_server.py"
    script.write_text(MCP_SERVER)
    null = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(port), stdout=null, stderr=null
    )
    try:
        await eventually(lambda: is_open(port), "the MCP server listens")
        yield
    finally:
        server.kill()
        await server.wait()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Elsewhere:
    """A deployment whose worker takes its tools from the MCP server at `port`, if there is one."""

    deployment: Deployment
    port: int


@pytest.fixture(scope="module")
async def elsewhere(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Elsewhere, None]:
    """Started without the MCP server: a worker waits for nobody."""
    port = free_port()
    folder = tmp_path_factory.mktemp("elsewhere")
    async with deploy(redis_server, folder, **stub.environment()) as deployment:
        await deployment.start_gateway()
        await deployment.start_worker(mcp_url=f"http://127.0.0.1:{port}/mcp")
        yield Elsewhere(deployment, port)
        await deployment.check_nothing_is_left()


async def test_turns_fail_while_the_server_is_away_and_only_then(
    elsewhere: Elsewhere, stub: StubModel, tmp_path: Path
) -> None:
    """At the worker's start, when it was stopped between turns, and when it was started anew."""

    async def count() -> Turn:
        chat = Chat(elsewhere.deployment, stub)
        replies = Reply(calls=[Call("count", {})]), Reply(["There are 7."])
        stub.script(chat.session_id, *replies)
        async with chat.tab() as tab:
            return await tab.ask(chat.session_id)

    for _ in range(2):
        turn = await count()
        assert turn.error is not None
        assert (turn.status, turn.answer) == ("failed", "")
        assert turn.error["code"] == "tool_error"
        async with an_mcp_server(tmp_path, elsewhere.port):
            assert (await count()).answer == "There are 7."
            assert (await count()).answer == "There are 7."


async def test_a_server_that_is_lost_in_mid_turn_fails_the_turn(
    elsewhere: Elsewhere, stub: StubModel, tmp_path: Path
) -> None:
    """The model is not asked to answer without the data."""
    chat = Chat(elsewhere.deployment, stub)
    lost = Reply(["Let me count. "], calls=[Call("count", {})], hold_after=1)
    stub.script(chat.session_id, lost, Reply(["There are 9."]))
    async with chat.tab() as tab:
        async with an_mcp_server(tmp_path, elsewhere.port):
            turn_id = await tab.session.send(chat.session_id)
            await lost.reached_hold.wait()
        lost.release()
        turn = await tab.until_finished(turn_id)
    assert turn.error is not None
    assert turn.error["code"] == "tool_error"
    assert "9" not in turn.answer
    assert [result["is_error"] for result in of_kind(tab, "tool_result")] == [True]


async def test_a_model_may_go_on_after_a_tool_of_the_server_that_failed(
    elsewhere: Elsewhere, stub: StubModel, tmp_path: Path
) -> None:
    chat = Chat(elsewhere.deployment, stub)
    stub.script(chat.session_id, Reply(calls=[Call("refuse", {})]), Reply(["Then without."]))
    async with an_mcp_server(tmp_path, elsewhere.port), chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    assert (turn.status, turn.answer) == ("completed", "Then without.")
    (result,) = of_kind(tab, "tool_result")
    assert (result["is_error"], result["result"]) == (True, "The tool failed.")
