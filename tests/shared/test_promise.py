"""An accepted message is answered, also when Redis restarts between the two steps of a pair."""

from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.errors import Unavailable
from shared.inbox import Enqueued, InboxItem
from shared.promise import Promises
from shared.redis_client import Redis, ask, connect_redis, one_connection
from tests.shared.one_session import OneSession, a_namespace


def promises_of(session: OneSession) -> Promises:
    return Promises(session.client, session.inbox, session.work_stream)


async def entries(session: OneSession) -> int:
    return int(await session.client.xlen(session.deployment.turns()))


async def test_an_accepted_message_has_an_entry_and_waits(session: OneSession) -> None:
    message = session.message("hi")
    await promises_of(session).accept(message)
    assert await session.waiting() == [message.message_id]
    assert await entries(session) == 1


async def test_an_entry_is_acknowledged_once_its_message_has_left_the_inbox(
    session: OneSession,
) -> None:
    item = await session.submit()
    promises = promises_of(session)
    await session.work_stream.create_group("w")
    assert await promises.settle(item.message, item.entry_id) is Enqueued.WAITING
    assert await entries(session) == 1
    lease = await session.acquire()
    await session.start(lease, item.message.message_id)
    await session.finish(lease, item.message.message_id)
    assert await promises.settle(item.message, item.entry_id) is Enqueued.LEFT
    assert await entries(session) == 0


async def test_a_turn_that_redis_has_forgotten_to_have_finished_keeps_its_entry(
    tmp_path: Path,
) -> None:
    """A snapshot from before *finish* is restored before the entry is acknowledged: the message
    waits again, and only its entry will bring a worker to it."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        async with connect_redis(server.url) as client:
            session = OneSession(client, a_namespace())
            await session.work_stream.create_group("w")
            item = await session.submit()
            lease = await session.acquire()
            await session.start(lease, item.message.message_id)
            await client.save()
            await session.finish(lease, item.message.message_id)
            server.kill()
            server.start()
            state = await insist_on_settling(promises_of(session), item)
            assert state is Enqueued.WAITING
            assert await session.waiting() == [item.message.message_id]
            assert await entries(session) == 1
    finally:
        server.kill()


async def insist_on_settling(promises: Promises, item: InboxItem) -> Enqueued:
    """As a worker does: the pair again from its first step."""
    while True:
        try:
            return await promises.settle(item.message, item.entry_id)
        except Unavailable:
            continue


async def test_a_connection_that_breaks_between_two_calls_is_not_made_again_in_silence(
    client: Redis,
) -> None:
    async with one_connection(client) as pinned:
        number = await pinned.client_id()
        await client.client_kill_filter(_id=str(number))
        with pytest.raises(Unavailable):
            await ask(pinned, lambda: pinned.client_id())
