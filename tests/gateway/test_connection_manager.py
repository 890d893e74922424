"""Who follows what: tabs come and go, live texts reach them, and they are told how things stand."""

import asyncio
import json
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.background import run_in_background
from shared.ids import SessionId
from shared.keys import Keys
from shared.protocol import ErrorMessage
from shared.subscription import Subscription
from tests.gateway.fake_socket import FakeSocket
from tests.gateway.log_writer import writing_to
from tests.gateway.manager_bench import Bench, build_bench
from tests.gateway.raw_tab import a_session
from tests.support.eventually import eventually


async def test_the_next_text_is_delivered_without_a_read(bench: Bench) -> None:
    socket, _ = await bench.live()
    pages = bench.sample("log_pages_total")
    bench.hear(await bench.say("one"), await bench.say("two"))
    assert socket.contents == ["hello", "one", "two"]
    assert bench.sample("log_pages_total") == pages


async def test_of_what_one_read_brings_each_tab_gets_what_is_after_its_cursor(bench: Bench) -> None:
    early, _ = await bench.live()
    two = await bench.say("two")
    late, _ = await bench.opened(json.loads(two)["id"])
    bench.hear(two, await bench.say("three"), await bench.say("four"))
    assert early.contents == ["hello", "two", "three", "four"]
    assert late.contents == ["three", "four"]
    assert early.writes[-1].texts == [two, *late.writes[-1].texts], "one write each"


async def test_an_old_text_is_ignored(bench: Bench) -> None:
    socket, _ = await bench.live()
    one = await bench.say("one")
    two = await bench.say("two")
    bench.hear(one, two, one)
    bench.hear(one)
    assert socket.contents == ["hello", "one", "two"]


async def test_a_lost_text_is_read_from_the_log(bench: Bench) -> None:
    """A gap is not an error, it is a read; what comes meanwhile only says *read again*."""
    socket, tab = await bench.live()
    await bench.say("one")
    bench.hear(await bench.say("two"))
    three = await bench.say("three")
    bench.hear(three)
    await eventually(lambda: not tab.follower.reading, "the tab is live again")
    assert socket.contents == ["hello", "one", "two", "three"]
    assert bench.sample("gaps_total") == 1


async def test_a_forged_text_is_taken_back_when_the_true_one_comes(bench: Bench) -> None:
    """It looked exactly like the next: the tab drops what it has, and is given the log."""
    socket, tab = await bench.live()
    one = await bench.say("one")
    bench.hear(one.replace(b'"one"', b'"lie"'))
    assert socket.contents == ["hello", "lie"]
    bench.hear(one)
    await eventually(lambda: not tab.follower.reading, "the tab is live again")
    assert socket.statuses == ["connected", "reconnecting", "connected"]
    assert socket.contents == ["hello", "lie", "hello", "one"]


async def test_what_is_not_ours_moves_no_cursor_and_is_one_line_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    socket, _ = await bench.live()
    one = await bench.say("one")
    other = one.replace(bench.session_id.encode(), b"other")
    bench.hear(b"hello", b"", one[:-3] + b"\xff\xfe}", other, one)
    assert socket.contents == ["hello", "one"]
    assert bench.sample("foreign_texts_total") == 4
    assert caplog.text.count("not ours") == 1


async def test_a_text_for_a_session_that_nobody_has_open_is_nothing(bench: Bench) -> None:
    """R16: the unsubscribe is on its way."""
    bench.hear(await bench.say("one"))
    bench.manager.send_message(
        bench.session_id,
        ErrorMessage(session_id=bench.session_id, code="internal", error="Nobody hears this."),
    )


async def test_redis_lost_and_back_is_told_and_read(bench: Bench) -> None:
    """`reconnecting`, then `connected`, with what was written meanwhile."""
    socket, tab = await bench.opened()
    bench.manager.on_lost()
    bench.manager.on_lost()
    assert socket.statuses == ["connected", "reconnecting"]
    await bench.say("meanwhile")
    bench.manager.on_restored()
    await eventually(lambda: not tab.follower.reading, "the tab is live again")
    assert socket.statuses == ["connected", "reconnecting", "connected"]
    assert socket.frames[2]["reset"] is False
    assert socket.contents == ["meanwhile"]
    assert bench.sample("redis_lost_total") == 2


