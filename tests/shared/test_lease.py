"""The lease: one worker at a time, by a token that is never given out twice."""

import pytest

from shared.errors import Fenced, TurnOver
from shared.redis_client import Redis
from tests.shared.one_session import OneSession, a_namespace


async def the_clock(session: OneSession) -> int:
    """Redis' clock in microseconds."""
    seconds, microseconds = await session.client.time()
    return seconds * 1_000_000 + microseconds


async def test_an_empty_inbox_gives_no_lease(session: OneSession) -> None:
    assert await session.leases.acquire(session.id, "a") is None
    assert await session.expiries() == {}
    assert not await session.client.exists(session.keys.lease)


async def test_a_token_is_made_from_the_clock_of_redis(session: OneSession) -> None:
    await session.submit()
    before = await the_clock(session)
    lease = await session.acquire()
    assert before <= lease.token <= await the_clock(session)
    assert await session.client.get(session.keys.lease) == str(lease.token).encode()
    assert 0 < await session.client.pttl(session.keys.lease) <= 60_000


async def test_a_token_is_above_the_newest_even_where_the_clock_is_behind(
    session: OneSession,
) -> None:
    await session.submit()
    lease = await session.acquire()
    ahead = lease.token + 10**12
    await session.client.hset(session.keys.meta, "token", ahead)
    assert (await session.take_over()).token == ahead + 1


async def test_whoever_holds_it_keeps_others_out_and_they_are_told_for_how_long(
    session: OneSession,
) -> None:
    await session.submit()
    await session.acquire()
    held = await session.leases.acquire(session.id, "another")
    assert isinstance(held, int)
    assert 0 < held <= 60_000


async def test_the_same_acquisition_gets_the_same_token(session: OneSession) -> None:
    """A lost reply leaves no lease that nobody has; also when it ran out and nobody came."""
    await session.submit()
    first = await session.acquire("mine")
    assert (await session.acquire("mine")).token == first.token
    await session.client.delete(session.keys.lease)
    assert (await session.acquire("mine")).token == first.token
    assert await session.client.pttl(session.keys.lease) > 0


async def test_an_old_acquisition_is_nothing_after_a_takeover(session: OneSession) -> None:
    await session.submit()
    first = await session.acquire("mine")
    second = await session.take_over()
    assert isinstance(await session.leases.acquire(session.id, "mine"), int)
    assert second.token > first.token


async def test_a_woken_zombie_writes_nothing(session: OneSession) -> None:
    """Every write, and the renewal, under a token that is not the newest is refused."""
    item = await session.submit()
    turn_id = item.message.message_id
    zombie = await session.acquire()
    await session.start(zombie, turn_id)
    newer = await session.take_over()
    before = await session.events()
    for write in (
        lambda: session.start(zombie, turn_id, 2),
        lambda: session.say(zombie, turn_id, "x"),
        lambda: session.finish(zombie, turn_id),
        lambda: session.hand_back(zombie, turn_id),
        lambda: zombie.renew(turn_id),
        zombie.release,
    ):
        with pytest.raises(Fenced):
            await write()
    assert await session.events() == before
    assert await session.client.get(session.keys.lease) == str(newer.token).encode()


async def test_the_worker_of_a_deleted_session_is_refused_also_in_the_new_conversation(
    session: OneSession,
) -> None:
    """The deletion's moment outlives `meta`, which would otherwise know no newer token."""
    turn_id = (await session.submit()).message.message_id
    zombie = await session.acquire()
    await session.start(zombie, turn_id)
    await session.inbox.delete_session(session.id)
    for _ in ("nothing is there", "a new conversation is there"):
        with pytest.raises(Fenced):
            await session.say(zombie, turn_id, "x")
        with pytest.raises(Fenced):
            await zombie.renew(turn_id)
        await session.submit("new")
    assert await session.kinds() == ["message", "message"]
    assert (await session.acquire()).token > zombie.token


async def test_a_worker_whose_lease_ran_out_may_go_on_when_nobody_replaced_it(
    session: OneSession,
) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    await session.client.delete(session.keys.lease)
    await session.say(lease, turn_id, "still here")
    assert not await lease.renew(turn_id)
    assert await session.client.get(session.keys.lease) == str(lease.token).encode()
    assert isinstance(await session.leases.acquire(session.id, "another"), int)


async def test_a_token_newer_than_any_known_becomes_the_newest(session: OneSession) -> None:
    """After a restored snapshot Redis may have forgotten the newest token; its holder goes on, and
    the one whom it had replaced does not."""
    turn_id = (await session.submit()).message.message_id
    older = await session.acquire()
    await session.start(older, turn_id)
    snapshot = await session.client.dump(session.keys.meta)
    newer = await session.take_over()
    await session.client.restore(session.keys.meta, 600_000, snapshot, replace=True)

    assert not await newer.renew(turn_id)
    with pytest.raises(Fenced):
        await session.say(older, turn_id, "x")

    await session.client.restore(session.keys.meta, 600_000, snapshot, replace=True)
    await session.say(newer, turn_id, "y")
    with pytest.raises(Fenced):
        await session.say(older, turn_id, "x")
    await session.finish(newer, turn_id)


async def test_starting_a_turn_begins_a_new_period(client: Redis) -> None:
    """A row of short turns would otherwise run under one period that ends in the midst of one."""
    session = OneSession(client, a_namespace())
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await client.pexpire(session.keys.lease, 1000)
    await session.start(lease, turn_id)
    assert await client.pttl(session.keys.lease) > 1000
    await client.delete(session.deployment.turns())


async def test_a_renewal_outside_the_turn_says_that_the_turn_is_over(session: OneSession) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    await session.finish(lease, turn_id)
    with pytest.raises(TurnOver):
        await lease.renew(turn_id)


async def test_a_lease_is_given_back_only_with_an_empty_inbox(session: OneSession) -> None:
    """A message that came between looking and giving back would wait for nobody."""
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    assert not await lease.release()
    assert await session.client.exists(session.keys.lease)
    await session.start(lease, turn_id)
    await session.finish(lease, turn_id)
    assert await lease.release()
    assert await lease.release(), "a repeated call is told the same"
    assert not await session.client.exists(session.keys.lease)
    await session.submit()
    assert (await session.acquire("next")).token > lease.token


async def test_peek_tells_the_head_and_what_is_known_of_it(session: OneSession) -> None:
    first, second = await session.submit("one"), await session.submit("two")
    lease = await session.acquire()
    turn = await lease.peek()
    assert turn is not None
    assert (turn.item, turn.attempts_begun, turn.first_position) == (first, 0, None)

    await session.start(lease, first.message.message_id)
    place = (await session.events())[-1]["id"]
    turn = await lease.peek()
    assert turn is not None
    assert (turn.item, turn.attempts_begun, str(turn.first_position)) == (first, 1, place)

    await session.finish(lease, first.message.message_id)
    turn = await lease.peek()
    assert turn is not None
    assert (turn.item, turn.attempts_begun, turn.first_position) == (second, 0, None)
    await session.start(lease, second.message.message_id)
    await session.finish(lease, second.message.message_id)
    assert await lease.peek() is None
