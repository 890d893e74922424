"""The session without `async`: the same rules, with calls that wait, in a thread of its own."""

import asyncio
import threading

import pytest
from fake_gateway import NEVER, QUICK, FakeGateway
from fanline import Event, Position, Refused, TurnFailed, Unauthorized
from fanline.sync import connect
from waiting import opened, take

TURN = "5b1c1c1e-8f1e-4a51-9d6d-0d4a40a1a000"


async def test_every_event_comes_once_over_as_many_sockets_as_it_takes(
    gateway: FakeGateway,
) -> None:
    async with opened(gateway, "7-1") as (session, socket):
        assert socket.last_event_id == "7-1"
        await socket.greet("7-3")
        await socket.say_pieces("7-2", "7-2", "7-3")
        assert await take(session, 2) == ["7-2", "7-3"]
        assert (session.cursor, session.reconnects) == (Position(7, 3), 0)

        socket.vanish()
        reading = asyncio.create_task(take(session, 1))
        socket = await gateway.next_socket()
        assert socket.last_event_id == "7-3"
        await socket.greet("7-4")
        await socket.say_pieces("7-3", "7-4")
        assert await reading == ["7-4"]
        assert (session.cursor, session.reconnects) == (Position(7, 4), 1)


async def test_another_thread_sends_and_cancels_while_one_iterates(gateway: FakeGateway) -> None:
    """What was said is said again on the next socket."""
    async with opened(gateway) as (session, socket):
        reading = asyncio.create_task(take(session, 1))
        turn_id = await asyncio.to_thread(session.send, "why", TURN)
        await asyncio.to_thread(session.cancel, turn_id)
        socket.vanish()
        socket = await gateway.next_socket()
        said = [await socket.next(), await socket.next()]
        assert [frame["type"] for frame in said] == ["message", "cancel"]
        assert (said[0]["content"], said[0]["message_id"], said[1]["turn_id"]) == (
            "why",
            TURN,
            TURN,
        )
        await socket.show("7-1", TURN)
        assert await reading == ["7-1"]


async def test_a_question_is_answered_and_its_events_are_shown_meanwhile(
    gateway: FakeGateway,
) -> None:
    shown: list[Event] = []
    async with opened(gateway) as (session, socket):
        asking = asyncio.create_task(asyncio.to_thread(session.ask, "why", shown.append))
        turn_id = (await socket.next())["message_id"]
        await socket.say("7-1", "another", "0", "not this")
        await socket.say("7-2", turn_id, "1", "be")
        await socket.say("7-3", turn_id, "1", "because", streaming=False)
        await socket.finish("7-4", turn_id)
        assert await asking == "because"
        assert [str(event.position) for event in shown] == ["7-2", "7-3", "7-4"]
        assert session.cursor == Position(7, 4)


async def test_errors_reach_the_caller_as_they_are(gateway: FakeGateway) -> None:
    async with opened(gateway) as (session, socket):
        asking = asyncio.create_task(asyncio.to_thread(session.ask, "why"))
        turn_id = (await socket.next())["message_id"]
        await socket.send("error", code="too_many", message_id=turn_id, error="Too many.")
        with pytest.raises(TurnFailed, match=r"^Too many\.$") as failed:
            await asking
        assert failed.value.code == "too_many"
        with pytest.raises(ValueError, match="badly formed"):
            await asyncio.to_thread(session.send, "hello", "not a UUID")
        await socket.close(1008, "not as you are")
        with pytest.raises(Refused, match="not as you are"):
            await take(session, 1)


def refuse_token() -> str:
    raise ConnectionError("the identity provider is away")


async def test_a_session_that_cannot_be_opened_says_why(gateway: FakeGateway) -> None:
    gateway.refusals = [401]
    with pytest.raises(Unauthorized):
        await asyncio.to_thread(connect(gateway.url, "s", backoff=QUICK).__enter__)
    with pytest.raises(ConnectionError, match="identity provider"):
        await asyncio.to_thread(connect(gateway.url, "s", token=refuse_token).__enter__)
    with pytest.raises(ValueError, match="not a position"):
        await asyncio.to_thread(connect(gateway.url, "s", last_event_id="last").__enter__)
    gateway.refusals = [503]
    opening = connect(gateway.url, "s", backoff=NEVER, timeout_seconds=0.1)
    with pytest.raises(TimeoutError):
        await asyncio.to_thread(opening.__enter__)
    assert all(thread.name != "fanline" for thread in threading.enumerate())


async def test_a_callback_that_calls_its_session_is_told_so(gateway: FakeGateway) -> None:
    """It would wait for itself."""
    async with opened(gateway) as (session, socket):
        again = asyncio.to_thread(session.ask, "why", lambda _: session.cancel(TURN))
        asking = asyncio.create_task(again)
        await socket.show("7-1", (await socket.next())["message_id"])
        with pytest.raises(RuntimeError, match="wait for itself"):
            await asking
