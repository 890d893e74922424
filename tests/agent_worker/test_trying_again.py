"""A failed turn is tried again: what it becomes, and what it may not bring back."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from agent_worker.failed_turns import FailedTurns
from agent_worker.settings import WorkerSettings
from dev.embedded_redis import EmbeddedRedis
from shared.inbox import decode_item
from shared.keys import Keys
from shared.redis_client import connect_redis
from tests.shared.one_session import OneSession
from tests.support.redis_exchanges import fail

Failed = tuple[OneSession, FailedTurns]


@pytest.fixture
async def failed(redis_server: EmbeddedRedis) -> AsyncGenerator[Failed, None]:
    """A session with a turn that failed."""
    keys = Keys(f"a{uuid4().hex[:8]}")
    async with connect_redis(redis_server.url) as client:
        one = OneSession(client, keys, f"s-{uuid4()}")
        item = await one.submit()
        lease = await one.acquire()
        await one.start(lease, item.message.message_id)
        await fail(one, lease, item.message.message_id)
        yield one, FailedTurns(client, WorkerSettings(namespace=keys.namespace))
        await one.inbox.delete_session(one.id)
        await client.delete(keys.turns())


async def test_a_session_that_was_deleted_since_gets_nothing_back(failed: Failed) -> None:
    one, turns = failed
    (turn,) = await turns.find_in(one.id)
    await one.inbox.delete_session(one.id)
    assert await turns.try_again(turn) is False
    assert await one.events() == []


async def test_a_turn_that_is_tried_again_is_one_trace(
    failed: Failed, redis_server: EmbeddedRedis
) -> None:
    """Of its own: its message names it already."""
    one, turns = failed
    (turn,) = await turns.find_in(one.id)
    assert await turns.try_again(turn) is True
    (message,) = [e for e in await one.events() if e.get("message_id") == turn.retry_id]
    async with connect_redis(redis_server.url) as client:
        (element,) = await client.lrange(one.keys.inbox, 0, -1)
    trace_id = decode_item(one.id, element).message.traceparent.split("-")[1]
    assert message["trace_id"] == trace_id
