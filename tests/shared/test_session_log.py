"""The session log: what was appended, in order, once; and what was published is the same."""

import json

import pytest

from shared.errors import NotALog
from shared.ids import Position, SessionId, parse_position
from shared.protocol import with_position
from shared.redis_client import Redis
from tests.shared.one_session import OneSession, a_namespace


async def a_conversation(session: OneSession, turns: int = 1) -> None:
    """Turns with deltas that finish leaves in the log: four events and one piece each."""
    for _ in range(turns):
        turn_id = (await session.submit()).message.message_id
        lease = await session.take_over()
        await session.start(lease, turn_id)
        await session.say(lease, turn_id, "piece")
        await session.finish(lease, turn_id)


async def test_a_log_that_does_not_exist_is_empty_and_stays_so(session: OneSession) -> None:
    page = await session.log.read_after(session.id, None, 10)
    assert (list(page.entries), page.head, page.trimmed, page.is_last) == ([], None, None, True)
    assert await session.log.read_heads([session.id]) == {session.id: None}
    assert await session.expiries() == {}


async def test_the_channel_carries_what_the_log_holds_with_the_position_in_front(
    session: OneSession,
) -> None:
    async with session.listening() as texts:
        await a_conversation(session)
    page = await session.log.read_after(session.id, None, 100)
    assert texts == [with_position(entry.position, entry.stored) for entry in page.entries]
    assert all(text.startswith(f'{{"id":"{json.loads(text)["id"]}","type":"') for text in texts)
    assert len(texts) == 5


async def test_reading_goes_on_after_a_position_in_pages(session: OneSession) -> None:
    await a_conversation(session, turns=2)
    read: list[Position] = []
    after: Position | None = None
    while True:
        page = await session.log.read_after(session.id, after, 3)
        read += [entry.position for entry in page.entries]
        after = read[-1]
        if page.is_last:
            break
    assert [place.seq for place in read] == list(range(1, 11))
    assert page.head == read[-1]
    other = SessionId("other")
    heads = await session.log.read_heads([session.id, other])
    assert heads == {session.id: page.head, other: None}
    beyond = await session.log.read_after(session.id, page.head, 3)
    assert (list(beyond.entries), beyond.is_last, beyond.head) == ([], True, page.head)


async def test_compaction_leaves_holes_and_no_mark(session: OneSession) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    pieces = await session.say(lease, turn_id, "a", "b")
    await session.finish(lease, turn_id, remove=pieces)
    page = await session.log.read_after(session.id, None, 100)
    assert [entry.position.seq for entry in page.entries] == [1, 2, 5, 6]
    assert page.trimmed is None
    after_a_hole = await session.log.read_after(session.id, pieces[0], 100)
    assert [entry.position.seq for entry in after_a_hole.entries] == [5, 6]


async def test_the_head_stays_when_its_own_entry_leaves_the_log(session: OneSession) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    (piece,) = await session.say(lease, turn_id, "a")
    await session.client.xdel(session.keys.log, str(piece))
    page = await session.log.read_after(session.id, None, 100)
    assert page.head == piece
    (following,) = await session.say(lease, turn_id, "b")
    assert following.is_next_after(piece)


async def test_trimming_for_size_is_recorded(client: Redis) -> None:
    """Something is missing there, and whoever reads from before the mark must be told."""
    session = OneSession(client, a_namespace(), log_max_events=4)
    await a_conversation(session)  # five events
    page = await session.log.read_after(session.id, None, 100)
    assert [entry.position.seq for entry in page.entries] == [2, 3, 4, 5]
    assert page.trimmed is not None
    assert page.trimmed.seq == 1
    await a_conversation(session)
    page = await session.log.read_after(session.id, None, 100)
    assert [entry.position.seq for entry in page.entries] == [7, 8, 9, 10]
    assert page.trimmed == Position(page.entries[0].position.epoch, 6)
    await client.delete(session.deployment.turns())


async def test_deltas_on_their_way_out_do_not_push_the_conversation_out(client: Redis) -> None:
    """Room is made by what leaves anyway, before anything is trimmed for size."""
    session = OneSession(client, a_namespace(), log_max_events=6)
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    pieces = await session.say(lease, turn_id, "a", "b", "c", "d")
    await session.finish(lease, turn_id, "abcd", remove=pieces)
    assert await session.kinds() == ["message", "turn_started", "assistant", "turn_finished"]
    assert (await session.log.read_after(session.id, None, 100)).trimmed is None
    await client.delete(session.deployment.turns())


async def test_a_whole_batch_beyond_the_size_keeps_its_end(client: Redis) -> None:
    session = OneSession(client, a_namespace(), log_max_events=2)
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    places = await session.say(lease, turn_id, *"abcdef")
    page = await session.log.read_after(session.id, None, 100)
    assert [entry.position for entry in page.entries] == places[-2:]
    assert page.trimmed == places[-3]
    await client.delete(session.deployment.turns())


