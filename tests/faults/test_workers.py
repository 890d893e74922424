"""Workers that die, freeze, are told to stop, or are many: accepted means answered, once."""

import asyncio
from typing import cast

import httpx2
import pytest

from tests.support.chat import Chat
from tests.support.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.stub_model import Reply, StubModel


@pytest.fixture
async def own_chat(deployment: Deployment, stub: StubModel) -> Chat:
    """A conversation on a deployment of the test's own, with one gateway and no worker yet."""
    await deployment.start_gateway()
    return Chat(deployment, stub)


async def test_a_message_waits_for_a_worker_and_is_answered_when_one_comes(own_chat: Chat) -> None:
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send("anybody there?")
        await tab.until("message")
        await own_chat.deployment.start_worker()
        assert (await tab.until_finished(turn_id)).answer == "echo: anybody there?"


async def test_a_killed_worker_s_turn_is_finished_by_another(own_chat: Chat) -> None:
    """Tabs drop the dead attempt's text and end with one whole answer; its open call is closed with
    the ids and the attempt that it was begun under."""
    own_chat.stub.script(own_chat.session_id, reply := Reply(["half ", "whole"], hold_after=1))
    first = await own_chat.deployment.start_worker()
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        await tab.until("assistant", streaming=True)
        await own_chat.deployment.start_worker()
        await first.kill()
        await tab.until("turn_started", attempt=2)
        reply.release()
        turn = await tab.until_finished(turn_id)
    assert (turn.status, turn.answer) == ("completed", "half whole")
    begun = [event for event in tab.events if event.type == "openai_call"]
    ended = [event for event in tab.events if event.type == "openai_response"]
    assert [event["attempt"] for event in begun] == [1, 2]
    assert [(e["attempt"], e["is_error"]) for e in ended] == [(1, True), (2, False)]
    assert [event["span_id"] for event in begun] == [event["span_id"] for event in ended]
    loaded = await own_chat.fresh_load()
    assert not [event for event in loaded.events if event.get("streaming")], "no delta is left"
    assert loaded.kinds().count("turn_finished") == 1


async def test_a_worker_that_only_slept_can_not_write_any_more(own_chat: Chat) -> None:
    """Frozen longer than its lease, woken after the takeover: its writes are refused."""
    own_chat.stub.script(own_chat.session_id, reply := Reply(["x ", "y"], hold_after=1))
    sleeper = await own_chat.deployment.start_worker()
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        await tab.until("assistant", streaming=True)
        sleeper.freeze()
        await own_chat.deployment.start_worker()
        await tab.until("turn_started", attempt=2)
        sleeper.thaw()
        reply.release()
        turn = await tab.until_finished(turn_id)
        await eventually(lambda: "may not write" in sleeper.log(), "the sleeper notices")
    assert turn.answer == "x y"
    assert {event["attempt"] for event in tab.events[-3:]} == {2}
    assert tab.kinds().count("turn_finished") == 1


async def test_a_turn_that_loses_every_worker_ends_as_failed(own_chat: Chat) -> None:
    own_chat.stub.script(own_chat.session_id, reply := Reply(["x ", "y"], hold_after=1))
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        for attempt in (1, 2):
            worker = await own_chat.deployment.start_worker(max_attempts=2)
            await tab.until("turn_started", attempt=attempt)
            await tab.until("assistant", streaming=True)
            await worker.kill()
        await own_chat.deployment.start_worker(max_attempts=2)
        turn = await tab.until_finished(turn_id)
        assert turn.status == "failed"
        assert turn.error is not None
        assert turn.error["code"] == "worker_lost"
        reply.release()
        assert (await tab.ask("and now?")).answer == "echo: and now?"


async def test_a_worker_told_to_stop_hands_its_turn_back_uncounted(own_chat: Chat) -> None:
    """SIGTERM in mid-turn: the next worker begins at once, and the attempt is not a lost one."""
    own_chat.stub.script(own_chat.session_id, reply := Reply(["x ", "y"], hold_after=1))
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        for attempt in (1, 2, 3):
            worker = await own_chat.deployment.start_worker(max_attempts=1, drain_seconds=0)
            await tab.until("turn_started", attempt=attempt)
            assert await worker.stop() == 0
        reply.release()
        await own_chat.deployment.start_worker(max_attempts=1)
        assert (await tab.until_finished(turn_id)).answer == "x y"


