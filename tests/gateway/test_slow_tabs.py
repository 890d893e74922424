"""Tabs that read slowly, rarely, never, or are not there any more: nobody else pays for them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed

from shared.ids import SessionId
from tests.gateway.conftest import EITHER_WAY
from tests.gateway.log_writer import LogWriter, writing_to
from tests.gateway.raw_tab import (
    SMALL_BUFFER,
    TINY_BUFFER,
    a_session,
    connected,
    opened,
    reluctant,
)
from tests.gateway.signs import metric
from tests.support.deployment import Deployment, Process
from tests.support.eventually import eventually

MESSAGES = 300
KB_32 = "x" * 32_000
"""300 of these are more than the kernel will hold for a peer that takes nothing."""


@pytest.fixture
async def own_writer(own_edge: Deployment) -> AsyncGenerator[LogWriter, None]:
    async with writing_to(own_edge.redis_url, own_edge.keys) as own:
        yield own


async def write_much(writer: LogWriter, session_id: str) -> None:
    """As if they had been answered already: the inbox is empty."""
    for number in range(MESSAGES):
        await writer.say(session_id, f"{number} {KB_32}")
    await writer.client.delete(writer.keys.session(SessionId(session_id)).inbox)


async def nobody_follows(writer: LogWriter, session_id: str) -> bool:
    return await writer.subscribers(session_id) == 0


async def somebody_follows(writer: LogWriter, session_id: str) -> bool:
    return await writer.subscribers(session_id) == 1


def peak_memory_kb(gateway: Process) -> int:
    """The most memory that the process has had so far, as the kernel counts it."""
    with open(f"/proc/{gateway.process.pid}/status") as status:
        (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1])


async def test_a_tab_that_reads_nothing_for_a_while_catches_up_from_the_log(
    edge: Deployment, writer: LogWriter
) -> None:
    """C28: every event once, in order; meanwhile the others had everything at once."""
    session_id = a_session()
    gateway = edge.processes[0]
    async with (
        connected(gateway, session_id) as quick,
        opened(gateway, session_id, receive_buffer=SMALL_BUFFER) as slow,
    ):
        await slow.next()
        await write_much(writer, session_id)
        await quick.until_events(MESSAGES)
        await slow.until_events(MESSAGES)
        await slow.is_usable()
    assert slow.events[:MESSAGES] == quick.events[:MESSAGES]
    numbers = [int(content.split()[0]) for content in slow.contents()[:MESSAGES]]
    assert numbers == list(range(MESSAGES))
    assert len([frame for frame in slow.frames if frame["type"] == "connection"]) == 1


async def test_a_tab_that_reads_nothing_still_has_what_it_says_taken(
    edge: Deployment, writer: LogWriter
) -> None:
    """Reading and writing are two matters: a full buffer does not make its owner mute."""
    session_id = a_session()
    gateway = edge.processes[0]
    async with (
        connected(gateway, session_id) as quick,
        opened(gateway, session_id, receive_buffer=SMALL_BUFFER) as slow,
    ):
        await slow.next()
        await write_much(writer, session_id)
        message_id = await slow.say("I am still here")
        await quick.until("message", message_id=message_id)


@EITHER_WAY
async def test_slow_tabs_cost_no_memory(own_edge: Deployment, own_writer: LogWriter) -> None:
    """C28: what they have not taken is in the log and nowhere else."""
    gateway = await own_edge.start_gateway()
    warm, session_id = a_session(), a_session()
    async with connected(gateway, warm) as tab:
        await write_much(own_writer, warm)
        await tab.until_events(MESSAGES)
    before = peak_memory_kb(gateway)
    async with connected(gateway, session_id) as quick, AsyncExitStack() as slow:
        for _ in range(20):
            await slow.enter_async_context(reluctant(gateway, session_id))
        await write_much(own_writer, session_id)
        await quick.until_events(MESSAGES)
    grown_kb = peak_memory_kb(gateway) - before
    in_all_kb = 20 * MESSAGES * len(KB_32) // 1024
    assert grown_kb < in_all_kb / 5


@EITHER_WAY
async def test_a_tab_that_never_reads_is_closed_and_its_cursor_still_works(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """C28: after `STALL_SECONDS`; the others are unaffected."""
    gateway = await own_edge.start_gateway(stall_seconds=0.5)
    session_id = a_session()
    async with connected(gateway, session_id) as quick:
        async with opened(gateway, session_id, receive_buffer=SMALL_BUFFER) as stalled:
            await own_writer.say(session_id, "seen")
            seen = await stalled.until("message")
            async with asyncio.TaskGroup() as both:
                both.create_task(quick.until_events(1 + MESSAGES))
                both.create_task(write_much(own_writer, session_id))
            await eventually(lambda: gone(gateway), "the stalled tab is given up")
            with pytest.raises(ConnectionClosed) as closed:
                await stalled.until_events(2 + MESSAGES)
            assert closed.value.rcvd is None or closed.value.rcvd.code == 1013
        async with connected(gateway, session_id, last_event_id=seen["id"]) as back:
            assert back.frames[0]["resumed"] is True
            await back.until_events(MESSAGES)
        assert back.events == quick.events[1:]
        await quick.is_usable()


async def gone(gateway: Process) -> bool:
    return await metric(gateway, "fanline_tabs_stalled_total") == 1


@EITHER_WAY
async def test_a_tab_that_reads_slowly_but_steadily_is_not_closed(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """C28: bytes that drain count as life, also against the ping time-out, however long the whole
    takes: here several times `STALL_SECONDS`."""
    gateway = await own_edge.start_gateway(stall_seconds=0.5, heartbeat_seconds=0.2)
    session_id = a_session()
    await write_much(own_writer, session_id)
    async with reluctant(gateway, session_id) as slow:
        heard = 0
        while heard < MESSAGES * len(KB_32):
            piece = await slow.read(100_000)
            assert piece, f"hung up after {heard} bytes"
            heard += len(piece)
            await asyncio.sleep(0.02)  # the pace of this peer; nothing waits for it
    assert await metric(gateway, "fanline_tabs_stalled_total") == 0


@EITHER_WAY
async def test_what_the_kernel_gets_rid_of_counts_as_life(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """C28: it says that it has room only when a third of what it holds has gone. Until then a peer
    that takes ten kilobytes a second has stalled neither, nor kept a ping waiting."""
    gateway = await own_edge.start_gateway(stall_seconds=1, heartbeat_seconds=0.2)
    session_id = a_session()
    await write_much(own_writer, session_id)
    async with reluctant(gateway, session_id, TINY_BUFFER) as slow:
        for _ in range(40):
            assert await slow.read(1000), "hung up"
            await asyncio.sleep(0.1)  # the pace of this peer; nothing waits for it
        assert await metric(gateway, "fanline_tabs") == 1
    assert await metric(gateway, "fanline_tabs_stalled_total") == 0


async def test_a_peer_that_answers_no_ping_is_closed_and_its_subscription_released(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """C27: half-open: it takes what is sent, and never says a word."""
    gateway = await own_edge.start_gateway(stall_seconds=0.5, heartbeat_seconds=0.2)
    session_id = a_session()
    async with reluctant(gateway, session_id) as mute:
        await eventually(lambda: somebody_follows(own_writer, session_id), "it is subscribed")
        await mute.read_until_the_end()
    await eventually(lambda: nobody_follows(own_writer, session_id), "the channel is left")
    assert await metric(gateway, "fanline_tabs") == 0
