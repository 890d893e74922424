"""Everything that each kind of process asks of Redis, asked directly with the classes that ask it.

`mine` is a session over the process's own client; `others` the same one over a client that may do
everything, for what somebody else has done before. The log's limit has to be small, so that it is
trimmed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import uuid4

from agent_worker.failed_turns import FailedTurns
from agent_worker.settings import WorkerSettings
from gateway.access import Grant
from gateway.limits import SEAT, SEAT_SECONDS, Rates, Seats
from gateway.tickets import Tickets
from shared.ids import SessionId, TurnId
from shared.keys import WORK_GROUP
from shared.lease import Ending, Lease
from shared.patient_request import NoSuchPatient, PatientAnswers, PatientRequest, make_request_id
from shared.promise import Promises
from shared.protocol import Failure, encode_event
from shared.redis_client import Redis, ask
from shared.subscription import Subscription
from shared.subscription_line import Batch
from tests.shared.one_session import OneSession

Exchange = Callable[[OneSession, OneSession], Awaitable[None]]

WORKER = "w-1"
MOST = 5
SMALLEST_LOG = 10


async def as_gateway(mine: OneSession, others: OneSession) -> None:
    """What tabs, `/patient` requests and the probe make of it."""
    keys, client = mine.deployment, cast(Redis, mine.client)
    probe = keys.probe("g-1")
    await follow(client, mine.keys.channel, probe)
    await ask(client, lambda: client.publish(probe, "probe"))
    promises = Promises(client, mine.inbox, mine.work_stream)
    running, waiting = mine.message("one"), mine.message("two")
    for message in (running, waiting, waiting):
        await mine.inbox.admit(mine.id, message.message_id)
        await promises.accept(message)
    await mine.log.read_after(mine.id, None, MOST)
    await mine.log.read_heads([mine.id])
    await others.start(await others.acquire(), running.message_id)
    assert await mine.cancel(waiting.message_id) == "cancelled"
    assert await mine.cancel(running.message_id) == "flagged"
    await others.client.delete(others.keys.meta)
    await mine.log.read_after(mine.id, None, MOST)
    await mine.inbox.delete_session(mine.id)

    request = PatientRequest(make_request_id(), str(uuid4()), "")
    entry_id = await mine.work_stream.submit(request)
    await PatientAnswers(others.client, keys).put(request.request_id, NoSuchPatient())
    assert await PatientAnswers(client, keys).take(request.request_id, MOST) == NoSuchPatient()
    await mine.work_stream.acknowledge(entry_id)


async def as_guarded_gateway(mine: OneSession, others: OneSession) -> None:
    """What a gateway asks with AUTH_MODE=jwt and with limits that hold over all gateways."""
    keys, client = mine.deployment, cast(Redis, mine.client)
    tickets = Tickets(client, keys, seconds=30)
    ticket = await tickets.issue(mine.id, Grant((mine.id,), frozenset(), None))
    await tickets.redeem(ticket, mine.id)
    assert await Rates(client, keys).wait_for("address", mine.id, MOST) == 0
    assert await Seats(client, keys, "g-1").take("session", mine.id, MOST)
    give_back = (SEAT, 1, keys.seats("session", mine.id), "g-1", "", SEAT_SECONDS)
    run = cast(Callable[..., Awaitable[Any]], client.eval)
    await ask(client, lambda: run(*give_back))


async def as_worker(mine: OneSession, others: OneSession) -> None:
    """What the work stream, turns and their ends make of it."""
    client, stream = cast(Redis, mine.client), mine.work_stream
    await follow(client, mine.keys.control)
    await stream.create_group(WORKER)
    await stream.ping()
    item = await others.submit("one")
    message = item.message
    await stream.read_new(WORKER, 1, 1)
    assert await stream.times_claimed(item.entry_id) == 1
    await stream.defer(WORKER, [item.entry_id], 0)
    await stream.claim_idle(WORKER, 0, "0-0", MOST)

    promises = Promises(client, mine.inbox, stream)
    await promises.settle(message, item.entry_id)
    fresh = mine.message("its gateway has died")
    entry_id = await others.work_stream.submit(fresh)
    await promises.settle(fresh, entry_id)

    lease = await mine.acquire()
    await lease.peek()
    await mine.start(lease, message.message_id)
    pieces = await mine.say(lease, message.message_id, "a", "b")
    whole = mine.said(message.message_id, "ab", streaming=False)
    await lease.append(lease.next_batch(), message.message_id, [whole], pieces)
    await lease.renew(message.message_id)
    await mine.log.read_after(mine.id, None, MOST)
    await mine.finish(lease, message.message_id, ending=Ending(b"[]", 1))
    await promises.settle(message, item.entry_id)
    await mine.start(lease, fresh.message_id)
    await mine.hand_back(lease, fresh.message_id)
    lease = await mine.acquire()
    await mine.start(lease, fresh.message_id, attempt=2)
    await mine.finish(lease, fresh.message_id)
    assert await lease.release()
    await stream.leave(WORKER)
    await others.client.delete(others.keys.meta)
    await mine.log.read_after(mine.id, None, MOST)
    await PatientAnswers(client, mine.deployment).put(make_request_id(), NoSuchPatient())


async def as_operator(mine: OneSession, others: OneSession) -> None:
    """What `python -m agent_worker --failed --retry all` makes of it."""
    client = cast(Redis, mine.client)
    lease = None
    for _ in range(2):
        item = await others.submit()
        lease = lease or await others.acquire()
        await others.start(lease, item.message.message_id)
        await fail(others, lease, item.message.message_id)
    settings = WorkerSettings(
        namespace=mine.deployment.namespace, log_max_events=SMALLEST_LOG, session_ttl=600
    )
    failed = FailedTurns(client, settings)
    turns = [turn async for turn in failed.find() if turn.session_id == mine.id]
    assert len(turns) == 2
    for turn in turns:
        assert await failed.try_again(turn)
    # Somebody else has done so at the same time.
    again = mine.message("hi", turns[0].retry_id)
    await Promises(client, mine.inbox, mine.work_stream).accept(again)


async def fail(session: OneSession, lease: Lease, turn_id: TurnId) -> None:
    """End the turn as failed, with so many events before that the log is trimmed soon."""
    await session.say(lease, turn_id, *"abcdef")
    failure = Failure(code="model_error", error="The language model could not answer.")
    end = session.finished(turn_id, "failed").model_copy(update={"attempt": 1, "error": failure})
    await lease.finish(lease.next_batch(), turn_id, [encode_event(end)], [], Ending())


def observing(session: OneSession) -> list[list[str | int]]:
    """What an engineer looks at with redis-cli, as docs/operations.md names it."""
    keys, turns = session.keys, session.deployment.turns()
    channels = session.deployment.channel(SessionId("*"))
    return [
        ["PING"],
        ["INFO", "server"],
        ["COMMAND DOCS", "get"],
        ["SCAN", 0, "MATCH", session.deployment.session(SessionId("*")).log],
        ["PUBSUB", "CHANNELS", channels],
        ["PUBSUB", "SHARDCHANNELS", channels],
        ["PUBSUB", "NUMSUB", keys.channel],
        ["PUBSUB", "SHARDNUMSUB", keys.channel],
        ["XRANGE", keys.log, "-", "+"],
        ["XREVRANGE", keys.log, "+", "-", "COUNT", 1],
        ["XLEN", keys.log],
        ["LLEN", keys.inbox],
        ["EXISTS", keys.deleted],
        ["TYPE", keys.meta],
        ["TTL", keys.log],
        ["PTTL", keys.lease],
        ["XLEN", turns],
        ["XINFO", "GROUPS", turns],
        ["XINFO", "CONSUMERS", turns, WORK_GROUP],
        ["XPENDING", turns, WORK_GROUP],
    ]


async def as_observer(mine: OneSession, others: OneSession) -> None:
    """What an engineer makes of it with redis-cli."""
    await others.submit()
    await others.work_stream.create_group(WORKER)
    for words in observing(others):
        await mine.client.execute_command(*words)
    channel = others.keys.channel
    for kind, name in (("", channel), ("P", others.deployment.channel(SessionId("*")))):
        async with mine.client.client() as pinned:
            await pinned.execute_command(f"{kind}SUBSCRIBE", name)
            await pinned.execute_command(f"{kind}UNSUBSCRIBE", name)
    async with mine.client.client() as pinned:
        await pinned.execute_command("SSUBSCRIBE", channel)
        await pinned.execute_command("SUNSUBSCRIBE", channel)


EXCHANGES: dict[str, list[Exchange]] = {
    "gateway": [as_gateway, as_guarded_gateway],
    "worker": [as_worker],
    "operator": [as_operator],
    "observer": [as_observer],
}
"""By the name of the user in `deploy/redis-users.acl`."""


class Ignoring:
    """A listener to whom all is the same."""

    def on_batch(self, batch: Batch) -> None: ...

    def on_lost(self) -> None: ...

    def on_restored(self) -> None: ...


async def follow(client: Redis, *channels: str) -> None:
    """Subscribe to the channels, and leave them again. Each is subscribed once more at the end: by
    then its server has answered what came before."""
    subscription = Subscription(client, Ignoring())
    running = asyncio.create_task(subscription.run())
    try:
        for channel in channels:
            await subscription.subscribe(channel)
            subscription.unsubscribe(channel)
            await subscription.subscribe(channel)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
