"""`python -m agent_worker --failed`: what an operator sees of turns that failed, and does about
them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from agent_worker.failed_turns import make_retry_id
from tests.agent_worker.failed_command import listed, run
from tests.support.chat import Chat, Tab
from tests.support.clusters import MASTERS, RunningCluster, running_cluster
from tests.support.deployment import Deployment, deploy
from tests.support.stub_model import Reply, StubModel


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RunningCluster]:
    with running_cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
async def running(deployment: Deployment) -> Deployment:
    """With a gateway and a worker."""
    await deployment.start_gateway()
    await deployment.start_worker()
    return deployment


async def fail(chat: Chat, tab: Tab, content: str, reply: Reply | None = None) -> str:
    """Ask what the model does not answer the first time; the turn's id."""
    chat.stub.script(content, reply or Reply(["here you are"], status=400, failing_tries=1))
    turn = await tab.ask(content)
    assert turn.status == "failed"
    return turn.turn_id


async def test_a_failed_turn_is_listed_tried_again_answered_and_no_longer_listed(
    running: Deployment, stub: StubModel
) -> None:
    """Open tabs see the message again, and its answer, as they see any other."""
    chat = Chat(running, stub)
    question = f"what is wrong with {chat.session_id}"
    async with chat.tab() as tab:
        turn_id = await fail(chat, tab, question)
        assert (await tab.ask("and this?")).status == "completed"
        (turn,) = await listed(running)
        assert turn.pop("time") == next(
            event["timestamp"]
            for event in tab.events
            if event.type == "turn_finished" and event["turn_id"] == turn_id
        )
        assert turn == {
            "session_id": chat.session_id,
            "turn_id": turn_id,
            "code": "model_error",
            "attempts": 1,
        }
        status, (line,) = await run(running, "--retry", chat.session_id, turn_id)
        retry_id = make_retry_id(turn_id)
        assert status == 0
        assert line.split()[1:] == [chat.session_id, turn_id, "model_error", "1", retry_id]
        again = await tab.until_finished(retry_id)
    assert (again.status, again.answer) == ("completed", "here you are")
    messages = [event["content"] for event in tab.events if event.type == "message"]
    assert messages == [question, "and this?", question]
    assert await listed(running) == []


async def test_trying_again_twice_changes_nothing(running: Deployment, stub: StubModel) -> None:
    """The second is told so; a turn that fails again is another turn, which is listed."""
    chat = Chat(running, stub)
    async with chat.tab() as tab:
        turn_id = await fail(chat, tab, chat.session_id, Reply(status=400))
        assert (await run(running, "--retry", chat.session_id, turn_id))[0] == 0
        await tab.until_finished(make_retry_id(turn_id))
        status, (sentence,) = await run(running, "--retry", chat.session_id, turn_id)
        assert status == 1
        assert "has no failed turn" in sentence
    assert tab.kinds().count("message") == 2
    assert [turn["turn_id"] for turn in await listed(running)] == [make_retry_id(turn_id)]


async def test_content_is_shown_only_when_it_is_asked_for(
    running: Deployment, stub: StubModel
) -> None:
    """On one line, and with nothing in it that a terminal would obey."""
    chat = Chat(running, stub)
    content = f"line one {chat.session_id}\nline two \x1b[31m \x9b31m é"
    async with chat.tab() as tab:
        turn_id = await fail(chat, tab, content)
    _, lines = await run(running)
    assert "line one" not in "".join(lines)
    assert "content" not in (await listed(running))[0]
    _, (line,) = await run(running, "--content")
    assert line.isprintable()
    assert "line one" in line
    assert "é" in line
    assert (await listed(running, "--content"))[0]["content"] == content
    assert turn_id in line


async def test_all_can_be_tried_again_or_those_of_one_code(
    running: Deployment, stub: StubModel
) -> None:
    """Of every session, each session's in order."""
    chats = [Chat(running, stub) for _ in range(2)]
    asked: dict[str, list[str]] = {}
    for chat in chats:
        async with chat.tab() as tab:
            asked[chat.session_id] = [
                await fail(chat, tab, f"{chat.session_id} {n}") for n in range(2)
            ]
    assert await listed(running, "--code", "tool_error") == []
    assert await run(running, "--retry", "all", "--code", "tool_error") == (0, [])
    status, lines = await run(running, "--retry", "all", "--code", "model_error", "--json")
    assert status == 0
    tried = [json.loads(line) for line in lines]
    for chat in chats:
        own = [turn for turn in tried if turn["session_id"] == chat.session_id]
        assert [turn["turn_id"] for turn in own] == asked[chat.session_id]
        async with chat.tab() as tab:
            for turn in own:
                again = await tab.until_finished(turn["retry_id"])
                assert again.status == "completed"
    assert await listed(running) == []


async def test_of_a_session_that_was_deleted_nothing_is_left_to_try(
    running: Deployment, stub: StubModel
) -> None:
    chat = Chat(running, stub)
    async with chat.tab() as tab:
        turn_id = await fail(chat, tab, chat.session_id)
    async with httpx.AsyncClient() as http:
        await http.delete(f"{chat.gateways[0].http}/sessions/{chat.session_id}")
    assert await listed(running) == []
    status, (sentence,) = await run(running, "--retry", chat.session_id, turn_id)
    assert status == 1
    assert "has gone with its session" in sentence
    assert await chat.log() == []


@pytest.mark.timeout(60)
async def test_those_of_every_master_of_a_cluster_are_found(
    cluster: RunningCluster, stub: StubModel, tmp_path: Path
) -> None:
    """And tried again there."""
    async with deploy(cluster, tmp_path, **stub.environment()) as own:
        await own.start_gateway()
        await own.start_worker()
        chats: dict[int, Chat] = {}
        while len(chats) < MASTERS:
            chat = Chat(own, stub)
            chats.setdefault(cluster.master_of(chat.keys.log).port, chat)
        for chat in chats.values():
            async with chat.tab() as tab:
                await fail(chat, tab, chat.session_id)
        found = await listed(own)
        assert {turn["session_id"] for turn in found} == {c.session_id for c in chats.values()}
        assert (await run(own, "--retry", "all"))[0] == 0
        for turn in found:
            async with Chat(own, stub, turn["session_id"]).tab() as tab:
                again = await tab.until_finished(make_retry_id(turn["turn_id"]))
                assert again.status == "completed"
        assert await listed(own) == []
