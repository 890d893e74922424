"""What a gateway counts of its tabs, and how it can be asked for it."""

import random
import socket
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta

from dev.embedded_redis import free_port
from shared.background import run_in_background
from shared.protocol import format_timestamp
from tests.gateway.fake_socket import FakeSocket
from tests.gateway.manager_bench import Bench
from tests.gateway.raw_tab import a_session
from tests.gateway.several_workers import TABS, open_tabs, start, start_two
from tests.support.deployment import Deployment
from tests.support.eventually import eventually
from tests.support.scrape import scrape

LONG_AGO = 3600
TIMED = "event_to_socket_seconds"
NOT_EPHEMERAL = range(10_000, 30_000)
"""Ports that no connection takes by itself."""


def two_free_ports() -> int:
    """The first of two neighbours that nobody has."""
    while True:
        first = random.choice(NOT_EPHEMERAL)
        with socket.socket() as one, socket.socket() as other, suppress(OSError):
            one.bind(("127.0.0.1", first))
            other.bind(("127.0.0.1", first + 1))
            return first


async def until_looked_at(bench: Bench, socket: FakeSocket) -> None:
    """Let the loop that looks after all tabs come by: it gives a silent one a heartbeat."""
    async with run_in_background(bench.manager.send_heartbeats()):
        await eventually(lambda: socket.frames[-1]["type"] == "heartbeat", "it has come by")


async def test_one_event_is_timed_and_no_more_until_the_loop_comes_by_again(bench: Bench) -> None:
    """A clock for each event would cost more than its delivery."""
    socket, _ = await bench.live()
    bench.hear(await bench.say("nobody has asked yet"))
    assert bench.sample(f"{TIMED}_count") == 0
    for count in (1, 2):
        await until_looked_at(bench, socket)
        for number in range(5):
            bench.hear(await bench.say(f"message {number}"))
        assert bench.sample(f"{TIMED}_count") == count


async def test_an_event_s_age_is_taken_from_its_own_timestamp(bench: Bench) -> None:
    socket, _ = await bench.live()
    await until_looked_at(bench, socket)
    written = datetime.now(UTC) - timedelta(seconds=LONG_AGO)
    bench.hear(await bench.say("late", format_timestamp(written)))
    assert LONG_AGO <= bench.sample(f"{TIMED}_sum") < LONG_AGO + 60


async def test_a_clock_that_is_ahead_makes_no_event_arrive_before_it_was_written(
    bench: Bench,
) -> None:
    socket, _ = await bench.live()
    await until_looked_at(bench, socket)
    written = datetime.now(UTC) + timedelta(seconds=LONG_AGO)
    bench.hear(await bench.say("early", format_timestamp(written)))
    assert (bench.sample(f"{TIMED}_count"), bench.sample(f"{TIMED}_sum")) == (1, 0)


async def test_what_is_given_to_nobody_is_not_timed(bench: Bench) -> None:
    """Garbage, a text of a session that nobody follows, one that has a gap before it; the next that
    is given is."""
    socket, _ = await bench.live()
    await until_looked_at(bench, socket)
    bench.hear(b"x" * 100)
    bench.manager.on_batch({b"session:{nobody}": [b'{"id":"1-1"}']})
    await bench.say("lost")
    bench.hear(await bench.say("after a gap"))
    assert bench.sample(f"{TIMED}_count") == 0
    await eventually(lambda: socket.contents[-1:] == ["after a gap"], "the gap was read")
    bench.hear(await bench.say("given"))
    assert bench.sample(f"{TIMED}_count") == 1


async def test_a_tab_that_takes_nothing_is_behind_until_it_has_caught_up(bench: Bench) -> None:
    """Its length is counted in frames and in seconds."""
    socket, tab = await bench.live()
    frames, times = bench.sample("catch_up_frames_total"), bench.sample("catch_ups_total")
    socket.room, socket.waiting = 1, 1
    for number in range(9):
        bench.hear(await bench.say(f"message {number}"))
    async with run_in_background(bench.manager.send_heartbeats()):
        await eventually(lambda: bench.sample("tabs_behind") == 1, "it is counted as behind")
        socket.room = 1_000_000
        socket.drain()
        bench.manager.on_drained(tab)
        await eventually(lambda: bench.sample("tabs_behind") == 0, "it has caught up")
    assert bench.sample("catch_up_frames_total") - frames == 9
    assert bench.sample("catch_ups_total") - times == 1
    assert bench.sample("catch_up_seconds_count") == 2  # the first load is one, too


async def test_every_process_of_several_has_a_metrics_port_of_its_own(
    own_edge: Deployment,
) -> None:
    """METRICS_PORT and those after it; at the common port one of them answers by chance."""
    first = two_free_ports()
    gateway = await start_two(own_edge, metrics_port=first)
    async with AsyncExitStack() as stack:
        await open_tabs(stack, gateway, a_session())
        shares = [(await scrape(first + number)).value("fanline_tabs") for number in range(2)]
    assert sum(shares) == TABS
    assert all(0 < share < TABS for share in shares)


async def test_a_metrics_port_that_somebody_has_is_told_in_a_sentence(
    own_edge: Deployment,
) -> None:
    taken = free_port()
    await own_edge.start_gateway(metrics_port=taken)
    late = await start(own_edge, metrics_port=taken)
    assert await late.process.wait() == 1
    sentence = f"cannot serve metrics on 127.0.0.1, port {taken}: Address already in use"
    assert late.log().count(sentence) == 1
    assert "Traceback" not in late.log()


async def test_ports_that_do_not_exist_are_refused_at_the_start(own_edge: Deployment) -> None:
    late = await start(own_edge, metrics_port=65_535)
    assert await late.process.wait() == 1
    assert "settings: METRICS_PORT: 2 processes would need ports above 65535" in late.log()
