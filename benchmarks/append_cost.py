"""What Redis spends on an event that our script writes, beside what it spends on plain commands.

`python -m benchmarks.append_cost [ROUNDS]` prints medians of so many rounds (3), in each of which
every way has its turn. Sixty-four events are sent together, so that Redis' work is measured and not
its waiting: where it has nothing else to do, being woken costs it as much again.
"""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import hiredis

from benchmarks.processes import cpu_seconds
from benchmarks.stage import OTHER_CORE
from benchmarks.systems.fanline import Fanline
from benchmarks.systems.system import resp
from benchmarks.workload import make_event, session_names
from dev.embedded_redis import EmbeddedRedis
from shared.ids import SessionId
from shared.keys import Keys

EVENTS_EACH = 640
NAMES = session_names(50)
BATCHES = (1, 10, 64)
TOGETHER = 64
READ_BYTES = 262_144

Write = Callable[[str, Sequence[bytes]], Sequence[bytes]]
"""The commands that write some events of one session."""


@dataclass(frozen=True)
class AppendCost:
    """Of one way to write an event."""

    redis_us: float
    """CPU."""


def measure_appends(workshop: Path) -> Mapping[str, AppendCost]:
    """One round, by way of writing."""
    ours = Fanline()
    ways: dict[str, tuple[Write, int]] = {
        "PUBLISH": (_publish, 1),
        "XADD, PUBLISH": (lambda name, events: (*_add(name, events), *_publish(name, events)), 1),
    }
    for size in BATCHES:
        ways[f"append, {size} a call"] = (lambda name, events: [ours.publish(name, events)], size)
    return {name: _measure(workshop, ours, *way) for name, way in ways.items()}


def _publish(name: str, events: Sequence[bytes]) -> list[bytes]:
    channel = Keys().channel(SessionId(name)).encode()
    return [resp(b"PUBLISH", channel, event) for event in events]


def _add(name: str, events: Sequence[bytes]) -> list[bytes]:
    log = f"{Keys().channel(SessionId(name))}:plain".encode()
    return [resp(b"XADD", log, b"*", b"event", event) for event in events]


def _measure(workshop: Path, ours: Fanline, write: Write, size: int) -> AppendCost:
    server = EmbeddedRedis(workshop / f"redis-{uuid4().hex[:6]}")
    server.start()
    try:
        assert server.process is not None
        os.sched_setaffinity(server.process.pid, {OTHER_CORE})
        asyncio.run(ours.prepare(server.port, NAMES))
        commands = [
            write(name, [make_event(name, ours.base + first + n) for n in range(size)])
            for first in range(1, EVENTS_EACH + 1, size)
            for name in NAMES
        ]
        before = cpu_seconds(server.process.pid)
        _send(server.port, commands, max(TOGETHER // size, 1))
        spent = cpu_seconds(server.process.pid) - before
        return AppendCost(redis_us=spent * 1e6 / (len(commands) * size))
    finally:
        server.stop()


def _send(port: int, writes: Sequence[Sequence[bytes]], together: int) -> None:
    """Send so many writes at a time, and read all their replies before the next. Raises
    `RuntimeError` for one that Redis refused."""
    reader = hiredis.Reader()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for first in range(0, len(writes), together):
            commands = [command for write in writes[first : first + together] for command in write]
            connection.sendall(b"".join(commands))
            missing = len(commands)
            while missing:
                reader.feed(connection.recv(READ_BYTES))
                while (reply := reader.gets()) is not False:
                    if isinstance(reply, hiredis.ReplyError):
                        raise RuntimeError(f"Redis refused: {reply}")
                    missing -= 1


def main() -> None:
    """Print the medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="fanline-bench-") as folder:
        measured = [measure_appends(Path(folder)) for _ in range(rounds)]
    print("Redis' CPU for each event")
    for name in measured[0]:
        print(f"{name:<18} {statistics.median(one[name].redis_us for one in measured):6.1f} us")


if __name__ == "__main__":
    main()
