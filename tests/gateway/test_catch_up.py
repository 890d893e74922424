"""Catching up: whatever a tab has missed, it is the same read of the log."""

import asyncio
from typing import Any, cast

from gateway.catch_up import CatchUp, FollowedSession
from gateway.follower import Follower
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.background import run_in_background
from shared.ids import Position, SessionId, parse_position
from shared.session_log import LogPage, SessionLog
from tests.gateway.fake_socket import FakeSocket
from tests.gateway.manager_bench import Bench
from tests.gateway.raw_tab import a_session
from tests.support.eventually import eventually


async def test_a_lost_last_text_is_found_by_the_comparison_of_heads(bench: Bench) -> None:
    """It reveals no gap."""
    socket, _ = await bench.opened()
    await bench.say("one")
    async with run_in_background(bench.manager.compare_heads()):
        await eventually(lambda: socket.contents == ["one"], "the tab has the lost text")
    assert socket.statuses == ["connected"]


async def test_pages_bring_any_number_of_tabs_to_the_live_tail(bench: Bench) -> None:
    """One read serves tabs at different places, each from its own cursor."""
    contents = [f"message {number}" for number in range(10)]
    for content in contents:
        await bench.say(content)
    ids = await bench.writer.positions(bench.session_id)
    tabs = [bench.open(), bench.open(ids[3]), bench.open(ids[6]), bench.open(ids[9])]
    await eventually(lambda: not any(t.follower.reading for _, t in tabs), "all are live")
    for (socket, _), seen in zip(tabs, (0, 4, 7, 10), strict=True):
        assert socket.contents == contents[seen:]
        assert socket.frames[0]["resumed"] is (seen > 0)


async def test_a_slow_tab_is_behind_and_costs_nothing(bench: Bench) -> None:
    """Its buffer holds no more than its room and a page, however much is said; it catches up."""
    slow, tab = bench.open(room=3)
    quick, _ = await bench.opened()
    contents = [f"message {number}" for number in range(30)]
    for content in contents:
        bench.hear(await bench.say(content))
    assert quick.contents == contents
    assert slow.waiting <= 3 + 4

    def takes_what_it_can() -> bool:
        slow.drain()
        bench.manager.on_drained(tab)
        return slow.contents == contents

    await eventually(takes_what_it_can, "the slow tab has everything")
    assert slow.statuses == ["connected"]


async def test_a_log_that_is_gone_resets_the_open_tab(bench: Bench) -> None:
    socket, _ = await bench.live()
    bench.hear(await bench.say("one"))
    keys = bench.writer.keys.session(bench.session_id)
    await bench.writer.client.delete(keys.log, keys.meta)
    async with run_in_background(bench.manager.compare_heads()):
        await eventually(lambda: len(socket.statuses) == 3, "the tab is told")
    last = [frame for frame in socket.frames if frame["type"] == "connection"][-1]
    assert (last["status"], last["reset"], last["head"]) == ("connected", True, None)


async def test_a_reset_in_the_midst_of_a_log_begins_it_anew(bench: Bench) -> None:
    """A cursor ahead of the head: `reset`, and everything from the beginning, once."""
    contents = [f"message {number}" for number in range(10)]
    for content in contents:
        await bench.say(content)
    ids = await bench.writer.positions(bench.session_id)
    epoch = parse_position(ids[0]).epoch
    socket, _ = await bench.opened(str(Position(epoch, 11)))
    assert socket.frames[0]["reset"] is True
    assert socket.contents == contents
    assert socket.statuses == ["connected"]


