"""What was said and not answered is said again on the next socket: once, in order."""

import asyncio
from uuid import uuid4

import pytest
from fake_gateway import QUICK, FakeGateway
from fanline import Closed, FanlineError, TooBig, connect


async def test_a_message_has_the_id_that_its_turn_will_have(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        message_id = await session.send("hello")
        assert await socket.next() == {
            "type": "message",
            "session_id": "s",
            "content": "hello",
            "message_id": message_id,
        }


async def test_messages_that_were_not_shown_are_sent_again_once_and_in_order(
    gateway: FakeGateway,
) -> None:
    """One that was shown is not, and one that was said while there was no socket is among them."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        shown, *others = [await session.send(content) for content in ("one", "two", "three")]
        await socket.greet()
        await socket.show("7-1", shown)
        while (await anext(session)).type != "message":
            pass
        socket.vanish()
        reading = asyncio.create_task(anext(session))
        socket = await gateway.next_socket()
        await socket.greet("7-1")
        await reading
        others.append(await session.send("four"))
        said = [(await socket.next())["message_id"] for _ in others]
        assert said == others

        await session.cancel("the last word")  # nothing came between: no message was said twice
        assert (await socket.next())["type"] == "cancel"


async def test_a_refused_message_is_not_sent_again(gateway: FakeGateway) -> None:
    """To send it again, with the same id, is for the caller to decide."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        refused = await session.send("one")
        kept = await session.send("two")
        await socket.send("error", code="unavailable", retryable=True, message_id=refused, error="")
        assert (await anext(session))["code"] == "unavailable"
        socket.vanish()
        reading = asyncio.create_task(anext(session))
        socket = await gateway.next_socket()
        assert (await socket.next())["message_id"] == kept
        reading.cancel()


async def test_a_stop_is_said_again_until_its_turn_is_over(gateway: FakeGateway) -> None:
    over, unknown, running = (str(uuid4()) for _ in range(3))
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        for turn_id in (over, unknown, running):
            await session.cancel(turn_id)
        await socket.finish("7-1", over, "cancelled")
        await socket.send("error", code="unknown_turn", error="", turn_id=unknown)
        assert (await anext(session)).type == "turn_finished"
        assert (await anext(session)).type == "error"
        socket.vanish()
        reading = asyncio.create_task(anext(session))
        socket = await gateway.next_socket()
        assert await socket.next() == {"type": "cancel", "session_id": "s", "turn_id": running}
        reading.cancel()


async def test_a_message_that_is_too_big_is_given_up_and_the_session_goes_on(
    gateway: FakeGateway,
) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        small = await session.send("small")
        big = await session.send("big " * 1000)
        await socket.close(1009)
        with pytest.raises(TooBig, match=big):
            await anext(session)
        reading = asyncio.create_task(anext(session))
        socket = await gateway.next_socket()
        assert (await socket.next())["message_id"] == small
        reading.cancel()


async def test_what_the_gateway_could_not_answer_is_not_sent(gateway: FakeGateway) -> None:
    """A refusal without an id would leave the message waiting for ever."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        with pytest.raises(ValueError, match="badly formed"):
            await session.send("hello", "not a UUID")
        with pytest.raises(UnicodeEncodeError):
            await session.send("\ud800")


async def test_a_closed_session_sends_nothing_and_says_so(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        await session.close()
        with pytest.raises(Closed):
            await session.send("hello")
        with pytest.raises(Closed):
            await session.cancel(str(uuid4()))


async def test_the_outbox_is_bounded(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        for number in range(100):
            await session.send(str(number))
        with pytest.raises(FanlineError, match="100 messages"):
            await session.send("one more")
        socket.vanish()  # nobody reads them: a close in good order would wait for that
