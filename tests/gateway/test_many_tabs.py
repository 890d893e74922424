"""Many tabs, many sessions, many gateways: everybody gets their own events, once, in order."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.ids import SessionId
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import RawTab, a_session, connected
from tests.gateway.signs import metric
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually


async def test_every_tab_on_every_gateway_gets_the_same_bytes(
    edge: Deployment, writer: LogWriter
) -> None:
    """R20: the text on the wire is the text on the channel, whoever passes it on."""
    session_id = a_session()
    one, two = edge.processes
    async with AsyncExitStack() as stack:
        tabs: list[RawTab] = []
        for gateway in (one, one, two, two):
            tabs.append(await stack.enter_async_context(connected(gateway, session_id)))
        for number in range(20):
            await writer.say(session_id, f"message {number}")
        for tab in tabs:
            await tab.until_events(20)
    sequences = [[text for text in tab.texts if text.startswith('{"id"')] for tab in tabs]
    assert sequences[0] == sequences[1] == sequences[2] == sequences[3]
    assert [frame["id"] for frame in tabs[0].events] == await writer.positions(session_id)


async def test_no_frame_of_one_session_reaches_another(edge: Deployment, writer: LogWriter) -> None:
    """R18: ten sessions, twenty messages each, all at once, over two gateways."""
    sessions = [a_session() for _ in range(10)]
    async with AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(connected(edge.processes[number % 2], session_id))
            for number, session_id in enumerate(sessions)
        ]

        async def converse(tab: RawTab) -> None:
            for number in range(10):
                await tab.say(f"{tab.session_id} said {number}")
                await writer.say(tab.session_id, f"{tab.session_id} wrote {number}")
            await tab.until_events(20)

        await asyncio.gather(*(converse(tab) for tab in tabs))
        for tab in tabs:
            assert {frame["session_id"] for frame in tab.frames} == {tab.session_id}
            assert all(content.startswith(tab.session_id) for content in tab.contents())


async def test_two_deployments_on_one_redis_never_meet(
    edge: Deployment, writer: LogWriter, redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    """Same session ids, another `NAMESPACE`: no frame crosses, live or from the log."""
    session_id = a_session()
    async with deploy(redis_server, tmp_path, **SMALL) as other:
        assert other.namespace != edge.namespace
        stranger = await other.start_gateway()
        async with connected(edge.processes[0], session_id) as mine:
            async with connected(stranger, session_id) as theirs:
                await mine.say("mine")
                await mine.until("message")
                await theirs.say("theirs")
                await theirs.until("message")
                await mine.is_usable()
                assert mine.contents() == ["mine", "still here?"]
                assert theirs.contents() == ["theirs"]
            async with connected(stranger, session_id) as theirs:
                await theirs.is_usable()
                assert theirs.contents() == ["theirs", "still here?"]
        assert len(await writer.positions(session_id)) == 2
        await forget_unanswered(other)


async def test_order_is_that_of_the_log_and_not_of_the_clocks(
    edge: Deployment, writer: LogWriter
) -> None:
    """C41: the writers' clocks go backwards."""
    session_id = a_session()
    days = [f"2026-01-{day:02}T12:00:00.000Z" for day in range(20, 10, -1)]
    async with connected(edge.processes[0], session_id) as live:
        for day in days:
            await writer.say(session_id, day, timestamp=day)
        await live.until_events(len(days))
    async with connected(edge.processes[1], session_id) as later:
        await later.until_events(len(days))
    assert live.contents() == later.contents() == days


