"""Redis Cluster: sessions over all masters, and every command finds what moves or is replaced."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from shared.errors import Unavailable
from shared.ids import Position
from shared.inbox import Enqueued
from shared.keys import Keys
from shared.patient_request import NoSuchPatient, PatientAnswers, make_request_id
from shared.promise import Promises
from shared.redis_client import Redis, ask, connect_redis, one_connection
from shared.session_log import SessionLog
from tests.shared.one_session import OneSession, a_namespace
from tests.support.clusters import MASTERS, Node, RunningCluster
from tests.support.eventually import eventually


@pytest.fixture
async def client(cluster: RunningCluster) -> AsyncGenerator[Redis, None]:
    async with connect_redis(cluster.url) as own:
        await own.look_again()
        yield own


@pytest.fixture
async def sessions(client: Redis, cluster: RunningCluster) -> AsyncGenerator[list[OneSession]]:
    """A session on each master, in a namespace of their own. What a test leaves of them must be
    going to expire."""
    keys = a_namespace()
    spread = {await master_of(cluster, one): one for one in some_sessions(client, keys)}
    assert len(spread) == MASTERS
    yield list(spread.values())
    for one in spread.values():  # not as one: MIGRATE carries the time that is left, key by key
        assert -1 not in (await one.expiries()).values()
    await ask(client, lambda: client.delete(keys.turns()))


def some_sessions(client: Redis, keys: Keys) -> list[OneSession]:
    return [OneSession(client, keys, f"s-{number}") for number in range(12)]


async def master_of(cluster: RunningCluster, session: OneSession) -> Node:
    return await asyncio.to_thread(cluster.master_of, session.keys.channel)


def promises_of(session: OneSession) -> Promises:
    return Promises(session.client, session.inbox, session.work_stream)


async def insist_on_accepting(session: OneSession, content: str) -> str:
    """As a gateway does: the pair again from its first step. Returns the message's id."""
    message = session.message(content)
    while True:
        try:
            await promises_of(session).accept(message)
            return message.message_id
        except Unavailable:
            await asyncio.sleep(0.02)


async def test_a_turn_runs_on_every_master(sessions: list[OneSession]) -> None:
    """Work stream, inbox, lease, log, history: all that is done for a turn."""
    for session in sessions:
        message = session.message("hi")
        await session.work_stream.create_group("w")
        await promises_of(session).accept(message)
        (entry,) = await session.work_stream.read_new("w", 1, 1000)
        assert entry.work == message
        assert await promises_of(session).settle(message, entry.entry_id) is Enqueued.WAITING
        lease = await session.acquire()
        await session.start(lease, message.message_id)
        await session.say(lease, message.message_id, "a", "b")
        await session.finish(lease, message.message_id)
        assert await lease.release()
        assert await promises_of(session).settle(message, entry.entry_id) is Enqueued.LEFT
        page = await session.log.read_after(session.id, None, 100)
        kinds = ["message", "turn_started", *["assistant"] * 3, "turn_finished"]
        assert await session.kinds() == kinds
        assert page.head == page.entries[-1].position
    assert await sessions[0].client.xlen(sessions[0].deployment.turns()) == 0
    assert await sessions[0].work_stream.claim_idle("w", 0, "0-0", 10) == ("0-0", [])


async def test_heads_of_all_sessions_come_in_one_call(
    client: Redis, sessions: list[OneSession]
) -> None:
    items = [await session.submit() for session in sessions]
    assert len(items) == MASTERS
    ids = [session.id for session in sessions]
    heads = await SessionLog(client, sessions[0].deployment).read_heads(ids)
    assert {name: head and head.seq for name, head in heads.items()} == dict.fromkeys(ids, 1)


async def test_a_session_is_deleted_and_begins_anew(sessions: list[OneSession]) -> None:
    for session in sessions:
        await session.submit()
        await session.inbox.delete_session(session.id)
        assert await session.kinds() == []
        await session.submit()
        assert await session.kinds() == ["message"]


async def test_the_answer_to_a_patient_request_is_waited_for_at_its_node(
    client: Redis, sessions: list[OneSession]
) -> None:
    answers = PatientAnswers(client, sessions[0].deployment)
    for _ in range(2 * MASTERS):
        request_id = make_request_id()
        waiting = asyncio.create_task(answers.take(request_id, 10))
        await answers.put(request_id, NoSuchPatient())
        assert await waiting == NoSuchPatient()
        assert await answers.take(request_id, 0.01) is None


async def test_what_was_accepted_is_on_a_replica(
    cluster: RunningCluster, sessions: list[OneSession]
) -> None:
    """So the loss of the node that has the work stream loses no entry whose message waits."""
    turns = sessions[0].deployment.turns()
    for number in range(5):
        await promises_of(sessions[0]).accept(sessions[0].message("hi"))
        seen = await asyncio.to_thread(_length_on_replica, cluster, turns)
        assert seen == number + 1


