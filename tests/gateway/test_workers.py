"""Several gateway processes at one port: to whoever connects they are one gateway."""

import asyncio
import os
import re
import resource
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fanline import Session, connect
from websockets.exceptions import ConnectionClosed

from gateway.doors import open_doors
from tests.gateway.log_writer import LogWriter, writing_to
from tests.gateway.raw_tab import a_session, connected, opened, reluctant
from tests.gateway.several_workers import (
    DYING,
    FEW_FILES,
    IMPATIENT,
    QUICK,
    TABS,
    open_tabs,
    pids_of,
    start,
    start_two,
)
from tests.gateway.test_slow_tabs import write_much
from tests.support.deployment import Deployment
from tests.support.eventually import eventually


async def test_tabs_are_spread_and_every_one_gets_every_event(own_edge: Deployment) -> None:
    """Both processes follow the session, each once, and what they give is the same."""
    gateway = await start_two(own_edge)
    session_id = a_session()
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(writing_to(own_edge.redis_url, own_edge.keys))
        tabs = await open_tabs(stack, gateway, session_id)
        assert await writer.subscribers(session_id) == 2
        for number in range(20):
            await writer.say(session_id, f"message {number}")
        for tab in tabs:
            await tab.until_events(20)
        positions = await writer.positions(session_id)
        assert all([event["id"] for event in tab.events] == positions for tab in tabs)


async def follow(session: Session, seen: list[str]) -> None:
    """Note the positions that a client hands on, until cancelled."""
    async for event in session:
        if event.position is not None:
            seen.append(str(event.position))


async def test_nobody_misses_anything_when_a_process_is_killed_and_it_is_replaced(
    own_edge: Deployment,
) -> None:
    gateway = await start_two(own_edge)
    gateway.expected_errors.append("has ended with -9")
    session_id = a_session()
    first, second = pids_of(gateway)
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(writing_to(own_edge.redis_url, own_edge.keys))
        clients = [
            await stack.enter_async_context(connect(gateway.url, session_id, backoff=QUICK))
            for _ in range(TABS)
        ]
        seen: list[list[str]] = [[] for _ in clients]
        reading = [asyncio.create_task(follow(*pair)) for pair in zip(clients, seen, strict=True)]
        await say(writer, session_id, 10)
        await eventually(lambda: all(len(one) >= 5 for one in seen), "they are under way")
        os.kill(first, signal.SIGKILL)
        await say(writer, session_id, 10)
        positions = await writer.positions(session_id)
        await eventually(lambda: all(one == positions for one in seen), "each has all, once")
        assert 0 < sum(client.reconnects for client in clients) < TABS
        await eventually(lambda: gateway.log().count("gateway starts") == 3, "it is replaced")
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    assert pids_of(gateway)[:2] == [first, second]
    assert "another starts" in gateway.log()


async def say(writer: LogWriter, session_id: str, count: int) -> None:
    for number in range(count):
        await writer.say(session_id, f"message {number}")


async def test_who_waits_at_a_process_that_dies_is_let_in_by_its_successor(
    own_edge: Deployment,
) -> None:
    """It takes no connections for a while, then it is killed with those in its queue."""
    gateway = await start_two(own_edge)
    gateway.expected_errors.append("has ended with -9")
    session_id = a_session()
    frozen, _ = pids_of(gateway)
    os.kill(frozen, signal.SIGSTOP)
    arrived = 0

    async def arrive() -> None:
        nonlocal arrived
        async with opened(gateway, session_id) as tab:
            arrived += 1
            await tab.is_usable()

    arriving = asyncio.gather(*(arrive() for _ in range(TABS)))
    queue = f":{gateway.port:04X}"
    await eventually(
        lambda: waiting_at(queue) + arrived == TABS, "all have come as far as they can"
    )
    assert arrived < TABS
    os.kill(frozen, signal.SIGKILL)
    await arriving