async def test_a_gateway_subscribes_once_to_a_session_however_many_tabs_it_has(
    edge: Deployment, writer: LogWriter
) -> None:
    """R22: `PUBSUB NUMSUB` counts the gateways that follow the session; R15: none afterwards."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id), connected(one, session_id):
        assert await writer.subscribers(session_id) == 1
        async with connected(two, session_id):
            assert await writer.subscribers(session_id) == 2

    async def nobody_listens() -> bool:
        return await writer.subscribers(session_id) == 0

    await eventually(nobody_listens, "the channel is left")


async def test_two_hundred_tabs_leave_nothing_behind(edge: Deployment, writer: LogWriter) -> None:
    """R15, C25: closed in good order or gone without a word, no subscription and no entry stays."""
    gateway = edge.processes[0]
    before = await metric(gateway, "fanline_tabs")
    sessions = [a_session() for _ in range(100)]

    async def open_two(session_id: str) -> None:
        async with connected(gateway, session_id), connected(gateway, session_id) as other:
            other.vanish()

    for start in range(0, 100, 20):
        await asyncio.gather(*(open_two(session) for session in sessions[start : start + 20]))

    async def all_gone() -> bool:
        channels = [writer.keys.channel(SessionId(session)) for session in sessions]
        counts = await writer.client.pubsub_numsub(*channels)
        return not any(count for _, count in counts)

    await eventually(all_gone, "no channel is subscribed")
    assert await metric(gateway, "fanline_tabs") == before


async def test_a_tab_that_comes_back_within_the_linger_keeps_the_subscription(
    own_edge: Deployment,
) -> None:
    """A reload is not an unsubscribe and a subscribe."""
    gateway = await own_edge.start_gateway(linger_seconds=30)
    session_id = a_session()
    for _ in range(3):
        async with connected(gateway, session_id) as tab:
            await tab.is_usable()
    assert await metric(gateway, "fanline_sessions") == 1
    assert await metric(gateway, "fanline_tabs") == 0
    await gateway.stop()


async def test_a_tab_that_vanishes_while_it_is_written_to_hurts_nobody(
    edge: Deployment, writer: LogWriter
) -> None:
    """R16: and an event for a session that nobody has open is no error either."""
    session_id = a_session()
    gateway = edge.processes[0]
    await writer.say(a_session(), "to nobody")
    async with AsyncExitStack() as stack:
        stays = await stack.enter_async_context(connected(gateway, session_id))
        tabs = [await stack.enter_async_context(connected(gateway, session_id)) for _ in range(10)]
        for number, tab in enumerate(tabs):
            await writer.say(session_id, f"message {number}")
            tab.vanish()
        await stays.until_events(len(tabs))
    assert stays.contents() == [f"message {number}" for number in range(10)]
    assert "Traceback" not in gateway.log()


@pytest.fixture
async def watched(edge: Deployment, writer: LogWriter) -> AsyncGenerator[tuple[RawTab, str], None]:
    """A tab that has one event already, and its session's channel."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        await writer.say(session_id, "first")
        await tab.until("message")
        yield tab, writer.keys.channel(SessionId(session_id))


GARBAGE = {
    "text": b"hello",
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "no position": b'{"type":"message","session_id":"SESSION","content":"forged"}',
    "no numbers": b'{"id":"a-b","type":"message","session_id":"SESSION","content":"forged"}',
    "huge numbers": b'{"id":"99999999999999999-1","type":"x","session_id":"SESSION"}',
    "old": b'{"id":"1-1","type":"message","session_id":"SESSION","content":"forged"}',
    "not next": b'{"id":"EPOCH-9","type":"message","session_id":"SESSION","content":"forged"}',
    "later epoch": b'{"id":"9999999999999999-1","type":"message","session_id":"SESSION"}',
    "other session": b'{"id":"EPOCH-2","type":"message","session_id":"other","content":"forged"}',
    "not utf-8": b'{"id":"EPOCH-2","type":"message","session_id":"SESSION","content":"\xff"}',
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_on_the_channel_is_never_delivered(
    watched: tuple[RawTab, str], writer: LogWriter, text: bytes
) -> None:
    """C33: the socket stays, it hears no `reset`, and the next real event arrives in order."""
    tab, channel = watched
    epoch = tab.events[0]["id"].split("-")[0]
    text = text.replace(b"SESSION", tab.session_id.encode()).replace(b"EPOCH", epoch.encode())
    assert await writer.client.publish(channel, text) == 1
    await writer.say(tab.session_id, "second")
    await tab.until_contents("first", "second")
    assert [frame["id"] for frame in tab.events] == await writer.positions(tab.session_id)
    assert [f["status"] for f in tab.frames if f["type"] == "connection"] == ["connected"]
    assert not [seen for seen in tab.texts if "forged" in seen]


async def test_garbage_is_counted_and_logged_once(
    edge: Deployment, watched: tuple[RawTab, str], writer: LogWriter
) -> None:
    """C33: a line and a count each, without the text: it may hold anything."""
    tab, channel = watched
    gateway = edge.processes[0]
    before = await metric(gateway, "fanline_foreign_texts_total")
    await writer.client.publish(channel, "forged garbage")
    await tab.is_usable()
    assert await metric(gateway, "fanline_foreign_texts_total") == before + 1
    name = f"session {tab.session_id[:8]}: "
    lines = [line for line in gateway.log().splitlines() if name in line]
    assert len([line for line in lines if "not ours" in line]) == 1
    assert "forged" not in gateway.log()
