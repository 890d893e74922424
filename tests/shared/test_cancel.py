"""Cancelling: a waiting turn ends at once, a running one by its worker; each ends once."""

from shared.ids import make_turn_id
from shared.inbox import Enqueued, decode_item
from shared.lease import Ending, Started
from tests.shared.one_session import OneSession


async def test_a_waiting_turn_is_cancelled_at_once(session: OneSession) -> None:
    """It leaves the inbox, gets its `turn_finished`, and its entry may be acknowledged."""
    first, second = await session.submit("one"), await session.submit("two")
    assert await session.cancel(second.message.message_id) == "cancelled"
    assert await session.waiting() == [first.message.message_id]
    events = await session.events()
    assert [event["type"] for event in events] == ["message", "message", "turn_finished"]
    assert events[-1]["turn_id"] == second.message.message_id
    assert events[-1]["status"] == "cancelled"
    assert await session.inbox.enqueue(second.message, second.entry_id) is Enqueued.LEFT


async def test_a_repeated_cancel_is_told_the_same_and_writes_nothing(session: OneSession) -> None:
    item = await session.submit()
    first = await session.cancel(item.message.message_id)
    assert await session.cancel(item.message.message_id) == first
    assert (await session.kinds()).count("turn_finished") == 1


async def test_a_repeated_cancel_is_told_the_same_also_after_another_cancel(
    session: OneSession,
) -> None:
    """Two waiting turns are stopped, and the answer to the first is lost."""
    first, second = await session.submit("one"), await session.submit("two")
    for item in (first, second, first, second):
        assert await session.cancel(item.message.message_id) == "cancelled"
    assert (await session.kinds()).count("turn_finished") == 2


async def test_what_was_cancelled_is_remembered_within_bounds(session: OneSession) -> None:
    cancelled = [(await session.submit(str(n))).message.message_id for n in range(150)]
    for turn_id in cancelled:
        await session.cancel(turn_id)
    assert len((await session.meta())["cancelled"]) <= 4096
    told = [await session.cancel(turn_id) for turn_id in cancelled]
    assert told[-100:] == ["cancelled"] * 100
    assert told[0] == "unknown"


async def test_a_head_that_waits_is_refused_to_the_worker_that_comes_to_start_it(
    session: OneSession,
) -> None:
    """A turn waits until its first start, even when a worker holds the lease already."""
    first, second = await session.submit("one"), await session.submit("two")
    lease = await session.acquire()
    assert await session.cancel(first.message.message_id) == "cancelled"
    turn = await lease.peek()
    assert turn is not None
    assert turn.item == second
    assert turn.unheard.decode().count("\n") == 1


async def test_a_running_turn_is_flagged_and_its_worker_woken(session: OneSession) -> None:
    item = await session.submit()
    turn_id = item.message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    async with session.client.pubsub() as pubsub:
        await pubsub.subscribe(session.keys.control)
        await pubsub.get_message(timeout=5)
        assert await session.cancel(turn_id) == "flagged"
        woken = await pubsub.get_message(timeout=5)
    assert woken["data"] == f"cancel {turn_id}".encode()
    assert await lease.renew(turn_id), "the durable half: the next renewal sees it"
    assert "turn_finished" not in await session.kinds()
    await session.finish(lease, turn_id)
    assert not await session.client.exists(session.keys.cancel), "the flag leaves with its turn"
    assert await session.cancel(turn_id) == "unknown"


async def test_a_turn_whose_worker_died_is_flagged_for_the_one_that_takes_it_over(
    session: OneSession,
) -> None:
    item = await session.submit()
    turn_id = item.message.message_id
    await session.start(await session.acquire(), turn_id)
    second = await session.take_over()
    assert await session.cancel(turn_id) == "flagged"
    assert await session.start(second, turn_id, attempt=2) is Started.CANCELLED
    await session.finish(second, turn_id)
    assert (await session.kinds()).count("turn_finished") == 1


async def test_a_turn_nobody_knows_is_unknown_and_leaves_nothing(session: OneSession) -> None:
    assert await session.cancel(make_turn_id()) == "unknown"
    assert await session.expiries() == {}


async def test_what_was_cancelled_unheard_is_kept_until_a_history_holds_it(
    session: OneSession,
) -> None:
    """A cancelled message stays in the model's history; a failed turn takes none of it away."""
    first = await session.submit("never heard")
    await session.cancel(first.message.message_id)
    second = await session.submit("two")
    lease = await session.acquire()
    peeked = await lease.peek()
    assert peeked is not None
    third = await session.submit("cancelled meanwhile")
    await session.cancel(third.message.message_id)

    await session.start(lease, second.message.message_id)
    ending = Ending(history=b"[two]", heard=peeked.unheard_end)
    await session.finish(lease, second.message.message_id, ending=ending)
    fourth = await session.submit("four")
    turn = await lease.peek()
    assert turn is not None
    assert turn.history == b"[two]"
    (left,) = turn.unheard.splitlines()
    assert decode_item(session.id, left) == third

    await session.start(lease, fourth.message.message_id)
    await session.finish(lease, fourth.message.message_id, ending=Ending())
    await session.submit("five")
    after_failure = await lease.peek()
    assert after_failure is not None
    assert (after_failure.history, after_failure.unheard) == (turn.history, turn.unheard)


async def test_a_history_may_hold_unheard_messages_that_a_snapshot_forgot(
    session: OneSession,
) -> None:
    """The turn ends all the same, whole: a script that broke off would have done half of it."""
    item = await session.submit()
    lease = await session.acquire()
    await session.start(lease, item.message.message_id)
    snapshot = await session.client.dump(session.keys.meta)
    await session.cancel((await session.submit("heard")).message.message_id)
    turn = await lease.peek()
    assert turn is not None
    await session.client.restore(session.keys.meta, 600_000, snapshot, replace=True)
    await session.client.delete(session.keys.log)  # its last number is of the forgotten time
    ending = Ending(history=b"[heard]", heard=turn.unheard_end)
    await session.finish(lease, item.message.message_id, ending=ending)

    await session.cancel((await session.submit("after")).message.message_id)
    await session.submit()
    turn = await lease.peek()
    assert turn is not None
    (left,) = turn.unheard.splitlines()
    assert decode_item(session.id, left).message.content == "after"


async def test_unheard_messages_are_bounded_and_the_oldest_go_first(session: OneSession) -> None:
    """Somebody who sends and cancels while a turn runs would fill the memory otherwise."""
    running = await session.submit()
    lease = await session.acquire()
    await session.start(lease, running.message.message_id)
    texts = [f"{number} " + "x" * 300_000 for number in range(6)]
    for text in texts:
        await session.cancel((await session.submit(text)).message.message_id)
    turn = await lease.peek()
    assert turn is not None
    assert len(turn.unheard) <= 1_048_576
    kept = [decode_item(session.id, line).message.content for line in turn.unheard.splitlines()]
    assert kept == texts[-len(kept) :]
    assert len(kept) == 3
    ending = Ending(history=b"[]", heard=turn.unheard_end)
    await session.finish(lease, running.message.message_id, ending=ending)
    await session.submit()
    turn = await lease.peek()
    assert turn is not None
    assert turn.unheard == b""