def waiting_at(local: str) -> int:
    """Connections that nobody has accepted yet, at the port that `local` ends with."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = "0A"
    return sum(
        int(queues.split(":")[1], 16)
        for _, address, _, state, queues, *_ in lines
        if address.endswith(local) and state == listening
    )


async def test_sigterm_sends_every_tab_of_every_process_elsewhere(own_edge: Deployment) -> None:
    """Also where a process manager sends it to the children as well: that is no second signal."""
    gateway = await start_two(own_edge, drain_seconds=3)
    async with AsyncExitStack() as stack:
        tabs = await open_tabs(stack, gateway, a_session())
        for pid in (gateway.process.pid, *pids_of(gateway)):
            os.kill(pid, signal.SIGTERM)
        for tab in tabs:
            code, reason = await tab.close_frame()
            assert (code, reason.isdecimal()) == (1012, True)
            assert tab.frames[-1]["status"] == "disconnected"
    assert await gateway.process.wait() == 0


async def test_a_second_signal_cuts_the_drain_short(own_edge: Deployment) -> None:
    gateway = await start_two(own_edge, drain_seconds=600)
    session_id = a_session()
    async with connected(gateway, a_session()) as tab, reluctant(gateway, session_id):
        async with writing_to(own_edge.redis_url, own_edge.keys) as writer:
            await write_much(writer, session_id)
        gateway.terminate()
        await tab.until("connection", status="disconnected")
        gateway.terminate()
        await eventually(lambda: gateway.has_ended, "it has ended")
    assert gateway.process.returncode == 0


async def test_the_processes_go_when_their_parent_is_killed(own_edge: Deployment) -> None:
    """They drain: nobody is there to replace them, and the port is to be free for the next."""
    gateway = await start_two(own_edge)
    async with connected(gateway, a_session()) as tab:
        await gateway.kill()
        await tab.until("connection", status="disconnected")
        with pytest.raises(ConnectionClosed):
            await tab.next()

    def is_free() -> bool:
        try:
            (door,) = open_doors("127.0.0.1", gateway.port, 1)
        except OSError:
            return False
        door.close()
        return True

    await eventually(is_free, "nobody listens any more")


async def test_as_many_sockets_are_allowed_as_the_machine_allows(own_edge: Deployment) -> None:
    """The limit that a shell or a container sets is often too low for a gateway's tabs."""
    gateway = await start_two(own_edge, FEW_FILES)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for pid in pids_of(gateway):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (most, most)


async def test_a_process_that_hangs_is_replaced(own_edge: Deployment) -> None:
    gateway = await start_two(own_edge, IMPATIENT)
    gateway.expected_errors += ["hangs and is killed", "has ended with -9"]
    hanging, _ = pids_of(gateway)
    os.kill(hanging, signal.SIGSTOP)
    await eventually(lambda: len(pids_of(gateway)) == 3, "it is replaced")
    assert f"process {hanging} hangs" in gateway.log()


async def test_one_that_keeps_dying_is_started_ever_more_seldom(own_edge: Deployment) -> None:
    gateway = await start(own_edge, DYING)
    gateway.expected_errors.append("has ended with 1")

    def pauses() -> list[str]:
        return re.findall(r"worker 0, .* another starts in (\S+) s", gateway.log())

    await eventually(lambda: len(pauses()) >= 5, "it has been started five times")
    assert pauses()[:5] == ["0.1", "0.2", "0.4", "0.4", "0.4"]
    assert await gateway.stop() == 0


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"drain_seconds": "soon"}, "settings: 1 validation error"),
        ({"redis_url": "carrier-pigeon://here"}, "settings: REDIS_URL: scheme 'carrier-pigeon'"),
        ({"host": "192.0.2.1", "auth_mode": "none"}, "cannot listen on 192.0.2.1"),
    ],
    ids=["settings", "what is built of them", "address"],
)
async def test_what_cannot_start_says_why_once_and_ends(
    own_edge: Deployment, settings: dict[str, str], sentence: str
) -> None:
    gateway = await start(own_edge, **settings)
    assert await gateway.process.wait() == 1
    assert gateway.log().count(sentence) == 1
    assert "Traceback" not in gateway.log()


async def test_a_port_that_somebody_has_is_shared_with_nobody(own_edge: Deployment) -> None:
    """The sockets of one gateway share their port; those of a second would too."""
    gateway = await start_two(own_edge)
    single = await own_edge.start_gateway()
    for taken in (gateway.port, single.port):
        late = await start(own_edge, port=taken, log_level="ERROR")
        assert await late.process.wait() == 1
        assert f"cannot listen on 127.0.0.1, port {taken}: Address already in use" in late.log()
