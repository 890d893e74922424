"""An MCP server in another process, which may be away at any time, is slow, and asks who is there:
over streamable HTTP with a token, over SSE with a client's id and secret."""

import signal
from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.agent_worker.mcp_elsewhere import McpElsewhere
from tests.support.chat import Chat, Tab
from tests.support.deployment import Deployment, deploy
from tests.support.failing import of_kind
from tests.support.stub_model import Call, Reply, StubModel

SECRET = "S3CRET-OF-THE-CLIENT"
BASIC = f"Basic {b64encode(f'us:{SECRET}'.encode()).decode()}"
ACCESS = {
    "http": (f"Bearer {SECRET}", {"mcp_token": SECRET}),
    "sse": (BASIC, {"aidbox_client_id": "us", "aidbox_client_secret": SECRET}),
}
"""By transport: the header that the server wants, and the worker's settings that make it."""
BIG_BYTES = 500_000
TOO_BIG_BYTES = 1_100_000
"""For an SSE client: mcp takes events up to 1 MiB, and a text is in an answer twice."""
MAX_RESULT_BYTES = 65_536
MODEL_RESULT_BYTES = 32_768


@dataclass(frozen=True)
class Elsewhere:
    """A deployment whose worker takes its tools from the MCP server, if there is one."""

    deployment: Deployment
    server: McpElsewhere


@pytest.fixture(scope="module", params=ACCESS)
async def elsewhere(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    stub: StubModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Elsewhere, None]:
    """Started without the MCP server: a worker waits for nobody."""
    authorization, access = ACCESS[request.param]
    folder = tmp_path_factory.mktemp("elsewhere")
    server = McpElsewhere(folder, free_port(), request.param, authorization)
    async with deploy(redis_server, folder, **stub.environment()) as deployment:
        await deployment.start_gateway()
        worker = await deployment.start_worker(mcp_url=server.url, mcp_timeout=2, **access)
        yield Elsewhere(deployment, server)
        await deployment.check_nothing_is_left()
        assert SECRET not in worker.log()
        told = [line for line in worker.log().splitlines() if " mcp.client." in line]
        assert all(" WARNING " in line for line in told), told


@pytest.fixture
def chat(elsewhere: Elsewhere, stub: StubModel) -> Chat:
    return Chat(elsewhere.deployment, stub)


async def check_it_counts(tab: Tab, chat: Chat, when: str) -> None:
    """A turn that asks the server, and gets its answer."""
    question = f"how many {when}? {chat.session_id}"
    chat.stub.script(question, Reply(calls=[Call("count", {})]), Reply(["There ", "are 7."]))
    turn = await tab.ask(question)
    assert (turn.status, turn.answer) == ("completed", "There are 7.")
    result = of_kind(tab, "tool_result")[-1]
    assert (result["is_error"], result["result"]) == (False, "7")


async def check_it_fails(tab: Tab, turn_id: str) -> None:
    """The turn ends with a failed tool, and without an answer."""
    turn = await tab.until_finished(turn_id)
    assert turn.error is not None
    assert (turn.status, turn.error["code"]) == ("failed", "tool_error")
    assert "9" not in turn.answer


