"""Handing back on SIGTERM: another worker goes on at once, and the attempt is not counted."""

from shared.ids import TurnId
from shared.lease import Lease, Started
from shared.redis_client import Redis
from tests.shared.one_session import OneSession, a_namespace


async def lose_attempts(session: OneSession, turn_id: TurnId, count: int) -> Lease:
    """So many workers begin the turn and die; returns the next one's lease."""
    lease = await session.acquire()
    for attempt in range(1, count + 1):
        assert await session.start(lease, turn_id, attempt) is Started.STARTED
        lease = await session.take_over()
    return lease


async def test_an_attempt_handed_back_takes_a_number_and_is_not_counted(
    session: OneSession,
) -> None:
    first, second = await session.submit("one"), await session.submit("two")
    turn_id = first.message.message_id
    lease = await lose_attempts(session, turn_id, 2)
    await session.start(lease, turn_id, 3)
    entries = await session.hand_back(lease, turn_id)
    assert entries == [first.entry_id, second.entry_id], "all of them are claimable at once"
    assert not await session.client.exists(session.keys.lease)

    fourth = await session.acquire("at once")
    turn = await fourth.peek()
    assert turn is not None
    assert (turn.attempts_begun, turn.attempts_lost) == (3, 2)
    assert await session.start(fourth, turn_id, 4) is Started.STARTED
    fifth = await session.take_over()
    assert await session.start(fifth, turn_id, 5) is Started.EXHAUSTED, "1, 2 and 4 were lost"


async def test_giving_back_before_the_start_does_not_undo_an_attempt_that_was_lost(
    session: OneSession,
) -> None:
    """A worker told to stop between taking a session over and starting hands back nothing of its
    own. Counted for the dead attempt, a turn that kills its workers would run once more each
    time."""
    turn_id = (await session.submit()).message.message_id
    lease = await lose_attempts(session, turn_id, 3)
    await session.hand_back(lease, turn_id)
    assert await session.start(await session.acquire(), turn_id, 4) is Started.EXHAUSTED


async def test_one_attempt_is_handed_back_once(session: OneSession) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await lose_attempts(session, turn_id, 2)
    await session.start(lease, turn_id, 3)
    await session.hand_back(lease, turn_id)
    await session.hand_back(lease, turn_id)
    lease = await session.acquire()
    assert await session.start(lease, turn_id, 4) is Started.STARTED
    lease = await session.take_over()
    assert await session.start(lease, turn_id, 5) is Started.EXHAUSTED


async def test_handing_back_a_session_that_has_expired_makes_no_key(client: Redis) -> None:
    session = OneSession(client, a_namespace())
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    await client.delete(*session.keys.in_script_order())
    assert await session.hand_back(lease, turn_id) == []
    await session.check_keys_expire_together()
    await client.delete(session.deployment.turns())
