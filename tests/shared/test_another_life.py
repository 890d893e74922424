"""Another life of the server: restarted, restored from a snapshot, failed over. The appending
script itself sees it, and no number is used for two events."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.errors import TurnOver, Unavailable
from shared.ids import Position, parse_position
from shared.inbox import Enqueued
from shared.lease import Started
from shared.redis_client import connect_redis
from tests.shared.one_session import OneSession, a_namespace
from tests.support.eventually import eventually

KEYS = a_namespace()


@asynccontextmanager
async def session_on(server: EmbeddedRedis) -> AsyncGenerator[OneSession, None]:
    async with connect_redis(server.url) as client:
        yield OneSession(client, KEYS)


@pytest.fixture
def running(own_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    own_server.start()
    yield own_server
    own_server.kill()


async def restart(server: EmbeddedRedis, session: OneSession) -> None:
    server.kill()
    server.start()
    with suppress(Unavailable):  # the first to use the old connection finds it broken
        await session.work_stream.ping()


async def places(session: OneSession) -> list[Position]:
    return [parse_position(event["id"]) for event in await session.events()]


async def test_a_restart_that_kept_everything_still_begins_a_new_epoch(
    running: EmbeddedRedis,
) -> None:
    """Nobody can know that nothing was forgotten. The worker, its scripts unknown to the server and
    its lease run out, goes on where it was."""
    async with session_on(running) as session:
        turn_id = (await session.submit()).message.message_id
        lease = await session.acquire()
        await session.start(lease, turn_id)
        before = await places(session)
        await session.client.config_set("appendfsync", "always")
        running.kill()
        with pytest.raises(Unavailable):
            await session.say(lease, turn_id, "to nobody")
        running.start()
        await session.say(lease, turn_id, "a", "b")
        await session.finish(lease, turn_id)
        after = await places(session)
        assert after[: len(before)] == before
        assert [place.seq for place in after[len(before) :]] == [1, 2, 3, 4]
        assert len({place.epoch for place in after}) == 2
        assert after == sorted(after)
        await session.check_keys_expire_together()


async def test_a_restored_snapshot_begins_a_new_epoch_and_the_turn_still_ends_once(
    tmp_path: Path,
) -> None:
    """The snapshot is older than what tabs have seen: the numbers they know must not come again."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        async with session_on(server) as session:
            item = await session.submit()
            turn_id = item.message.message_id
            lease = await session.acquire()
            await session.start(lease, turn_id)
            await session.client.save()
            forgotten = await session.say(lease, turn_id, "forgotten", "too")
            newer = await session.take_over()
            await session.start(newer, turn_id, attempt=2)
            await restart(server, session)
            assert len(await places(session)) == 2
            assert await session.inbox.enqueue(item.message, item.entry_id) is Enqueued.WAITING
            with pytest.raises(TurnOver):  # its `turn_started` is forgotten: it begins again
                await session.say(newer, turn_id, "from the newest, whom Redis has forgotten")
            assert await session.start(newer, turn_id, attempt=2) is Started.STARTED
            await session.finish(newer, turn_id)
            after = await places(session)
            assert after == sorted(after)
            assert after[2:] == [Position(after[2].epoch, seq) for seq in (1, 2, 3)]
            assert after[2].epoch > forgotten[0].epoch
            assert (await session.kinds()).count("turn_finished") == 1
    finally:
        server.kill()


@pytest.mark.parametrize("ends_as", [Started.CANCELLED, Started.EXHAUSTED])
async def test_a_turn_that_may_not_begin_again_after_a_restore_is_finished(
    tmp_path: Path, ends_as: Started
) -> None:
    """The worker knows of a batch that Redis has forgotten, and the turn was stopped, or is out of
    attempts: it was told to finish it, and refused when it did, for ever."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        async with session_on(server) as session:
            item = await session.submit()
            turn_id = item.message.message_id
            lease = await session.acquire()
            await session.start(lease, turn_id)
            await session.client.sadd(session.keys.cancel, turn_id)
            await session.client.save()
            await session.say(lease, turn_id, "forgotten")
            await restart(server, session)
            if ends_as is Started.EXHAUSTED:
                await session.client.delete(session.keys.cancel)
            with pytest.raises(TurnOver):
                await session.say(lease, turn_id, "a part is missing")
            most = 1 if ends_as is Started.EXHAUSTED else 3
            number = lease.next_batch()
            assert await lease.start(number, turn_id, 2, most, ["{}"]) is ends_as
            await session.finish(lease, turn_id)
            assert (await session.kinds()).count("turn_finished") == 1
    finally:
        server.kill()


async def test_a_server_that_forgot_everything_begins_above_what_it_ever_gave_out(
    tmp_path: Path,
) -> None:
    """Neither a token nor an epoch comes again: both are made from the clock."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        async with session_on(server) as session:
            turn_id = (await session.submit()).message.message_id
            old = await session.acquire()
            await session.start(old, turn_id)
            before = await places(session)
            await restart(server, session)
            await session.submit(message_id=turn_id)
            new = await session.acquire()
            assert new.token > old.token
            assert await session.start(new, turn_id) is Started.STARTED
            assert min(await places(session)) > max(before)
    finally:
        server.kill()


async def test_a_failover_there_and_back_begins_a_new_epoch(tmp_path: Path) -> None:
    """The first server is itself again, and the same process; but while it was a replica it has
    forgotten an event that was published, and its number must not come again."""
    first, second = (EmbeddedRedis(tmp_path / name) for name in ("first", "second"))
    try:
        for server in (first, second):
            server.start()
        async with session_on(first) as on_first, session_on(second) as on_second:
            for session in (on_first, on_second):
                await session.client.config_set("repl-diskless-sync-delay", 0)
            await follow(on_second, first)
            turn_id = (await on_first.submit()).message.message_id
            lease = await on_first.acquire()
            await on_first.start(lease, turn_id)
            await on_first.client.wait(1, 10_000)

            await on_second.client.replicaof("NO", "ONE")
            (forgotten,) = await on_first.say(lease, turn_id, "seen by tabs, known to one server")
            await follow(on_first, second)
            await on_first.client.replicaof("NO", "ONE")
            assert forgotten not in await places(on_first)

            with pytest.raises(TurnOver):  # a part of its attempt is gone
                await on_first.say(lease, turn_id, "another text")
            await on_first.start(lease, turn_id, attempt=2)
            said = (await places(on_first))[-1]
            assert said.epoch > forgotten.epoch
            assert said.seq == 1
    finally:
        for server in (first, second):
            server.kill()


async def follow(session: OneSession, master: EmbeddedRedis) -> None:
    """Make the session's server a replica, and wait until it has what its master has."""
    await session.client.replicaof("127.0.0.1", master.port)

    async def in_step() -> bool:
        state = await session.client.info("replication")
        return state["master_link_status"] == "up" and not state["master_sync_in_progress"]

    async with asyncio.timeout(30):
        await eventually(in_step, "the replica is in step", timeout=25)
