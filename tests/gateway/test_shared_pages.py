"""When many tabs come back at once, what was read for one serves the others."""

import asyncio
from typing import cast

from gateway.catch_up import READS_AT_ONCE, CatchUp, FollowedSession
from gateway.follower import Follower
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.ids import Position, SessionId, parse_position
from shared.session_log import LogPage, SessionLog
from tests.gateway.fake_socket import FakeSocket
from tests.gateway.log_writer import LogWriter
from tests.gateway.manager_bench import SETTINGS, Bench, build_bench
from tests.support.eventually import eventually


async def test_who_comes_while_nothing_is_said_costs_no_read(writer: LogWriter) -> None:
    """Thousands may come back at once; each is told what the first one's read has told."""
    bench = build_bench(writer, heads_seconds=60)
    for content in ("one", "two", "three"):
        await bench.say(content)
    ids = await bench.writer.positions(bench.session_id)
    await bench.opened()
    pages = bench.sample("log_pages_total")
    for cursor, contents in (
        (None, ["one", "two", "three"]),
        (ids[0], ["two", "three"]),
        (ids[2], []),
    ):
        socket, tab = bench.open(cursor)
        assert not tab.follower.reading
        assert socket.contents == contents
        assert (socket.frames[0]["head"], socket.frames[0]["reset"]) == (ids[2], False)
        assert socket.frames[0]["resumed"] is (cursor is not None)
    assert bench.sample("log_pages_total") == pages


async def test_what_was_read_is_not_given_to_who_comes_after_something_was_heard(
    bench: Bench,
) -> None:
    await bench.live()
    one, two = await bench.say("one"), await bench.say("two")
    bench.hear(one, two)
    socket, tab = bench.open()
    assert tab.follower.reading
    await eventually(lambda: socket.contents == ["hello", "one", "two"], "it was read again")


async def test_what_was_read_is_not_given_for_longer_than_an_open_tab_may_be_wrong(
    bench: Bench,
) -> None:
    """As long as heads are compared: a last text may have been lost."""
    await bench.live()
    await bench.say("lost")
    await asyncio.sleep(2 * SETTINGS["heads_seconds"])
    _, tab = bench.open()
    assert tab.follower.reading


async def test_a_bad_cursor_is_judged_by_a_read_of_its_own(bench: Bench) -> None:
    """It may be good: what another gateway has delivered may not have been heard here yet."""
    await bench.live()
    await bench.say("heard elsewhere")
    ids = await bench.writer.positions(bench.session_id)
    socket, _ = await bench.opened(ids[-1])
    assert (socket.frames[0]["resumed"], socket.frames[0]["reset"]) == (True, False)


async def test_a_tab_that_knows_more_than_a_read_under_way_is_not_reset(bench: Bench) -> None:
    """Another gateway has given it what was written after this one had asked."""
    await bench.say("one")
    log = HeldLog(bench.log)
    settings = GatewaySettings()
    catch_up = CatchUp(cast(SessionLog, log), no_subscription, settings, bench.metrics)
    session = FollowedSession(bench.session_id, "channel")
    session.tabs.add(Tab(FakeSocket(), bench.session_id, Follower(None), asked=False))
    catch_up.request(session)
    await log.was_read.wait()
    await bench.say("two")
    cursor = parse_position((await bench.writer.positions(bench.session_id))[-1])
    socket = FakeSocket()
    back = Tab(socket, bench.session_id, Follower(cursor), asked=True)
    session.tabs.add(back)
    catch_up.request(session)
    log.go_on.set()
    await eventually(lambda: not back.follower.reading, "the tab is live")
    assert (socket.frames[0]["resumed"], socket.frames[0]["reset"]) == (True, False)
    assert socket.contents == []


async def test_reads_of_many_sessions_take_turns(bench: Bench) -> None:
    """Each takes a connection to Redis, and what tabs say takes one too."""
    log = HeldLog(bench.log)
    catch_up = CatchUp(cast(SessionLog, log), no_subscription, GatewaySettings(), bench.metrics)
    tabs = [Tab(FakeSocket(), SessionId(f"s{n}"), Follower(None), asked=False) for n in range(200)]
    for tab in tabs:
        session = FollowedSession(tab.session_id, "channel")
        session.tabs.add(tab)
        catch_up.request(session)
    await eventually(lambda: log.waiting == READS_AT_ONCE, "as many as may are under way")
    log.go_on.set()
    await eventually(lambda: not any(tab.follower.reading for tab in tabs), "all were read")
    assert log.most_waiting == READS_AT_ONCE


class HeldLog:
    """A log whose answers arrive only when the test says so; as they were when it was asked."""

    def __init__(self, log: SessionLog) -> None:
        self._log = log
        self.was_read, self.go_on = asyncio.Event(), asyncio.Event()
        self.waiting = self.most_waiting = 0

    async def read_after(
        self, session_id: SessionId, position: Position | None, *bounds: int
    ) -> LogPage:
        page = await self._log.read_after(session_id, position, *bounds)
        self.was_read.set()
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await self.go_on.wait()
        self.waiting -= 1
        return page


async def no_subscription(channel: str) -> None:
    """Nothing comes on it."""
