"""What writes under a lease do to the life of the session's keys, and to what they hold."""

from collections.abc import Awaitable, Callable

import pytest

from shared.ids import TurnId
from shared.lease import Ending, Lease
from tests.shared.one_session import OneSession
from tests.shared.test_lease_writes import begun

Write = Callable[[OneSession, Lease, TurnId], Awaitable[object]]

WRITES: dict[str, Write] = {
    "enqueue": lambda s, lease, turn: s.submit(),
    "acquire": lambda s, lease, turn: s.take_over(),
    "renew": lambda s, lease, turn: lease.renew(turn),
    "start": lambda s, lease, turn: s.start(lease, turn, 2),
    "append": lambda s, lease, turn: s.say(lease, turn, "x"),
    "cancel": lambda s, lease, turn: s.cancel(turn),
    "hand_back": lambda s, lease, turn: s.hand_back(lease, turn),
    "finish": lambda s, lease, turn: s.finish(lease, turn, ending=Ending(history=b"h")),
}


@pytest.mark.parametrize("name", WRITES)
async def test_every_write_lets_all_keys_expire_together_and_later(
    session: OneSession, name: str
) -> None:
    """A log without its `meta` could not be judged: what belongs to a session ends as one."""
    lease, turn_id = await begun(session)
    if name != "start":  # a flagged turn is not started
        await session.cancel(turn_id)
    for key in await session.expiries():
        await session.client.expire(key, 5)
    sooner = max((await session.expiries()).values())
    await WRITES[name](session, lease, turn_id)
    moments = await session.expiries()
    assert len(set(moments.values())) == 1, moments
    assert min(moments.values()) > sooner
    assert {session.keys.log, session.keys.meta, session.keys.accepted} <= set(moments)


async def test_pieces_make_the_keys_live_longer_once_in_a_hundredth_of_their_life(
    session: OneSession,
) -> None:
    lease, turn_id = await begun(session)
    begun_with = await session.expiries()
    await session.say(lease, turn_id, "at once")
    assert await session.expiries() == begun_with
    ttl_ms = await session.client.pttl(session.keys.log)
    for key in begun_with:
        await session.client.pexpire(key, ttl_ms * 99 // 100 - 1)
    await session.say(lease, turn_id, "later")
    assert min((await session.expiries()).values()) >= min(begun_with.values())


async def test_thousands_of_pieces_leave_the_log_in_one_step(session: OneSession) -> None:
    """More than a call of Lua takes at once."""
    long = OneSession(session.client, session.deployment, "long", log_max_events=10_000)
    lease, turn_id = await begun(long)
    pieces = await long.say(lease, turn_id, *("x" for _ in range(2_500)))
    await long.finish(lease, turn_id, remove=pieces[:-1])
    kinds = ["message", "turn_started", "assistant", "assistant", "turn_finished"]
    assert await long.kinds() == kinds