async def test_turns_fail_while_the_server_is_away_and_only_then(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    """At the worker's start, when it was stopped between turns, and when it was started anew."""
    async with chat.tab() as tab:
        for number in range(2):
            await check_it_fails(tab, await tab.session.send(f"away {number} {chat.session_id}"))
            async with elsewhere.server.running():
                await check_it_counts(tab, chat, f"first {number}")
                await check_it_counts(tab, chat, f"second {number}")
    assert len(elsewhere.deployment.processes) == 2, "nothing was started again"


async def test_a_server_that_is_lost_in_mid_turn_fails_the_turn_and_the_next_one_works(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    """The model is not asked to answer without the data."""
    lost = Reply(["Let me count. "], calls=[Call("count", {})], hold_after=1)
    chat.stub.script(chat.session_id, lost, Reply(["There are 9."]))
    async with chat.tab() as tab:
        async with elsewhere.server.running():
            await check_it_counts(tab, chat, "before")
            turn_id = await tab.session.send(chat.session_id)
            await lost.reached_hold.wait()
        lost.release()
        await check_it_fails(tab, turn_id)
        assert [result["is_error"] for result in of_kind(tab, "tool_result")] == [False, True]
        async with elsewhere.server.running():
            await check_it_counts(tab, chat, "after")


async def test_a_server_that_is_lost_in_mid_call_fails_the_turn_and_the_next_one_works(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    chat.stub.script(chat.session_id, Reply(calls=[Call("wait", {})]), Reply(["There are 9."]))
    async with chat.tab() as tab:
        async with elsewhere.server.running():
            turn_id = await tab.session.send(chat.session_id)
            await tab.until("tool_call", tool_name="wait")
        await check_it_fails(tab, turn_id)
        async with elsewhere.server.running():
            await check_it_counts(tab, chat, "after")


async def test_a_server_that_is_too_slow_fails_the_turn(elsewhere: Elsewhere, chat: Chat) -> None:
    """After `MCP_TIMEOUT`; the next turn asks the same server."""
    chat.stub.script(chat.session_id, Reply(calls=[Call("wait", {})]), Reply(["There are 9."]))
    async with elsewhere.server.running(), chat.tab() as tab:
        await check_it_fails(tab, await tab.session.send(chat.session_id))
        (result,) = of_kind(tab, "tool_result")
        assert (result["is_error"], result["result"]) == (True, "The tool failed.")
        await check_it_counts(tab, chat, "after")


async def test_a_model_may_go_on_after_a_tool_of_the_server_that_failed(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    chat.stub.script(chat.session_id, Reply(calls=[Call("refuse", {})]), Reply(["Then without."]))
    async with elsewhere.server.running(), chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    assert (turn.status, turn.answer) == ("completed", "Then without.")
    (result,) = of_kind(tab, "tool_result")
    assert (result["is_error"], result["result"]) == (True, "The tool failed.")


async def test_a_huge_result_is_cut_for_the_frame_and_for_the_model_and_both_are_told(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    """Each by its own setting."""
    big = Call("big", {"size": BIG_BYTES})
    chat.stub.script(chat.session_id, Reply(calls=[big]), Reply(["Much."]))
    async with elsewhere.server.running(), chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    assert turn.status == "completed"
    (result,) = of_kind(tab, "tool_result")
    assert result["result"] == "é" * (MAX_RESULT_BYTES // 2)
    assert result["truncated_bytes"] == BIG_BYTES - MAX_RESULT_BYTES
    told = chat.stub.requests[-1]["messages"][-1]
    assert told["role"] == "tool"
    kept, said = told["content"].split("\n")
    assert kept == "é" * (MODEL_RESULT_BYTES // 2)
    assert f"{BIG_BYTES - MODEL_RESULT_BYTES} of its {BIG_BYTES} bytes are missing" in said


@pytest.mark.parametrize("elsewhere", ["sse"], indirect=True)
async def test_a_result_that_sse_cannot_carry_fails_the_turn_and_the_next_one_works(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    chat.stub.script(chat.session_id, Reply(calls=[Call("big", {"size": TOO_BIG_BYTES})]))
    async with elsewhere.server.running(), chat.tab() as tab:
        await check_it_fails(tab, await tab.session.send(chat.session_id))
        await check_it_counts(tab, chat, "after")


@pytest.mark.parametrize("elsewhere", ["sse"], indirect=True)
async def test_a_server_that_is_frozen_fails_the_turn_and_works_when_it_wakes(
    elsewhere: Elsewhere, chat: Chat
) -> None:
    """Its connections stand, and nothing comes over them; nor over another."""
    async with elsewhere.server.running() as server, chat.tab() as tab:
        await check_it_counts(tab, chat, "before")
        server.send_signal(signal.SIGSTOP)
        await check_it_fails(tab, await tab.session.send(chat.session_id))
        server.send_signal(signal.SIGCONT)
        await check_it_counts(tab, chat, "after")
