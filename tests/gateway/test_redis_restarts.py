"""Redis stops, comes back, or was never there: sockets stay and miss nothing."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2 as httpx
import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.log_writer import writing_to
from tests.gateway.raw_tab import a_message, a_session, connected, opened
from tests.gateway.signs import readiness, until_ready_is
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually

MORTAL_EITHER_WAY = pytest.mark.parametrize("mortal", ["wire", "events"], indirect=True)


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncGenerator[EmbeddedRedis, None]:
    """A server that the test may stop: what it has acknowledged is there again afterwards."""
    server = EmbeddedRedis(tmp_path / "redis", append_only=True)
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def mortal(
    request: pytest.FixtureRequest, own_redis: EmbeddedRedis, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """A deployment on that server; no gateway has started yet."""
    async with deploy(own_redis, tmp_path, **SMALL) as own:
        own.way = getattr(request, "param", "wire")
        yield own
        await forget_unanswered(own)
        await own.check_nothing_is_left()


@MORTAL_EITHER_WAY
async def test_sockets_outlive_a_restart_of_redis(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """C29, R24: `reconnecting`, then `connected`, on the same sockets of both gateways; what was
    written before anybody was connected again is there too, each event once."""
    one, two = await mortal.start_gateway(), await mortal.start_gateway()
    session_id = a_session()
    async with connected(one, session_id) as left, connected(two, session_id) as right:
        await left.say("before")
        for tab in (left, right):
            await tab.until("message")
        await asyncio.to_thread(own_redis.stop)
        for tab in (left, right):
            await tab.until("connection", status="reconnecting")
        await asyncio.to_thread(own_redis.start)
        async with writing_to(own_redis.url, mortal.keys) as writer:
            await writer.say(session_id, "while they were connecting")
            for tab in (left, right):
                await tab.until_contents("before", "while they were connecting")
                assert tab.frames[-1]["id"] == (await writer.positions(session_id))[-1]
            await right.say("after")
            for tab in (left, right):
                await tab.until_contents("before", "while they were connecting", "after")
                assert [f["id"] for f in tab.events] == await writer.positions(session_id)
    assert left.events == right.events
    for gateway in (one, two):
        assert gateway.process.returncode is None
        assert "Traceback" not in gateway.log()


@MORTAL_EITHER_WAY
async def test_a_new_life_of_redis_is_answered_by_reset(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """C29: it may have forgotten what a tab has seen, so nobody resumes across it in silence: not
    the open tab, and not the one that comes back with its old cursor."""
    gateway = await mortal.start_gateway()
    session_id = a_session()
    async with connected(gateway, session_id) as tab:
        await tab.say("before")
        old = await tab.until("message")
        await asyncio.to_thread(own_redis.stop)
        await tab.until("connection", status="reconnecting")
        await asyncio.to_thread(own_redis.start)
        await tab.until("connection", status="connected")
        await tab.say("after")
        await tab.until("connection", status="reconnecting")
        anew = await tab.until("connection", status="connected")
        assert (anew["reset"], anew["resumed"]) == (True, False)
        await tab.until_contents("before", "after")
        assert tab.events[0]["id"] == old["id"]
        assert tab.events[1]["id"].endswith("-1")
    async with opened(gateway, session_id, last_event_id=old["id"]) as back:
        first = await back.next()
        assert (first["reset"], first["resumed"]) == (True, False)
        assert first["head"] == tab.events[-1]["id"]
        await back.until_contents("before", "after")
        assert back.events == tab.events


async def test_a_redis_that_has_forgotten_everything_is_told_to_the_tabs(
    tmp_path: Path,
) -> None:
    """No silent loss: without persistence the log is gone, and the tab drops what it has."""
    server = EmbeddedRedis(tmp_path / "redis")
    await asyncio.to_thread(server.start)
    try:
        async with deploy(server, tmp_path, **SMALL) as deployment:
            gateway = await deployment.start_gateway()
            async with connected(gateway, a_session()) as tab:
                await tab.say("before")
                await tab.until("message")
                await asyncio.to_thread(server.kill)
                await tab.until("connection", status="reconnecting")
                await asyncio.to_thread(server.start)
                emptied = await tab.until("connection", status="connected")
                assert (emptied["reset"], emptied["head"]) == (True, None)
                await tab.is_usable()
                assert tab.contents() == ["still here?"]
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_message_sent_while_redis_is_away_for_a_moment_is_taken(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """C29: the gateway insists; the tab need not send it again."""
    gateway = await mortal.start_gateway(accept_seconds=15)
    async with connected(gateway, a_session()) as tab:
        await asyncio.to_thread(own_redis.stop)
        await tab.until("connection", status="reconnecting")
        await tab.say("patience")
        await asyncio.to_thread(own_redis.start)
        await tab.until_contents("patience")
        assert not [frame for frame in tab.frames if frame["type"] == "error"]


async def test_a_message_that_cannot_be_taken_gets_unavailable_and_can_be_sent_again(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """C29: the error is retryable and names the message; the same id makes the retry safe."""
    gateway = await mortal.start_gateway(accept_seconds=0.5)
    session_id = a_session()
    async with connected(gateway, session_id) as tab:
        await asyncio.to_thread(own_redis.stop)
        message_id = await tab.say("anybody?")
        error = await tab.until("error")
        assert (error["code"], error["message_id"]) == ("unavailable", message_id)
        assert error["retryable"] is True
        await tab.send({"type": "cancel", "session_id": session_id, "turn_id": message_id})
        assert (await tab.until("error"))["code"] == "unavailable"
        async with httpx.AsyncClient() as http:
            answer = await http.delete(f"{gateway.http}/sessions/{session_id}")
        assert answer.status_code == 503
        await asyncio.to_thread(own_redis.start)
        await until_ready_is(gateway, 200)
        for _ in range(2):
            await tab.send(a_message(session_id, "anybody?", message_id=message_id))
        await tab.is_usable()
        assert tab.contents() == ["anybody?", "still here?"]


async def test_many_messages_sent_while_redis_is_away_are_refused_together(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """None waits for the one before it: ten in a row would take twice the time that is waited."""
    gateway = await mortal.start_gateway(accept_seconds=4)
    async with connected(gateway, a_session()) as tab:
        await asyncio.to_thread(own_redis.stop)
        await until_ready_is(gateway, 503)
        sent = [await tab.say(f"message {number}") for number in range(10)]
        async with asyncio.timeout(20):
            refused = [await tab.until("error", code="unavailable") for _ in sent]
        assert [frame["message_id"] for frame in refused] == sent
        assert all(frame["retryable"] for frame in refused)
        await asyncio.to_thread(own_redis.start)
        await until_ready_is(gateway, 200)
        message_id = await tab.say("and now?")
        await tab.until("message", message_id=message_id)


async def test_readiness_goes_with_redis_and_comes_back_with_it(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """`/readyz` 503 and back; `/healthz` is about the process alone."""
    gateway = await mortal.start_gateway()
    await asyncio.to_thread(own_redis.stop)
    await until_ready_is(gateway, 503)
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{gateway.http}/healthz")).status_code == 200
        assert (await http.get(f"{gateway.http}/readyz")).json()["status"] == "not ready"
    await asyncio.to_thread(own_redis.start)
    await until_ready_is(gateway, 200)


async def test_a_gateway_that_starts_without_redis_stays_up_and_is_ready_when_it_comes(
    mortal: Deployment, own_redis: EmbeddedRedis
) -> None:
    """A tab that opens meanwhile is told `reconnecting` first, and then `connected`."""
    await asyncio.to_thread(own_redis.stop)
    starting = asyncio.create_task(mortal.start_gateway())

    async def is_up() -> bool:
        if not mortal.processes or not mortal.processes[0].port:
            return False
        try:
            return await readiness(mortal.processes[0]) == 503
        except httpx.TransportError:
            return False

    await eventually(is_up, "the gateway answers, not ready")
    async with opened(mortal.processes[0], a_session()) as tab:
        assert (await tab.next())["status"] == "reconnecting"
        await asyncio.to_thread(own_redis.start)
        assert (await tab.until("connection"))["status"] == "connected"
        await starting
        await tab.is_usable()
