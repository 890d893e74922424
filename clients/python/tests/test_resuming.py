"""Every event once, in order, over as many sockets as it takes."""

import asyncio

import pytest
from fake_gateway import NEVER, QUICK, FakeGateway, FakeSocket, Patient
from fanline import Event, Position, Refused, Session, connect


async def take(session: Session, count: int) -> list[str]:
    """The positions of the next events; frames that are in no log are passed over."""
    places: list[str] = []
    async for event in session:
        if event.position is not None:
            places.append(str(event.position))
        if len(places) == count:
            break
    return places


async def reopen(gateway: FakeGateway, session: Session) -> tuple[FakeSocket, asyncio.Task[Event]]:
    """The socket that the session opens next, and the read that made it do so."""
    reading = asyncio.create_task(anext(session))
    return await gateway.next_socket(), reading


async def test_the_first_load_asks_for_everything_and_a_reconnect_for_the_rest(
    gateway: FakeGateway,
) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        assert (socket.session_id, socket.last_event_id) == ("s", None)
        await socket.greet("7-2")
        await socket.say_pieces("7-1", "7-2")
        assert await take(session, 2) == ["7-1", "7-2"]

        socket.vanish()
        socket, reading = await reopen(gateway, session)
        assert socket.last_event_id == "7-2"
        await socket.greet("7-3")
        assert (await reading)["resumed"] is True
        await socket.say_pieces("7-3")
        assert await take(session, 1) == ["7-3"]
        assert session.reconnects == 1


async def test_a_session_goes_on_from_the_cursor_of_another(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", last_event_id="7-5", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        assert socket.last_event_id == "7-5"
        await socket.greet("7-6")
        await socket.say_pieces("7-6")
        assert await take(session, 1) == ["7-6"]
        assert session.cursor == Position(7, 6)


async def test_what_comes_twice_is_taken_once(gateway: FakeGateway) -> None:
    """Positions compare as numbers: 10 comes after 9."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        await socket.greet("7-9")
        await socket.say_pieces("7-9", "7-9", "7-8", "7-10")
        assert await take(session, 2) == ["7-9", "7-10"]


async def test_a_reset_drops_the_cursor_and_the_log_comes_again(gateway: FakeGateway) -> None:
    """Also in the midst of a socket's life, and with two lives of the log in one replay."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        await socket.greet("7-2")
        await socket.say_pieces("7-1", "7-2")
        assert await take(session, 2) == ["7-1", "7-2"]

        await socket.send("connection", status="reconnecting", head=None)
        await socket.greet("8-1", reset=True)
        await socket.say_pieces("7-1", "7-2", "8-1", "8-2")
        assert await take(session, 4) == ["7-1", "7-2", "8-1", "8-2"]


async def test_a_later_epoch_that_nobody_announced_is_not_taken(gateway: FakeGateway) -> None:
    """A step of epoch is right up to the `head` that `connection` named, and nowhere else."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        await socket.greet("7-1")
        await socket.say_pieces("7-1", "9-1", "7-2")
        assert await take(session, 2) == ["7-1", "7-2"]


async def test_a_draining_gateway_says_when_to_come_back(gateway: FakeGateway) -> None:
    """The wait is the one of the close reason, not the client's own."""
    async with connect(gateway.url, "s", backoff=NEVER) as session:
        socket = await gateway.next_socket()
        await socket.greet()
        assert (await anext(session)).type == "connection"
        await socket.close(1012, "1")
        socket, reading = await reopen(gateway, session)
        await socket.greet()
        await reading


async def test_a_silent_socket_is_given_up(gateway: FakeGateway) -> None:
    """Not even a heartbeat: the connection only looks alive."""
    async with connect(gateway.url, "s", backoff=NEVER) as session:
        socket = await gateway.next_socket()
        await socket.greet(heartbeat_seconds=0.02)
        assert (await anext(session)).type == "connection"
        _, reading = await reopen(gateway, session)
        reading.cancel()


async def test_a_gateway_that_is_busy_or_starting_is_tried_again(gateway: FakeGateway) -> None:
    gateway.refusals = [503, 502, 429]
    async with connect(gateway.url, "s", backoff=QUICK):
        await gateway.next_socket()
    assert gateway.refusals == []


async def test_a_refused_handshake_is_not_tried_again(gateway: FakeGateway) -> None:
    gateway.refusals = [400]
    with pytest.raises(Refused, match="400"):
        async with connect(gateway.url, "s", backoff=QUICK):
            pass
    assert gateway.has_no_other_socket()


async def test_a_close_for_good_ends_the_iteration(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        await (await gateway.next_socket()).close(1008, "not as you are")
        with pytest.raises(Refused, match="not as you are"):
            await anext(session)
    assert gateway.has_no_other_socket()


async def test_a_cancelled_read_loses_nothing(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        reading = asyncio.create_task(anext(session))
        await asyncio.wait((reading,), timeout=0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await socket.greet("7-1")
        await socket.say_pieces("7-1")
        assert await take(session, 1) == ["7-1"]


async def test_a_closed_session_ends_its_iteration(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        await gateway.next_socket()
        reading = asyncio.create_task(take(session, 1))
        await asyncio.wait((reading,), timeout=0)
        await session.close()
        assert await reading == []
    assert gateway.has_no_other_socket()


async def test_a_session_that_is_left_in_mid_replay_is_closed_in_good_order(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway's close is behind all that nobody has read."""
    monkeypatch.setattr("fanline.handshake.CLOSE_SECONDS", 3600.0)
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        await socket.say_pieces(*(f"7-{seq}" for seq in range(1, 1001)))
        assert await take(session, 1) == ["7-1"]
        turn_id = await session.send("the last word")
    assert (await socket.next())["message_id"] == turn_id
    assert await socket.closed() == 1000


async def test_a_session_without_a_gateway_is_closed_at_once(gateway: FakeGateway) -> None:
    """Its iteration does not wait for the next try."""
    backoff = Patient()
    async with connect(gateway.url, "s", backoff=backoff) as session:
        (await gateway.next_socket()).vanish()
        reading = asyncio.create_task(take(session, 1))
        await asyncio.to_thread(backoff.waits.wait)
        await session.close()
        assert await reading == []
    assert gateway.has_no_other_socket()


async def test_what_is_no_address_of_a_socket_is_an_error_at_once() -> None:
    """Not a gateway that may yet come."""
    with pytest.raises(ValueError, match="ws://"):
        async with connect("http://localhost:8000", "s"):
            pass


async def test_the_origin_is_sent_when_one_is_given(gateway: FakeGateway) -> None:
    async with connect(gateway.url, "s", origin="http://localhost:5173", backoff=QUICK):
        socket = await gateway.next_socket()
        assert socket.headers["Origin"] == "http://localhost:5173"


async def test_unknown_frames_and_fields_are_handed_on(gateway: FakeGateway) -> None:
    """A newer gateway may send them."""
    async with connect(gateway.url, "s", backoff=QUICK) as session:
        socket = await gateway.next_socket()
        await socket.greet("7-1")
        await socket.send("weather", "7-1", sky="blue")
        await anext(session)
        event = await anext(session)
        assert (event.type, event["sky"], event.get("wind")) == ("weather", "blue", None)
