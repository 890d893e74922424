"""The work stream: an entry is a promise. It stays until it is acknowledged, whoever dies."""

import asyncio
from typing import Any

import pytest

from dev.embedded_redis import free_port
from shared.errors import Unavailable
from shared.ids import EntryId
from shared.keys import WORK_GROUP, Keys
from shared.redis_client import connect_redis
from shared.work_stream import WorkStream
from tests.shared.one_session import OneSession
from tests.support.eventually import eventually

NO_WAIT_MS = 1


@pytest.fixture
async def stream(session: OneSession) -> WorkStream:
    await session.work_stream.create_group("one")
    return session.work_stream


async def pending(session: OneSession) -> dict[str, str]:
    """Pending entries and whose they are."""
    rows: list[dict[str, Any]] = await session.client.xpending_range(
        session.deployment.turns(), WORK_GROUP, "-", "+", 100
    )
    return {row["message_id"].decode(): row["consumer"].decode() for row in rows}


async def test_a_submitted_message_is_read_as_it_was_written(
    session: OneSession, stream: WorkStream
) -> None:
    message = session.message("héllo\u2028\n{}")
    entry_id = await stream.submit(message)
    (entry,) = await stream.read_new("one", 10, NO_WAIT_MS)
    assert (entry.entry_id, entry.work) == (entry_id, message)
    assert await stream.read_new("one", 10, NO_WAIT_MS) == [], "only one worker has it"


async def test_what_was_submitted_before_any_worker_came_is_read(session: OneSession) -> None:
    """The group begins at the very first entry; making it again, or twice, loses nothing."""
    first = await session.work_stream.submit(session.message())
    await session.work_stream.create_group("one")
    second = await session.work_stream.submit(session.message())
    await session.work_stream.create_group("two")
    entries = await session.work_stream.read_new("two", 10, NO_WAIT_MS)
    assert [entry.entry_id for entry in entries] == [first, second]


async def test_workers_share_the_entries(session: OneSession, stream: WorkStream) -> None:
    ids = [await stream.submit(session.message()) for _ in range(4)]
    one = await stream.read_new("one", 2, NO_WAIT_MS)
    two = await stream.read_new("two", 2, NO_WAIT_MS)
    assert [entry.entry_id for entry in [*one, *two]] == ids


async def test_an_entry_whose_worker_is_silent_is_claimed_by_another(
    session: OneSession, stream: WorkStream
) -> None:
    message = session.message()
    entry_id = await stream.submit(message)
    await stream.read_new("one", 1, NO_WAIT_MS)
    assert await stream.claim_idle("two", 60_000, "0-0", 10) == ("0-0", [])
    cursor, (entry,) = await stream.claim_idle("two", 0, "0-0", 10)
    assert (cursor, entry.entry_id, entry.work) == ("0-0", entry_id, message)
    assert await pending(session) == {entry_id: "two"}


async def test_claiming_goes_on_where_it_stopped(session: OneSession, stream: WorkStream) -> None:
    ids = [await stream.submit(session.message()) for _ in range(3)]
    await stream.read_new("one", 10, NO_WAIT_MS)
    cursor, first = await stream.claim_idle("two", 0, "0-0", 2)
    end, rest = await stream.claim_idle("two", 0, cursor, 2)
    assert [entry.entry_id for entry in [*first, *rest]] == ids
    assert end == "0-0"


async def test_a_deferred_entry_is_found_when_its_time_has_come(
    session: OneSession, stream: WorkStream
) -> None:
    """As if it had been idle for so long already: that decides when the next look finds it."""
    entry_id = await stream.submit(session.message())
    await stream.read_new("one", 1, NO_WAIT_MS)
    await stream.defer("one", [entry_id], 0)
    assert (await stream.claim_idle("two", 60_000, "0-0", 10))[1] == []
    await stream.defer("one", [entry_id], 600_000)
    ((entry,),) = (await stream.claim_idle("two", 60_000, "0-0", 10))[1:]
    assert entry.entry_id == entry_id
    await stream.defer("one", [], 0)


