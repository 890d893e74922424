"""Measures what Redis spends on an append, an event in it, and a gateway that follows the session;
and what it keeps of them."""

import asyncio
import os
import socket
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import redis

from agent_worker.story import now_text
from benchmarks.processes import cpu_seconds
from benchmarks.stage import OTHER_CORE
from benchmarks.systems.fanline import Fanline
from benchmarks.systems.system import resp
from benchmarks.workload import make_event, session_names
from dev.embedded_redis import EmbeddedRedis
from shared.ids import SessionId, make_turn_id
from shared.inbox import SubmittedMessage
from shared.keys import Keys
from shared.redis_client import connect_redis
from shared.work_stream import WorkStream

SESSIONS = 400
"""Half of them are followed, the others by nobody."""
BLOCKS = 10
"""The loads take turns, so that what else happens on the machine happens to each."""
CALLS = 2_000
FEWER_CALLS, MORE_EVENTS = 500, 10
GATEWAYS = 2
READ_BYTES = 65_536
ENTRIES = 5_000
CONSUMER = "bench"


@dataclass(frozen=True, eq=False)
class _Load:
    """Appends, one after the other."""

    calls: int
    events: int
    """In each."""
    sessions: Sequence[str]


def measure_redis(workshop: Path) -> Mapping[str, float]:
    """The costs of Redis that need neither gateway nor worker; but for an append's own, which is
    less where the next is sent only when this one has been answered."""
    names = session_names(SESSIONS)
    quiet, followed = names[: SESSIONS // 2], names[SESSIONS // 2 :]
    one = _Load(CALLS, 1, quiet)
    more = _Load(FEWER_CALLS, MORE_EVENTS, quiet)
    heard = _Load(CALLS, 1, followed)
    system = Fanline()
    with _server(workshop) as server, ExitStack() as stack:
        client = stack.enter_context(redis.Redis(port=server.port))
        empty = _used_bytes(client)
        asyncio.run(system.prepare(server.port, names))
        prepared = _used_bytes(client)
        for _ in range(GATEWAYS):
            stack.enter_context(_follower(server.port, followed))
        spent = dict.fromkeys((one, more, heard), 0.0)
        for load in (one, more, heard) * BLOCKS:
            spent[load] += _append(server, system, load)
        kept = _used_bytes(client) - prepared
        costs = {load: cpu / (BLOCKS * load.calls) * 1e6 for load, cpu in spent.items()}
    events = BLOCKS * sum(load.calls * load.events for load in spent)
    return {
        "redis_event_us": (costs[more] - costs[one]) / (MORE_EVENTS - 1),
        "redis_publish_us": (costs[heard] - costs[one]) / GATEWAYS,
        "redis_work_us": _work(workshop),
        "redis_session_bytes": (prepared - empty) / SESSIONS,
        "redis_event_bytes": kept / events,
    }


def _append(server: EmbeddedRedis, system: Fanline, load: _Load) -> float:
    """Returns the CPU seconds that it took."""
    commands: list[bytes] = []
    for number in range(load.calls):
        name = load.sessions[number % len(load.sessions)]
        events = [make_event(name, seq + 1) for seq in range(load.events)]
        commands.append(system.publish(name, events))
    assert server.process is not None
    before = cpu_seconds(server.process.pid)
    _say_one_by_one(server.port, commands)
    return cpu_seconds(server.process.pid) - before


def _work(workshop: Path) -> float:
    """CPU for an entry of the work stream from *submit* to *acknowledge*."""
    with _server(workshop) as server:
        return asyncio.run(_pass_entries(server))


async def _pass_entries(server: EmbeddedRedis) -> float:
    assert server.process is not None
    async with connect_redis(server.url) as client:
        stream = WorkStream(client, Keys())
        await stream.create_group(CONSUMER)
        before = cpu_seconds(server.process.pid)
        for _ in range(ENTRIES):
            message = SubmittedMessage(SessionId("s"), make_turn_id(), "question", now_text(), "")
            await stream.submit(message)
            (entry,) = await stream.read_new(CONSUMER, count=1, block_ms=0)
            await stream.acknowledge(entry.entry_id)
        return (cpu_seconds(server.process.pid) - before) / ENTRIES * 1e6


@contextmanager
def _server(workshop: Path) -> Generator[EmbeddedRedis, None, None]:
    server = EmbeddedRedis(workshop / f"redis-{uuid4().hex[:6]}")
    server.start()
    assert server.process is not None
    os.sched_setaffinity(server.process.pid, {OTHER_CORE})
    try:
        yield server
    finally:
        server.stop()


def _used_bytes(client: redis.Redis) -> int:
    memory = cast(Any, client.info("memory"))
    return int(memory["used_memory"])


def _say_one_by_one(port: int, commands: list[bytes]) -> None:
    """Each when the one before has been answered."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for command in commands:
            connection.sendall(command)
            reply = connection.recv(READ_BYTES)
            if not reply.startswith((b"$", b"+")):
                raise RuntimeError(f"Redis refused: {reply!r}")


@contextmanager
def _follower(port: int, names: Sequence[str]) -> Generator[None, None, None]:
    """A connection that is subscribed to every session, and takes what comes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        channels = [Keys().channel(SessionId(name)).encode() for name in names]
        connection.sendall(resp(b"SUBSCRIBE", *channels))
        taking = threading.Thread(target=_take_all, args=(connection,))
        taking.start()
        yield
        connection.shutdown(socket.SHUT_RDWR)
        taking.join()


def _take_all(connection: socket.socket) -> None:
    while connection.recv(READ_BYTES):
        pass