async def test_a_log_of_another_server_goes_on_in_a_new_epoch(session: OneSession) -> None:
    """Whoever appends first decides it, inside the script: numbers begin at 1 again, and what was
    there stays, before what comes."""
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    await session.client.hset(session.keys.meta, "life", "another")
    await session.say(lease, turn_id, "a", "b")
    await session.finish(lease, turn_id)
    places = [parse_position(event["id"]) for event in await session.events()]
    assert [place.seq for place in places] == [1, 2, 1, 2, 3, 4]
    assert len({place.epoch for place in places}) == 2
    assert places == sorted(places)


async def test_an_epoch_is_above_the_last_even_where_the_clock_is_behind(
    session: OneSession,
) -> None:
    await session.submit()
    ahead = int((await session.meta())["epoch"]) + 10**12
    await session.client.delete(session.keys.log)
    await session.client.hset(session.keys.meta, mapping={"epoch": ahead, "life": "another"})
    await session.submit()
    assert (await session.events())[-1]["id"] == f"{ahead + 1}-1"


async def test_an_epoch_is_exact_as_a_double(session: OneSession) -> None:
    """Lua and JavaScript count in doubles; a rounded epoch would be another one."""
    await session.submit()
    largest = 2**53 - 2
    await session.client.delete(session.keys.log)
    await session.client.hset(session.keys.meta, mapping={"epoch": largest - 1, "life": "another"})
    await session.submit()
    page = await session.log.read_after(session.id, None, 10)
    assert page.head == Position(largest, 1)


@pytest.mark.parametrize(
    "fields", [{"event": "hello"}, {"other": '{"type":"x"}'}, {"a": 1, "b": 2}]
)
async def test_entries_that_are_no_events_of_ours_are_told_apart(
    session: OneSession, fields: dict[str, str | int]
) -> None:
    """Somebody else wrote there: that is no log, and no frame is made of it."""
    await session.client.xadd(session.keys.log, fields, id="1-1")
    await session.client.expire(session.keys.log, 60)
    with pytest.raises(NotALog):
        await session.log.read_after(session.id, None, 10)


async def test_keys_of_another_type_are_no_log(session: OneSession) -> None:
    in_a_minute = (await session.client.time())[0] + 60
    await session.client.set(session.keys.log, "text", exat=in_a_minute)
    await session.client.set(session.keys.meta, "text", exat=in_a_minute)
    with pytest.raises(NotALog):
        await session.log.read_after(session.id, None, 10)
    assert await session.log.read_heads([session.id]) == {session.id: None}


async def test_heads_of_logs_that_are_none_of_ours_are_none(session: OneSession) -> None:
    """One session's foreign keys do not keep the other sessions' heads away."""
    await session.submit()
    bad, worse = SessionId("bad"), SessionId("worse")
    await session.client.set(session.deployment.session(bad).meta, "x", ex=60)
    await session.client.hset(session.deployment.session(worse).meta, "epoch", "x")
    await session.client.hset(session.deployment.session(worse).meta, "head", "y")
    await session.client.expire(session.deployment.session(worse).meta, 60)
    heads = await session.log.read_heads([bad, session.id, worse])
    assert heads[bad] is None
    assert heads[session.id] is not None
    assert heads[worse] is None


async def test_a_page_is_bounded_in_bytes_and_a_bigger_event_comes_alone(
    session: OneSession,
) -> None:
    turn_id = (await session.submit()).message.message_id
    lease = await session.acquire()
    await session.start(lease, turn_id)
    await session.say(lease, turn_id, "a", "b" * 5000, "c", "d" * 1500, "e" * 1500)
    read: list[list[int]] = []
    after: Position | None = None
    while True:
        page = await session.log.read_after(session.id, after, 100, 3000)
        read.append([entry.position.seq for entry in page.entries])
        after = page.entries[-1].position
        if page.is_last:
            break
    assert read == [[1, 2, 3], [4], [5, 6], [7]]


@pytest.mark.parametrize("gone", ["epoch", "head"])
async def test_a_log_that_misses_a_part_of_its_meta_is_read_to_its_end(
    session: OneSession, gone: str
) -> None:
    """A reading that never came to its end went round without a pause."""
    await session.submit()
    await session.client.hdel(session.keys.meta, gone)
    page = await session.log.read_after(session.id, None, 10)
    assert page.is_last
    assert page.head == page.entries[-1].position


async def test_a_log_whose_meta_was_removed_is_judged_by_its_last_entry(
    session: OneSession,
) -> None:
    """What is written next begins an epoch."""
    await session.submit()
    await session.submit()
    before = await session.log.read_after(session.id, None, 10)
    await session.client.delete(session.keys.meta)
    assert await session.log.read_after(session.id, None, 10) == before
    assert (await session.log.read_after(session.id, None, 1)).is_last is False
    await session.submit()
    page = await session.log.read_after(session.id, None, 10)
    assert [entry.position.seq for entry in page.entries] == [1, 2, 1]
    assert page.head == page.entries[-1].position