async def test_deferring_brings_nothing_back(session: OneSession, stream: WorkStream) -> None:
    """An entry that was acknowledged stays away; one that nobody has had stays new."""
    done = await stream.submit(session.message())
    await stream.read_new("one", 1, NO_WAIT_MS)
    await stream.acknowledge(done)
    new = await stream.submit(session.message())
    await stream.defer("one", [done, new], 600_000)
    assert await pending(session) == {}
    (entry,) = await stream.read_new("two", 10, NO_WAIT_MS)
    assert entry.entry_id == new


async def test_acknowledging_deletes_and_is_harmless_twice(
    session: OneSession, stream: WorkStream
) -> None:
    kept, done = [await stream.submit(session.message()) for _ in range(2)]
    await stream.read_new("one", 10, NO_WAIT_MS)
    for _ in range(2):
        await stream.acknowledge(done)
    assert await pending(session) == {kept: "one"}
    assert await session.client.xlen(session.deployment.turns()) == 1


async def test_an_entry_that_was_never_claimed_may_be_acknowledged(
    session: OneSession, stream: WorkStream
) -> None:
    """A gateway that cancelled a waiting turn does so before any worker came."""
    await stream.acknowledge(await stream.submit(session.message()))
    assert await stream.read_new("one", 10, NO_WAIT_MS) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"hello": "world"},
        {"session_id": "a b", "message_id": "x", "content": "", "timestamp": "", "traceparent": ""},
        {"session_id": "s", "message_id": "x", "content": "", "timestamp": "", "traceparent": ""},
        {"session_id": b"\xff", "message_id": "x"},
    ],
)
async def test_an_entry_that_is_not_ours_is_told_apart(
    session: OneSession, stream: WorkStream, fields: dict[str, str | bytes]
) -> None:
    await session.client.xadd(session.deployment.turns(), fields)
    (entry,) = await stream.read_new("one", 1, NO_WAIT_MS)
    assert entry.work is None


async def test_a_stream_without_its_group_is_given_it_again(
    session: OneSession, stream: WorkStream
) -> None:
    """Redis has come back without its data, and gateways have written since."""
    await session.client.delete(session.deployment.turns())
    entry_id = await stream.submit(session.message())
    (entry,) = await stream.read_new("one", 1, NO_WAIT_MS)
    assert entry.entry_id == entry_id
    await session.client.delete(session.deployment.turns())
    assert await stream.claim_idle("one", 0, "0-0", 10) == ("0-0", [])
    await session.client.delete(session.deployment.turns())
    await stream.defer("one", [EntryId("1-1")], 0)


async def test_reading_waits_for_the_first_entry(session: OneSession, stream: WorkStream) -> None:
    reading = asyncio.create_task(stream.read_new("one", 1, 1500))

    async def is_blocked() -> bool:
        clients: list[dict[str, str]] = await session.client.client_list()
        return any("b" in client["flags"] for client in clients)

    async with connect_redis_beside(session) as beside:
        await eventually(is_blocked, "the reader waits")
        entry_id = await WorkStream(beside, session.deployment).submit(session.message())
    (entry,) = await reading
    assert entry.entry_id == entry_id


def connect_redis_beside(session: OneSession) -> Any:
    options: dict[str, Any] = session.client.connection_pool.connection_kwargs
    return connect_redis(f"redis://{options['host']}:{options['port']}/0")


async def test_without_redis_everything_says_so() -> None:
    async with connect_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        nobody = OneSession(client, Keys())
        for call in (
            lambda: nobody.work_stream.create_group("one"),
            nobody.work_stream.ping,
            lambda: nobody.work_stream.submit(nobody.message()),
            lambda: nobody.work_stream.read_new("one", 1, NO_WAIT_MS),
            lambda: nobody.work_stream.claim_idle("one", 0, "0-0", 1),
            lambda: nobody.work_stream.acknowledge(EntryId("1-1")),
        ):
            with pytest.raises(Unavailable):
                await call()


async def test_a_worker_that_leaves_takes_itself_out_of_the_group_if_nothing_is_pending(
    session: OneSession, stream: WorkStream
) -> None:
    """With a consumer its pending entries would go, and with them the promise."""
    await stream.create_group("two")
    await stream.submit(session.message("hi"))
    assert await stream.read_new("one", 1, NO_WAIT_MS)
    for consumer in ("one", "two"):
        await stream.leave(consumer)
    consumers = await session.client.xinfo_consumers(session.deployment.turns(), WORK_GROUP)
    assert [consumer["name"] for consumer in consumers] == [b"one"]