def _length_on_replica(cluster: RunningCluster, key: str) -> int:
    replica = cluster.replica_of(cluster.master_of(key))
    return replica.ask_for_a_copy("XLEN", key)


async def test_a_pair_is_begun_again_when_the_connection_of_its_first_step_has_broken(
    client: Redis, cluster: RunningCluster, sessions: list[OneSession]
) -> None:
    """Its second step is at another node, which knows nothing of it."""
    turns = sessions[0].deployment.turns()
    node = await asyncio.to_thread(cluster.master_of, turns)
    session = next(
        one for one in sessions if client.node_of(one.keys.inbox) != client.node_of(turns)
    )
    message = session.message("hi")
    async with one_connection(client) as pinned:
        entry_id = await session.work_stream.submit(message, pinned)
        await asyncio.to_thread(node.ask, "CLIENT KILL", "TYPE", "NORMAL")
        await session.inbox.enqueue(message, entry_id, pinned)
        with pytest.raises(Unavailable):
            await ask(pinned, pinned.hold)


async def test_a_slot_that_has_moved_is_found(
    client: Redis, cluster: RunningCluster, sessions: list[OneSession]
) -> None:
    """By one command, and by one of many that are sent together."""
    session, other = sessions[0], sessions[1]
    await session.submit()
    await move(cluster, session, other)
    await session.submit()
    assert await session.kinds() == ["message", "message"]
    await move(cluster, session, sessions[2])
    heads = await SessionLog(client, session.deployment).read_heads([other.id, session.id])
    assert heads[other.id] is None
    assert heads[session.id] is not None


async def move(cluster: RunningCluster, session: OneSession, to: OneSession) -> None:
    """Give the session's slot to the master of another."""
    master = await master_of(cluster, to)
    await asyncio.to_thread(cluster.move_slot, session.keys.channel, master)


async def test_calls_wait_while_a_slot_moves(
    client: Redis, cluster: RunningCluster, sessions: list[OneSession]
) -> None:
    """Its keys have gone and it has not: what needs one key is asked for over there (ASK), and a
    script, of whose keys some never exist, comes again until the slot has moved (TRYAGAIN)."""
    session = sessions[0]
    await session.submit()
    heads = await session.log.read_heads([session.id])
    master = await master_of(cluster, sessions[1])
    keys_gone, go_on = threading.Event(), threading.Event()

    def meanwhile() -> None:
        keys_gone.set()
        assert go_on.wait(10)

    moving = asyncio.create_task(
        asyncio.to_thread(cluster.move_slot, session.keys.channel, master, meanwhile)
    )
    await asyncio.to_thread(keys_gone.wait, 10)
    try:
        assert await session.log.read_heads([session.id]) == heads
        assert await client.exists(session.keys.meta) == 1
        writing = asyncio.create_task(session.submit("while it moves"))
        await asyncio.wait((writing,), timeout=0.3)
        assert not writing.done()
    finally:
        go_on.set()
    await writing
    await moving
    assert await session.kinds() == ["message", "message"]


@pytest.mark.parametrize("cluster", ["redis-server"], ids=["redis"], indirect=True)
async def test_a_master_that_dies_is_replaced_and_what_it_had_is_there(
    client: Redis, cluster: RunningCluster, sessions: list[OneSession]
) -> None:
    """The one with the work stream. A failover is a new life of the log: positions begin anew. The
    sessions of other masters see nothing of it."""
    turns = client.node_of(sessions[0].deployment.turns())
    session = next(one for one in sessions if client.node_of(one.keys.log) is turns)
    other = next(one for one in sessions if one is not session)
    for one in sessions:
        await promises_of(one).accept(one.message("before"))
    before = await session.log.read_after(session.id, None, 10)
    victim = await master_of(cluster, session)
    dying = asyncio.create_task(asyncio.to_thread(cluster.kill, victim))
    try:
        await eventually(lambda: victim.server.process is None, "it is dead")
        with pytest.raises(Unavailable):
            await session.log.read_after(session.id, None, 10)
        assert await other.kinds() == ["message"]
        message_id = await insist_on_accepting(session, "after")
    finally:
        await dying
        await asyncio.to_thread(cluster.start_again, victim)
    assert (await session.waiting())[1:] == [message_id]
    after = await session.log.read_after(session.id, None, 10)
    assert [entry.position.seq for entry in after.entries] == [1, 1]
    assert after.entries[0] == before.entries[0]
    assert isinstance(before.head, Position)
    assert isinstance(after.head, Position)
    assert after.head.epoch > before.head.epoch
    await session.work_stream.create_group("w")
    entries = await session.work_stream.read_new("w", 100, 1)
    waiting = {item for one in sessions for item in await one.waiting()}
    assert {getattr(entry.work, "message_id", None) for entry in entries} == waiting
