"""Writing under a lease: batches are numbered, and each is written once or not at all."""

import asyncio
from collections.abc import Awaitable

import pytest

from shared.errors import Fenced, TurnOver
from shared.ids import Position, TurnId
from shared.inbox import Enqueued
from shared.lease import Ending, Lease, Started
from tests.shared.one_session import OneSession


async def begun(session: OneSession) -> tuple[Lease, TurnId]:
    """A turn that runs."""
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    assert await session.start(lease, turn_id) is Started.STARTED
    return lease, turn_id


async def test_a_batch_is_numbered_without_holes_and_returns_its_last_position(
    session: OneSession,
) -> None:
    lease, turn_id = await begun(session)
    places = await session.say(lease, turn_id, "a", "b", "c")
    events = await session.events()
    assert [event["id"] for event in events[2:]] == [str(place) for place in places]
    seqs = [int(event["id"].split("-")[1]) for event in events]
    assert seqs == [1, 2, 3, 4, 5]
    assert [event.get("content") for event in events[2:]] == ["a", "b", "c"]


async def test_a_retried_batch_is_told_what_the_first_was_told(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    batch = lease.next_batch()
    event = session.said(turn_id, "once", streaming=True)
    first = await lease.append(batch, turn_id, [event], [])
    assert await lease.append(batch, turn_id, [event], []) == first
    assert await session.kinds() == ["message", "turn_started", "assistant"]


async def test_a_late_copy_of_an_earlier_batch_is_refused(session: OneSession) -> None:
    """ "Not above the last", not "equal to the last": a copy may come after its successor."""
    lease, turn_id = await begun(session)
    early, later = lease.next_batch(), lease.next_batch()
    event = session.said(turn_id, "once", streaming=True)
    await lease.append(early, turn_id, [event], [])
    await lease.append(later, turn_id, [event], [])
    before = await session.events()
    with pytest.raises(Fenced, match="late"):
        await lease.append(early, turn_id, [event], [])
    with pytest.raises(Fenced, match="late"):
        await lease.start(early, turn_id, 2, 3, [event])
    with pytest.raises(Fenced, match="late"):
        await lease.finish(early, turn_id, [event], [], Ending())
    with pytest.raises(Fenced, match="late"):
        await lease.hand_back(early, turn_id)
    assert await session.events() == before


async def test_a_number_whose_write_never_arrived_may_be_missing(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    lease.next_batch()
    await session.say(lease, turn_id, "after a gap")
    assert (await session.kinds())[-1] == "assistant"


async def test_the_next_lease_counts_its_batches_anew(session: OneSession) -> None:
    first, turn_id = await begun(session)
    for _ in range(5):
        await session.say(first, turn_id, "x")
    second = await session.take_over()
    assert await session.start(second, turn_id, attempt=2) is Started.STARTED
    assert (await session.kinds())[-1] == "turn_started"


async def test_a_start_is_only_for_the_head_of_the_inbox(session: OneSession) -> None:
    await session.submit("head")
    other = await session.submit("second")
    lease = await session.acquire()
    with pytest.raises(TurnOver):
        await session.start(lease, other.message.message_id)
    assert "turn_started" not in await session.kinds()


async def test_a_turn_cancelled_before_its_start_is_not_started(session: OneSession) -> None:
    item = await session.submit()
    lease = await session.acquire()
    await session.cancel(item.message.message_id)
    with pytest.raises(TurnOver):
        await session.start(lease, item.message.message_id)
    assert await session.kinds() == ["message", "turn_finished"]


async def test_attempts_are_counted_where_they_begin(session: OneSession) -> None:
    """A repeated start is one attempt; after `most` lost ones there is no other."""
    item = await session.submit()
    turn_id = item.message.message_id
    for attempt in (1, 2, 3):
        lease = await session.take_over()
        batch = lease.next_batch()
        event = session.said(turn_id, f"attempt {attempt}", streaming=True)
        for _ in range(2):
            assert await lease.start(batch, turn_id, attempt, 3, [event]) is Started.STARTED
    lease = await session.take_over()
    assert await session.start(lease, turn_id, attempt=4) is Started.EXHAUSTED
    turn = await lease.peek()
    assert turn is not None
    assert turn.attempts_begun == 3
    await session.finish(lease, turn_id)
    assert (await session.kinds()).count("assistant") == 3 + 1


async def test_the_next_turn_begins_at_attempt_one(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    lease = await session.take_over()
    await session.start(lease, turn_id, attempt=2)
    await session.finish(lease, turn_id)
    item = await session.submit()
    assert await session.start(lease, item.message.message_id, attempt=1) is Started.STARTED


async def test_nothing_is_written_for_a_turn_that_is_over(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    await session.submit("next")
    await session.finish(lease, turn_id)
    before = await session.events()
    for write in (
        lambda: session.say(lease, turn_id, "x"),
        lambda: session.finish(lease, turn_id),
        lambda: session.start(lease, turn_id, 2),
    ):
        with pytest.raises(TurnOver):
            await write()
    assert await session.events() == before


async def test_finish_ends_a_turn_once_and_in_one_step(session: OneSession) -> None:
    """Last event, `turn_finished`, inbox and history change together; a retry hears the same."""
    first, second = await session.submit("one"), await session.submit("two")
    turn_id = first.message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    batch = lease.next_batch()
    events = [session.said(turn_id, "all", streaming=False)]

    async def finish() -> None:
        await lease.finish(batch, turn_id, events, [], Ending(history=b'["all"]'))

    await finish()
    await finish()
    assert await session.waiting() == [second.message.message_id]
    assert (await session.kinds()).count("assistant") == 1
    turn = await lease.peek()
    assert turn is not None
    assert turn.history == b'["all"]'
    assert await session.inbox.enqueue(first.message, first.entry_id) is Enqueued.LEFT


async def test_a_finish_without_history_keeps_the_old_one(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    await session.finish(lease, turn_id, ending=Ending(history=b"old"))
    item = await session.submit()
    await session.start(lease, item.message.message_id)
    await session.finish(lease, item.message.message_id)
    assert await session.client.get(session.keys.history) == b"old"


async def test_the_final_text_takes_its_deltas_out_of_the_log(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    deltas = await session.say(lease, turn_id, "a", "b", "c")
    final = session.said(turn_id, "abc", streaming=False)
    last = await lease.append(lease.next_batch(), turn_id, [final], deltas)
    assert last == Position(deltas[-1].epoch, deltas[-1].seq + 1), "a hole keeps its number"
    assert await session.kinds() == ["message", "turn_started", "assistant"]
    assert "trimmed" not in await session.meta(), "nothing is missing"


async def test_finish_takes_out_the_deltas_of_every_attempt(session: OneSession) -> None:
    lease, turn_id = await begun(session)
    lost = await session.say(lease, turn_id, "lost", "text")
    lease = await session.take_over()
    await session.start(lease, turn_id, attempt=2)
    own = await session.say(lease, turn_id, "own")
    await session.finish(lease, turn_id, "whole", remove=lost + own)
    assert await session.kinds() == [
        *("message", "turn_started", "turn_started", "assistant", "turn_finished")
    ]


@pytest.mark.parametrize("write", ["append", "finish"])
async def test_of_two_copies_that_arrive_together_one_is_written(
    session: OneSession, write: str
) -> None:
    lease, turn_id = await begun(session)
    batch = lease.next_batch()
    events = [session.said(turn_id, "once", streaming=False)]

    def copy() -> Awaitable[Position | None]:
        if write == "append":
            return lease.append(batch, turn_id, events, [])
        return lease.finish(batch, turn_id, events, [], Ending())

    one, other = await asyncio.gather(copy(), copy())
    assert one == other
    assert (await session.kinds()).count("assistant") == 1
