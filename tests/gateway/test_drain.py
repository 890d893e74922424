"""A gateway that is told to stop sends its tabs elsewhere; one that is killed is not missed."""

import asyncio
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import cast

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.drain import Drain
from gateway.health import Probe
from shared.background import run_in_background
from tests.gateway.conftest import EITHER_WAY
from tests.gateway.log_writer import writing_to
from tests.gateway.manager_bench import Bench
from tests.gateway.raw_tab import a_session, connected, opened, reluctant
from tests.gateway.test_slow_tabs import write_much
from tests.support.deployment import Deployment
from tests.support.eventually import eventually

DRAIN_SECONDS = 3
SLACK_SECONDS = 5
"""What a busy machine may add; the drain itself is bounded by its own setting."""


@EITHER_WAY
async def test_a_gateway_told_to_stop_closes_its_tabs_and_they_go_on_elsewhere(
    own_edge: Deployment,
) -> None:
    """C30, R21: `disconnected`, then 1012 with the wait in milliseconds; the cursor stays good."""
    going = await own_edge.start_gateway(drain_seconds=DRAIN_SECONDS)
    staying = await own_edge.start_gateway()
    waits: list[int] = []
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(connected(going, a_session())) for _ in range(5)]
        for tab in tabs:
            await tab.is_usable()
        stopping = asyncio.create_task(going.stop())
        for tab in tabs:
            code, reason = await tab.close_frame()
            assert tab.frames[-1]["type"] == "connection"
            assert tab.frames[-1]["status"] == "disconnected"
            assert code == 1012
            assert reason.isascii()
            assert reason.isdecimal()
            waits.append(int(reason))
            cursor = tab.events[-1]["id"]
            async with connected(staying, tab.session_id, last_event_id=cursor) as back:
                assert back.frames[0]["resumed"] is True
                await back.is_usable()
    assert len(set(waits)) > 1, "spread, or they all come back at once"
    await stopping
    assert "Traceback" not in going.log()


async def test_a_tab_whose_handshake_was_under_way_is_sent_away_too(bench: Bench) -> None:
    """It was let in before, and is there after all others have been told."""
    first, _ = bench.open()
    drain = Drain(bench.manager, cast(Probe, SimpleNamespace()), drain_seconds=1)
    async with run_in_background(drain.run()):
        await eventually(lambda: first.closed, "the tabs are sent away")
        late, _ = bench.open()
        await eventually(lambda: late.closed, "the late one is sent away")
    assert late.closed is not None
    assert (late.closed[0], late.closed[1].isdecimal()) == (1012, True)
    assert late.statuses[-1] == "disconnected"


async def test_readiness_goes_first_and_nobody_new_is_let_in(own_edge: Deployment) -> None:
    """C30: a tab that never reads holds the drain up, so it can be looked at."""
    gateway = await own_edge.start_gateway(drain_seconds=DRAIN_SECONDS)
    session_id = a_session()
    async with connected(gateway, a_session()) as tab, reluctant(gateway, session_id):
        async with writing_to(own_edge.redis_url, own_edge.keys) as writer:
            await write_much(writer, session_id)
        gateway.terminate()
        await tab.until("connection", status="disconnected")
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{gateway.http}/readyz")
            assert (answer.status_code, answer.json()["status"]) == (503, "draining")
            assert (await http.get(f"{gateway.http}/healthz")).status_code == 200
        newcomer = opened(gateway, a_session())
        with pytest.raises(InvalidStatus) as refused:
            await newcomer.__aenter__()
        assert refused.value.response.status_code == 503
        async with asyncio.timeout(DRAIN_SECONDS + SLACK_SECONDS):
            await gateway.process.wait()


async def test_a_tab_that_never_reads_does_not_hold_the_exit_up(own_edge: Deployment) -> None:
    """C30: the process is gone when `DRAIN_SECONDS` are over."""
    gateway = await own_edge.start_gateway(drain_seconds=DRAIN_SECONDS, stall_seconds=60)
    session_id = a_session()
    async with reluctant(gateway, session_id), reluctant(gateway, session_id):
        async with writing_to(own_edge.redis_url, own_edge.keys) as writer:
            await write_much(writer, session_id)
        gateway.terminate()
        async with asyncio.timeout(DRAIN_SECONDS + SLACK_SECONDS):
            await gateway.process.wait()
    assert "Traceback" not in gateway.log()


async def test_the_time_for_an_answer_to_a_close_is_part_of_the_drain(
    own_edge: Deployment,
) -> None:
    """C30: `CLOSE_SECONDS` may be longer than `DRAIN_SECONDS`, and prolongs nothing."""
    gateway = await own_edge.start_gateway(drain_seconds=1, close_seconds=60)
    session_id = a_session()
    async with reluctant(gateway, session_id):
        async with writing_to(own_edge.redis_url, own_edge.keys) as writer:
            await write_much(writer, session_id)
        gateway.terminate()
        async with asyncio.timeout(1 + SLACK_SECONDS):
            await gateway.process.wait()


async def test_an_idle_gateway_stops_at_once(own_edge: Deployment) -> None:
    """Nothing to drain: it does not wait for its time to be over."""
    gateway = await own_edge.start_gateway(drain_seconds=600)
    async with connected(gateway, a_session()):
        pass
    await gateway.stop()
    assert "Traceback" not in gateway.log()


@EITHER_WAY
async def test_the_conversation_goes_on_when_a_gateway_is_killed(own_edge: Deployment) -> None:
    """R21: no state is lost with it; nothing but the socket was there."""
    dying = await own_edge.start_gateway()
    other = await own_edge.start_gateway()
    session_id = a_session()
    async with opened(dying, session_id) as tab:
        said = await tab.is_usable()
        async with connected(other, session_id) as witness:
            last = await tab.say("and then?")
            await witness.until("message", message_id=last)
        await dying.kill()
        with pytest.raises(ConnectionClosed):
            await tab.until_events(3)
    async with connected(other, session_id, last_event_id=said["id"]) as back:
        assert back.frames[0]["resumed"] is True
        assert (await back.until("message"))["message_id"] == last
        await back.is_usable()


async def test_a_second_signal_is_enough_for_a_gateway_in_a_hurry(own_edge: Deployment) -> None:
    """An operator's second Ctrl-C does not wait for the drain."""
    gateway = await own_edge.start_gateway(drain_seconds=600)
    session_id = a_session()
    async with connected(gateway, a_session()) as tab, reluctant(gateway, session_id):
        async with writing_to(own_edge.redis_url, own_edge.keys) as writer:
            await write_much(writer, session_id)
        gateway.terminate()
        await tab.until("connection", status="disconnected")
        gateway.terminate()

        def has_ended() -> bool:
            return gateway.process.returncode is not None

        await eventually(has_ended, "the gateway has ended")
