"""The inbox: accepted once, shown once, stopped once, whoever writes and however often."""

import json

import pytest

from shared.ids import EntryId, make_turn_id
from shared.inbox import Enqueued, decode_item
from shared.redis_client import Redis, RefusedByRedis
from tests.shared.one_session import OneSession, a_namespace


async def test_a_message_enters_the_inbox_and_the_log(session: OneSession) -> None:
    item = await session.submit("héllo\u2028{}")
    assert await session.waiting() == [item.message.message_id]
    (event,) = await session.events()
    assert event == {"id": event["id"], **json.loads(item.message.event().model_dump_json())} | {
        "id": event["id"]
    }
    assert event["content"] == "héllo\u2028{}"
    assert event["id"].endswith("-1")


async def test_enqueueing_twice_changes_nothing(session: OneSession) -> None:
    """The gateway enqueues, and the worker again; a client may submit again, with a new entry."""
    item = await session.submit()
    other_entry = await session.work_stream.submit(item.message)
    for entry_id in (item.entry_id, other_entry):
        assert await session.inbox.enqueue(item.message, entry_id) is Enqueued.WAITING
    assert await session.kinds() == ["message"]
    (element,) = await session.client.lrange(session.keys.inbox, 0, -1)
    assert decode_item(session.id, element) == item, "it keeps the entry that brought it"


async def test_a_message_that_was_answered_has_left(session: OneSession) -> None:
    item = await session.submit()
    turn_id = item.message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    assert await session.inbox.enqueue(item.message, item.entry_id) is Enqueued.WAITING
    await session.finish(lease, turn_id)
    assert await session.inbox.enqueue(item.message, item.entry_id) is Enqueued.LEFT
    assert await session.kinds() == ["message", "turn_started", "assistant", "turn_finished"]


async def test_admission_knows_accepted_messages_and_counts_the_waiting(
    session: OneSession,
) -> None:
    assert await session.inbox.admit(session.id, make_turn_id()) == (False, 0)
    first = await session.submit()
    await session.submit()
    assert await session.inbox.admit(session.id, first.message.message_id) == (True, 2)
    await session.cancel(first.message.message_id)
    assert await session.inbox.admit(session.id, first.message.message_id) == (True, 1)


async def test_deleting_removes_every_key_and_leaves_a_mark(session: OneSession) -> None:
    item = await session.submit()
    lease = await session.acquire()
    await session.start(lease, item.message.message_id)
    await session.cancel(item.message.message_id)
    await session.inbox.delete_session(session.id)
    names = [key async for key in session.client.scan_iter(f"{session.deployment.namespace}:s*")]
    assert names == [session.keys.deleted.encode()]
    assert 0 < await session.client.ttl(session.keys.deleted) <= 600


@pytest.mark.parametrize("kind", ["log", "meta", "inbox", "accepted", "history", "deleted"])
async def test_a_session_is_deleted_whatever_somebody_has_put_under_its_keys(
    session: OneSession, kind: str
) -> None:
    await session.submit()
    key = getattr(session.keys, kind)
    await session.client.delete(key)
    await session.client.zadd(key, {"not ours": 1})
    await session.inbox.delete_session(session.id)
    assert await session.kinds() == []
    await session.submit()
    assert await session.kinds() == ["message"]


async def test_a_pending_entry_of_a_deleted_session_brings_nothing_back(
    session: OneSession,
) -> None:
    message = session.message()
    entry_id = await session.work_stream.submit(message)
    milliseconds = int(entry_id.split("-")[0]) - 1
    before = EntryId(f"{milliseconds}-0")  # certainly not in the deletion's own millisecond
    await session.inbox.delete_session(session.id)
    assert await session.inbox.enqueue(message, before) is Enqueued.LEFT
    assert await session.expiries() == {}


async def test_a_message_after_the_deletion_begins_a_new_conversation(
    session: OneSession,
) -> None:
    old = await session.submit("old")
    (old_event,) = await session.events()
    await session.inbox.delete_session(session.id)
    new = await session.submit("new")
    assert await session.waiting() == [new.message.message_id]
    (event,) = await session.events()
    assert event["content"] == "new"
    epochs = [int(each["id"].split("-")[0]) for each in (old_event, event)]
    assert epochs[0] < epochs[1]
    assert await session.cancel(old.message.message_id) == "unknown"


async def test_a_clock_that_was_ahead_does_not_make_new_messages_look_old(
    session: OneSession,
) -> None:
    """After a failover Redis' clock may be behind the one that the newest token was made from. A
    message that comes after the deletion is answered all the same."""
    await session.submit("old")
    await session.acquire()
    an_hour_ahead = int((await session.meta())["token"]) + 3_600_000_000
    await session.client.hset(session.keys.meta, "token", an_hour_ahead)
    await session.inbox.delete_session(session.id)
    new = await session.submit("new")
    assert await session.waiting() == [new.message.message_id]
    assert (await session.acquire()).token > an_hour_ahead


async def test_a_session_that_expired_while_its_message_waited_is_made_anew(
    client: Redis,
) -> None:
    """A message waits as long as its entry lives, not as long as the session's keys."""
    session = OneSession(client, a_namespace())
    item = await session.submit()
    await client.delete(*session.keys.in_script_order())
    assert await session.inbox.enqueue(item.message, item.entry_id) is Enqueued.ENQUEUED
    assert await session.waiting() == [item.message.message_id]
    assert await session.kinds() == ["message"]
    await client.delete(session.deployment.turns())


async def test_two_namespaces_share_no_session(session: OneSession, client: Redis) -> None:
    other = OneSession(client, a_namespace(), session.id)
    await session.submit()
    async with other.listening() as texts:
        await session.submit()
    assert texts == []
    assert await other.events() == []
    assert await other.leases.acquire(other.id, "a") is None


async def test_a_stranger_s_entry_in_the_log_refuses_a_message_or_a_stop_whole(
    session: OneSession,
) -> None:
    """Redis takes nothing back of a script that fails half-way, so what may fail comes first. When
    the entry is gone, the same is done again, and works."""
    waiting = await session.submit()
    await session.client.xadd(session.keys.log, {"foo": "bar"})
    message_id = "11111111-1111-4111-8111-111111111111"
    for _ in range(2):
        with pytest.raises(RefusedByRedis):
            await session.submit("late", message_id)
        with pytest.raises(RefusedByRedis):
            await session.cancel(waiting.message.message_id)
    assert await session.waiting() == [waiting.message.message_id]
    assert await session.client.smembers(session.keys.accepted) == {
        waiting.message.message_id.encode()
    }
    await session.client.delete(session.keys.log)
    assert await session.cancel(waiting.message.message_id) == "cancelled"
    await session.submit("late", message_id)
    assert await session.kinds() == ["turn_finished", "message"]