async def test_a_worker_told_to_stop_finishes_what_it_can(own_chat: Chat) -> None:
    own_chat.stub.script(own_chat.session_id, reply := Reply(["x ", "y"], hold_after=1))
    worker = await own_chat.deployment.start_worker(drain_seconds=20)
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        await reply.reached_hold.wait()
        stopping = asyncio.create_task(worker.stop())
        await eventually(lambda: "drains" in worker.log(), "the worker drains")
        reply.release()
        assert (await tab.until_finished(turn_id)).attempt == 1
        assert await stopping == 0


async def test_three_workers_answer_a_hundred_messages_once_each_and_in_order(
    own_chat: Chat, stub: StubModel
) -> None:
    """20 sessions of 5 messages: exactly one `turn_finished` and one run at the model for each."""
    deployment = own_chat.deployment
    await asyncio.gather(*(deployment.start_worker() for _ in range(3)))
    chats = [Chat(deployment, stub) for _ in range(20)]

    async def converse(chat: Chat) -> None:
        marks = [f"{chat.session_id} {n}" for n in range(5)]
        async with chat.tab() as tab:
            turn_ids = [await tab.session.send(mark) for mark in marks]
            for turn_id in turn_ids:
                await tab.until_finished(turn_id)
        finished = [event["turn_id"] for event in tab.events if event.type == "turn_finished"]
        assert finished == turn_ids
        assert {event["session_id"] for event in tab.events} == {chat.session_id}
        assert [stub.runs(mark) for mark in marks] == [1] * 5

    await asyncio.gather(*(converse(chat) for chat in chats))


async def test_a_waiting_turn_is_cancelled_at_once_and_the_next_prompt_has_its_message(
    own_chat: Chat,
) -> None:
    """Three messages wait; the middle one is stopped before anybody ran it."""
    own_chat.stub.script("FIRST", reply := Reply(["first"], hold_after=0))
    await own_chat.deployment.start_worker()
    async with own_chat.tab() as tab:
        running = await tab.session.send(f"FIRST {own_chat.session_id}")
        waiting = await tab.session.send("SECOND")
        last = await tab.session.send(f"THIRD {own_chat.session_id}")
        await tab.until("message", message_id=last)
        await tab.session.cancel(waiting)
        cancelled = await tab.until("turn_finished", turn_id=waiting)
        reply.release()
        await tab.until_finished(running)
        assert (await tab.until_finished(last)).status == "completed"
    assert tab.conversation.turns[waiting].status == "cancelled"
    received = next(event for event in tab.events if event.get("message_id") == waiting)
    assert cancelled["trace_id"] == received["trace_id"]
    assert own_chat.stub.runs("SECOND") == 0
    request = own_chat.stub.requests[-1]
    assert "SECOND" in [message["content"] for message in request["messages"]]


async def test_a_turn_whose_worker_died_and_that_was_cancelled_ends_as_cancelled(
    own_chat: Chat,
) -> None:
    own_chat.stub.script(own_chat.session_id, reply := Reply(["said ", "never"], hold_after=1))
    worker = await own_chat.deployment.start_worker()
    async with own_chat.tab() as tab:
        turn_id = await tab.session.send(own_chat.session_id)
        await tab.until("assistant", streaming=True)
        await worker.kill()
        await tab.session.cancel(turn_id)
        await own_chat.deployment.start_worker()
        turn = await tab.until_finished(turn_id)
        reply.release()
    assert (turn.status, turn.answer) == ("cancelled", "said ")


async def test_a_deleted_session_takes_its_running_turn_with_it(own_chat: Chat) -> None:
    """Open tabs start anew, no key but the mark is left, a new message begins a conversation."""
    own_chat.stub.script(own_chat.session_id, reply := Reply(["x ", "y"], hold_after=1))
    worker = await own_chat.deployment.start_worker()
    async with own_chat.tab() as tab, httpx2.AsyncClient() as http:
        await tab.session.send(own_chat.session_id)
        await tab.until("assistant", streaming=True)
        url = f"{own_chat.gateways[0].http}/sessions/{own_chat.session_id}"
        assert (await http.delete(url)).status_code == 204
        emptied = await tab.until("connection", status="connected")
        assert (emptied["reset"], emptied["head"]) == (True, None)
        reply.release()
        async with own_chat.deployment.client() as client:
            found = cast(list[str], await client.keys(f"*{own_chat.session_id}*"))
            assert found == [own_chat.keys.deleted]
        assert (await tab.ask("hello again")).answer == "echo: hello again"
    assert "Traceback" not in worker.log()
    assert (await own_chat.log())[0]["type"] == "message"
