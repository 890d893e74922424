"""The same gateway as `uvicorn --factory gateway.app:build_app` runs it: on the plain ASGI path."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from websockets.exceptions import ConnectionClosed

from tests.gateway.log_writer import LogWriter, writing_to
from tests.gateway.raw_tab import SMALL_BUFFER, a_session, connected, opened
from tests.gateway.test_slow_tabs import MESSAGES, gone, write_much
from tests.support.deployment import Deployment
from tests.support.eventually import eventually


@pytest.fixture
async def own_writer(own_edge: Deployment) -> AsyncGenerator[LogWriter, None]:
    async with writing_to(own_edge.redis_url, own_edge.keys) as own:
        yield own


async def test_a_tab_on_the_asgi_path_is_given_what_one_on_the_wire_is(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """First load, live texts, an answer to a bad frame, resume: the same frames."""
    wire, plain = await asyncio.gather(
        own_edge.start_gateway(), own_edge.start_development_gateway()
    )
    session_id = a_session()
    await own_writer.say(session_id, "before")
    async with connected(wire, session_id) as one, connected(plain, session_id) as other:
        for tab in (one, other):
            await tab.until("message", content="before")
        await own_writer.say(session_id, "live")
        for tab in (one, other):
            seen = await tab.until("message", content="live")
        await other.socket.send("no json")
        assert (await other.until("error"))["code"] == "bad_json"
        await other.is_usable()
        await one.until_events(len(other.events))
        assert one.events == other.events
    async with connected(plain, session_id, last_event_id=seen["id"]) as back:
        assert back.frames[0]["resumed"] is True


async def test_slow_and_stalled_tabs_on_the_asgi_path(
    own_edge: Deployment, own_writer: LogWriter
) -> None:
    """C28: one that pauses catches up from the log; one that never reads is given up."""
    gateway = await own_edge.start_development_gateway(stall_seconds=1)
    session_id = a_session()
    async with connected(gateway, session_id) as quick:
        async with opened(gateway, session_id, receive_buffer=SMALL_BUFFER) as stalled:
            await stalled.next()
            await write_much(own_writer, session_id)
            await quick.until_events(MESSAGES)
            await eventually(lambda: gone(gateway), "the stalled tab is given up")
            with pytest.raises(ConnectionClosed):
                await stalled.until_events(MESSAGES)
        async with connected(gateway, session_id) as back:
            await back.until_events(MESSAGES)
        assert back.events == quick.events
