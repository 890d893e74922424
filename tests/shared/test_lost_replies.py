"""Calls that were not answered: whatever was lost, each script has happened once.

The client sends a command again when its connection broke, and every caller when no answer came in
time. The first copy may have run already, or may run later, after the second and what followed.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any, get_args

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.direct_scripts import DirectScripts
from shared.errors import Unavailable
from shared.ids import TurnId
from shared.lease import Ending, Lease
from shared.redis_client import Redis, connect_redis
from tests.shared.lossy_proxy import Fault, LossyProxy, lossy_proxy
from tests.shared.one_session import OneSession, a_namespace

QUICK_TIMEOUT_SECONDS = 0.25
TURN = TurnId("0d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10")
WAITING = TurnId("1d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10")
NEW = TurnId("2d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10")


@asynccontextmanager
async def losing(server: EmbeddedRedis) -> AsyncGenerator[tuple[LossyProxy, OneSession], None]:
    """A proxy before `server`, and a session behind it whose callers soon give an answer up: what
    a gateway calls goes through redis-py, what a worker calls goes past it."""
    async with (
        lossy_proxy(server.port) as proxy,
        connect_redis(proxy.url, timeout_seconds=QUICK_TIMEOUT_SECONDS) as client,
    ):
        with closing(DirectScripts(client)) as scripts:
            yield proxy, OneSession(client, a_namespace(), scripts=scripts)


Write = Callable[[OneSession, Lease, int], Awaitable[object]]
WRITES: dict[str, Write] = {
    "enqueue": lambda s, lease, n: s.inbox.enqueue(s.message("new", NEW), NEW_ENTRY),
    "cancel a waiting turn": lambda s, lease, n: s.cancel(WAITING),
    "cancel a running turn": lambda s, lease, n: s.cancel(TURN),
    "delete": lambda s, lease, n: s.inbox.delete_session(s.id),
    "acquire": lambda s, lease, n: s.leases.acquire(s.id, "first"),
    "renew": lambda s, lease, n: lease.renew(TURN),
    "start": lambda s, lease, n: lease.start(n, TURN, 2, 3, [s.said(TURN, "a", streaming=True)]),
    "append": lambda s, lease, n: lease.append(n, TURN, [s.said(TURN, "a", streaming=True)], []),
    "finish": lambda s, lease, n: lease.finish(
        n, TURN, [s.said(TURN, "all", streaming=False)], [], Ending(history=b"[]")
    ),
    "hand back": lambda s, lease, n: lease.hand_back(n, TURN),
}
NEW_ENTRY: Any = "9999999999999-0"


async def a_running_turn(session: OneSession) -> Lease:
    """One turn that runs, and one that waits."""
    await session.inbox.enqueue(session.message("one", TURN), "9999999999997-0")  # pyright: ignore
    await session.inbox.enqueue(session.message("two", WAITING), "9999999999998-0")  # pyright: ignore
    lease = await session.acquire("first")
    await session.start(lease, TURN)
    return lease


async def what_is_held(session: OneSession) -> dict[str, object]:
    """All that Redis holds of a session, without what differs from one session to the next."""
    meta = await session.meta()
    for name in ("epoch", "token", "attempt_token", "told", "turn_from", "unheard"):
        meta.pop(name, None)
    return {
        "events": [event | {"id": "", "session_id": ""} for event in await session.events()],
        "waiting": await session.waiting(),
        "accepted": await session.client.smembers(session.keys.accepted),
        "history": await session.client.get(session.keys.history),
        "leased": await session.client.exists(session.keys.lease),
        "flagged": await session.client.smembers(session.keys.cancel),
        "deleted": await session.client.exists(session.keys.deleted),
        "meta": meta,
    }


async def insist(call: Callable[[], Awaitable[object]]) -> object:
    """As every caller does: the same call again, for as long as it is not answered."""
    while True:
        try:
            return await call()
        except Unavailable:
            continue


@pytest.mark.parametrize("fault", get_args(Fault))
@pytest.mark.parametrize("name", WRITES)
async def test_a_write_whose_answer_did_not_come_happens_once(
    redis_server: EmbeddedRedis, client: Redis, name: str, fault: Fault
) -> None:
    async with losing(redis_server) as (proxy, faulty):
        plain = OneSession(client, faulty.deployment, "plain")
        expected = await once(plain, await a_running_turn(plain), WRITES[name])
        lease = await a_running_turn(faulty)
        proxy.fault = fault
        told = await once(faulty, lease, WRITES[name])
        assert proxy.faults_done == 1
        assert type(told) is type(expected)
        assert await what_is_held(faulty) == await what_is_held(plain)
        if fault == "the call comes late":
            await check_a_late_call_changes_nothing(proxy, faulty)


async def once(session: OneSession, lease: Lease, write: Write) -> object:
    number = lease.next_batch()
    return await insist(lambda: write(session, lease, number))


async def check_a_late_call_changes_nothing(proxy: LossyProxy, session: OneSession) -> None:
    before = await what_is_held(session)
    reply = await proxy.deliver_what_is_late()
    assert not reply.startswith(b"-"), reply
    assert await what_is_held(session) == before


async def test_a_release_whose_answer_did_not_come_is_told_the_same(
    redis_server: EmbeddedRedis,
) -> None:
    async with losing(redis_server) as (proxy, session):
        lease = await a_running_turn(session)
        for turn_id in (TURN, WAITING):
            if turn_id == WAITING:
                await session.start(lease, turn_id)
            await session.finish(lease, turn_id)
        proxy.fault = "the reply is lost"
        assert await insist(lease.release)
        assert proxy.faults_done == 1


async def test_a_late_copy_that_comes_after_its_successor_is_refused(
    redis_server: EmbeddedRedis,
) -> None:
    """The retry was answered, the worker went on, and only then the first copy arrives."""
    async with losing(redis_server) as (proxy, session):
        lease = await a_running_turn(session)
        proxy.fault = "the call comes late"
        await once(session, lease, WRITES["append"])
        await once(session, lease, WRITES["append"])
        before = await session.events()
        assert await proxy.deliver_what_is_late() == b"$4\r\nlate\r\n"
        assert await session.events() == before


async def test_a_late_copy_of_a_deletion_leaves_the_conversation_after_it_alone(
    redis_server: EmbeddedRedis,
) -> None:
    async with losing(redis_server) as (proxy, session):
        await session.submit("old")
        proxy.fault = "the call comes late"
        await insist(lambda: session.inbox.delete_session(session.id))
        new = await session.submit("new")
        await check_a_late_call_changes_nothing(proxy, session)
        assert await session.waiting() == [new.message.message_id]
        await session.inbox.delete_session(session.id)
        assert await session.waiting() == [], "a deletion that is asked for anew is done"