async def test_a_tab_is_told_of_an_epoch_before_it_is_led_into_it(bench: Bench) -> None:
    """It was told `reset` with a head of the older epoch; the next begins before the log is read
    from its beginning. A client accepts a step of epoch up to the head that it was told."""
    contents = [f"message {number}" for number in range(4)]
    for content in contents:
        await bench.say(content)
    meta = bench.writer.keys.session(bench.session_id).meta
    read_after, reads = bench.log.read_after, 0

    async def read_and_restart(*arguments: Any) -> LogPage:
        nonlocal reads
        page = await read_after(*arguments)
        reads += 1
        if reads == 1:
            await bench.writer.client.hset(meta, "life", "another")
            await bench.say("in another life")
        return page

    bench.log.read_after = read_and_restart  # type: ignore[method-assign]
    ids = await bench.writer.positions(bench.session_id)
    socket, _ = await bench.opened(str(Position(parse_position(ids[0]).epoch, 11)))
    assert socket.contents == [*contents, "in another life"]
    told: Position | None = None
    cursor: Position | None = None
    for frame in socket.frames:
        if frame["type"] == "connection":
            told = parse_position(frame["head"])
            continue
        place = parse_position(frame["id"])
        assert told is not None
        assert cursor is None or place.epoch == cursor.epoch or place <= told
        cursor = place


async def test_a_key_that_holds_no_log_harms_nobody_else(bench: Bench) -> None:
    """Somebody put something else under a session's keys: its tab waits, others go on, and it is
    served when the key is well."""
    keys = bench.writer.keys.session(bench.session_id)
    await bench.writer.client.set(keys.log, "not a log", ex=60)
    socket, _ = bench.open()
    other = FakeSocket()
    async with run_in_background(bench.manager.compare_heads()):
        tab = bench.manager.connect(other, SessionId(a_session()), None, asked=False)
        await eventually(lambda: not tab.follower.reading, "the other tab is live")
        await eventually(lambda: bench.sample("broken_logs_total") > 0, "it is counted")
        assert "connected" not in socket.statuses
        await bench.writer.client.delete(keys.log)
        await eventually(lambda: "connected" in socket.statuses, "the tab is served")


async def test_a_tab_that_leaves_while_its_log_is_read_leaves_no_task(bench: Bench) -> None:
    for number in range(20):
        await bench.say(f"message {number}")
    socket, tab = bench.open()
    bench.manager.disconnect(tab)
    await eventually(lambda: bench.manager.session_count() == 0, "the session is left")

    def no_reader() -> bool:
        return not [task for task in asyncio.all_tasks() if bench.session_id in task.get_name()]

    await eventually(no_reader, "no task reads for it")
    assert socket.frames == [] or socket.statuses == ["connected"]


class LogThatNotes:
    """A log that notes when it is read."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    async def read_after(self, *_: object) -> LogPage:
        self._notes.append("read")
        return LogPage([], None, None, is_last=True)


async def test_a_channel_is_subscribed_before_its_log_is_read(bench: Bench) -> None:
    """The other way round, an event appended between the two would reach neither."""
    notes: list[str] = []

    async def subscribe(channel: str) -> None:
        await asyncio.sleep(0)
        notes.append("subscribed")

    log = cast(SessionLog, LogThatNotes(notes))
    catch_up = CatchUp(log, subscribe, GatewaySettings(), bench.metrics)
    session = FollowedSession(bench.session_id, "channel")
    tab = Tab(FakeSocket(), bench.session_id, Follower(None), asked=False)
    session.tabs.add(tab)
    catch_up.request(session)
    await eventually(lambda: not tab.follower.reading, "the log was read")
    assert notes == ["subscribed", "read"]


async def test_a_piece_of_text_that_nobody_can_read_stops_its_session_loudly_and_loses_nothing(
    bench: Bench,
) -> None:
    """Somebody has put it into the log by hand: the tab is given all of it once it is gone."""
    await bench.say("before")
    ids = await bench.writer.positions(bench.session_id)
    epoch, seq = ids[-1].split("-")
    keys = bench.writer.keys.session(bench.session_id)
    bad = f"{epoch}-{int(seq) + 1}"
    await bench.writer.client.xadd(keys.log, {"event": '{"type":"assistant","x":'}, id=bad)
    socket, _ = bench.open()
    await eventually(lambda: bench.sample("broken_logs_total") > 0, "it is counted")
    assert socket.contents == []
    await bench.writer.client.xdel(keys.log, bad)
    await eventually(lambda: socket.contents == ["before"], "the tab has what is there")
