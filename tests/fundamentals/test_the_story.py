"""The product's story through its public edge: real processes, a real server, a scripted model.

Read these first.
"""

import asyncio
import json
from typing import Any, cast
from uuid import uuid4

from tests.support.chat import Chat
from tests.support.eventually import eventually
from tests.support.stub_model import Reply


async def test_a_question_gets_a_streamed_answer(chat: Chat) -> None:
    """Pieces come while the model speaks; the whole text replaces them at the end."""
    chat.stub.script(chat.session_id, reply := Reply(["The ", "answer ", "is 42."], hold_after=2))
    async with chat.tab() as tab:
        turn_id = await tab.session.send(f"question {chat.session_id}")
        piece = await tab.until("assistant", streaming=True)
        assert piece["content"].startswith("The ")
        assert "turn_finished" not in tab.kinds()
        reply.release()
        turn = await tab.until_finished(turn_id)
    assert (turn.status, turn.answer) == ("completed", "The answer is 42.")


async def test_every_tab_shows_what_one_tab_asked_and_what_was_answered(chat: Chat) -> None:
    """Two tabs on one gateway and one on another get identical sequences."""
    async with chat.tab(0) as one, chat.tab(0) as two, chat.tab(1) as three:
        turn_id = await one.session.send("hello")
        for tab in (one, two, three):
            await tab.until_finished(turn_id)
        assert one.ids() == two.ids() == three.ids()
        assert [event.fields for event in one.events] == [event.fields for event in three.events]


async def test_a_second_tab_sees_a_run_that_is_already_streaming(chat: Chat) -> None:
    """A tab opened mid-answer shows the whole answer, in order, with nothing twice."""
    chat.stub.script(chat.session_id, reply := Reply(["one ", "two ", "three"], hold_after=2))
    async with chat.tab() as early:
        turn_id = await early.session.send(chat.session_id)
        await reply.reached_hold.wait()
        async with chat.tab(1) as late:
            await late.until("assistant", streaming=True)
            reply.release()
            assert (await late.until_finished(turn_id)).answer == "one two three"
        assert (await early.until_finished(turn_id)).answer == "one two three"


async def test_a_tab_that_reconnects_to_another_gateway_goes_on_where_it_was(chat: Chat) -> None:
    """Same answer, no event missing, none twice, though it changed the gateway in mid-answer."""
    chat.stub.script(chat.session_id, reply := Reply(["a ", "b ", "c ", "d"], hold_after=2))
    async with chat.tab(0) as watcher:
        async with chat.tab(0) as first:
            turn_id = await first.session.send(chat.session_id)
            await first.until("assistant", content="a ")
        async with chat.tab(1, last_event_id=str(first.session.cursor)) as second:
            assert second.frames[0]["resumed"] is True
            reply.release()
            turn = await second.until_finished(turn_id)
        await watcher.until_finished(turn_id)
    assert turn.status == "completed"
    assert first.ids() + second.ids() == sorted(set(first.ids() + second.ids()), key=_place)
    assert second.events[-1].position == watcher.events[-1].position
    assert watcher.conversation.turns[turn_id].answer == "a b c d"


async def test_a_fresh_tab_loads_the_conversation_and_not_its_tokens(chat: Chat) -> None:
    """After a finished turn the log holds no deltas."""
    chat.stub.script(chat.session_id, Reply([f"word{n} " for n in range(50)]))
    async with chat.tab() as tab:
        await tab.ask(chat.session_id)
    loaded = await chat.fresh_load(1)
    assert loaded.kinds() == [
        "message", "turn_started", "openai_call", "openai_response", "assistant", "turn_finished",
    ]  # fmt: skip
    assert all(not event["streaming"] for event in loaded.events if event.type == "assistant")


async def test_turns_of_a_session_are_answered_one_after_the_other(chat: Chat) -> None:
    """Five messages at once: five answers, in order, each run once."""
    marks = [f"{chat.session_id}-{n}" for n in range(5)]
    async with chat.tab() as tab:
        turn_ids = [await tab.session.send(mark) for mark in marks]
        for turn_id in turn_ids:
            await tab.until_finished(turn_id)
    started = [event["turn_id"] for event in tab.events if event.type == "turn_started"]
    assert started == turn_ids
    answers = [tab.conversation.turns[turn_id].answer for turn_id in turn_ids]
    assert answers == [f"echo: {mark}" for mark in marks]
    assert [chat.stub.runs(mark) for mark in marks] == [1] * 5


async def test_a_later_turn_remembers_the_earlier_ones(chat: Chat) -> None:
    """The conversation is in Redis, not in a process."""
    async with chat.tab() as tab:
        await tab.ask(f"my name is Ada {chat.session_id}")
        await tab.ask(f"who am I {chat.session_id}")
    request = next(
        body
        for body in chat.stub.requests
        if body["messages"][-1]["content"] == f"who am I {chat.session_id}"
    )
    said = [message["content"] for message in request["messages"] if message["role"] != "system"]
    assert said[0] == f"my name is Ada {chat.session_id}"
    assert said[1].startswith("echo: my name is Ada")


async def test_the_same_message_sent_twice_runs_once(chat: Chat) -> None:
    """A client that does not know whether its message arrived sends it again."""
    message_id = str(uuid4())
    async with chat.tab(0) as one, chat.tab(1) as two:
        await asyncio.gather(
            one.session.send(chat.session_id, message_id),
            two.session.send(chat.session_id, message_id),
        )
        await one.until_finished(message_id)
        await two.until_finished(message_id)
        await one.session.send(chat.session_id, message_id)
        await one.ask("another")
    assert one.kinds().count("message") == 2
    assert chat.stub.runs(chat.session_id) == 1


async def test_a_turn_can_be_stopped_from_any_tab_and_keeps_what_it_had_said(chat: Chat) -> None:
    """The stop is a command; its answer is `turn_finished`."""
    chat.stub.script(chat.session_id, reply := Reply(["said ", "never"], hold_after=1))
    async with chat.tab(0) as asker, chat.tab(1) as stopper:
        turn_id = await asker.session.send(chat.session_id)
        await asker.until("assistant", content="said ")
        await stopper.session.cancel(turn_id)
        turn = await asker.until_finished(turn_id)
        reply.release()
    assert (turn.status, turn.answer) == ("cancelled", "said ")


async def test_redis_cli_shows_the_same_json_as_the_sockets(chat: Chat) -> None:
    """One line an event, readable, equal to what the tab got."""
    async with chat.deployment.client() as client, client.pubsub() as watcher:
        await watcher.subscribe(chat.keys.channel)
        async with chat.tab() as tab:
            turn_id = await tab.session.send("hello")
            await tab.until_finished(turn_id)
        seen: list[dict[str, object]] = []

        async def all_seen() -> bool:
            heard = cast(Any, await watcher.get_message(ignore_subscribe_messages=True, timeout=0))
            if heard is not None:
                seen.append(json.loads(heard["data"]))
            return len(seen) >= len(tab.events)

        await eventually(all_seen, "the channel has shown every event")
    assert seen == [dict(event.fields) for event in tab.events]


def _place(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-"))