async def test_a_frame_for_all_tabs_of_a_session_reaches_them_and_nobody_else(
    bench: Bench,
) -> None:
    """R14: `send_message` to one session, `broadcast` to all."""
    one, _ = await bench.opened()
    two, _ = await bench.opened()
    other = FakeSocket()
    tab = bench.manager.connect(other, SessionId(a_session()), None, asked=False)
    await eventually(lambda: not tab.follower.reading, "the other tab is live")
    bench.manager.send_message(
        bench.session_id,
        ErrorMessage(session_id=bench.session_id, code="internal", error="To you two."),
    )
    assert one.frames[-1] == two.frames[-1]
    assert one.frames[-1]["error"] == "To you two."
    assert [frame["type"] for frame in other.frames] == ["connection"]
    bench.manager.broadcast("disconnected")
    assert [s.statuses[-1] for s in (one, two, other)] == ["disconnected"] * 3
    assert len(bench.manager.all_tabs()) == 3


async def test_a_tab_is_forgotten_alone_and_its_session_after_the_linger(bench: Bench) -> None:
    """R14, R15: harmless twice; the other tab of the session stays."""
    _, first = await bench.live()
    stays, second = await bench.opened()
    bench.manager.disconnect(first)
    bench.manager.disconnect(first)
    bench.hear(await bench.say("one"))
    assert stays.contents == ["hello", "one"]
    assert (bench.manager.tab_count(), bench.manager.session_count()) == (1, 1)
    bench.manager.disconnect(second)
    assert bench.manager.session_count() == 1
    await eventually(lambda: bench.manager.session_count() == 0, "the session is left")
    bench.manager.disconnect(second)
    bench.manager.on_drained(second)
    assert bench.sample("tabs") == bench.sample("sessions") == 0


async def test_a_silent_tab_gets_a_heartbeat_and_a_full_one_does_not(bench: Bench) -> None:
    socket, _ = await bench.opened()
    full, tab = bench.open(room=1)
    await eventually(lambda: not tab.follower.reading, "the full tab is live")
    async with run_in_background(bench.manager.send_heartbeats()):
        await eventually(lambda: socket.frames[-1]["type"] == "heartbeat", "a heartbeat comes")
    assert socket.frames[-1]["head"] is None
    assert [frame["type"] for frame in full.frames] == ["connection"]


async def test_the_first_frame_is_never_a_heartbeat(tmp_path: Path) -> None:
    """A tab that opens while the log cannot be read hears nothing before its `connection`."""
    server = EmbeddedRedis(tmp_path)
    async with writing_to(server.url, Keys()) as writer:
        bench = build_bench(writer)
        socket, _ = bench.open()
        manager = bench.manager
        async with (
            run_in_background(manager.send_heartbeats()),
            run_in_background(manager.compare_heads()),
        ):
            await asyncio.to_thread(server.start)
            await eventually(lambda: len(socket.frames) > 1, "two frames have come")
    assert [frame["type"] for frame in socket.frames[:2]] == ["connection", "heartbeat"]
    await asyncio.to_thread(server.stop)


async def test_channels_are_subscribed_before_the_log_is_read_and_left_with_the_last_tab(
    bench: Bench,
) -> None:
    """R22, over a real subscription: live texts come by themselves."""
    subscription = Subscription(bench.writer.client, bench.manager)
    bench.manager.attach(subscription)
    early, early_tab = bench.open()
    assert early.statuses == ["reconnecting"]
    async with run_in_background(subscription.run()):
        await eventually(lambda: not early_tab.follower.reading, "the early tab is live")
        assert early.statuses == ["reconnecting", "connected"]
        _, late_tab = await bench.opened()
        assert await bench.writer.subscribers(bench.session_id) == 1
        await bench.say("live")
        await eventually(lambda: early.contents == ["live"], "it arrives")
        bench.manager.disconnect(early_tab)
        bench.manager.disconnect(late_tab)

        async def is_left() -> bool:
            return await bench.writer.subscribers(bench.session_id) == 0

        await eventually(is_left, "the channel is left")
