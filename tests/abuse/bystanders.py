"""Other people's sessions on the attacked gateway, as a process of their own: events that are
appended steadily by the product's own script, tabs that take them, and people who come anew.

`python -m tests.abuse.bystanders` reads a line of JSON, the `Crowd`, and answers `{}` when every
tab is open. To every further line, which says whether people come anew, it answers what was seen
since the last one (`Seen`, as JSON).
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from shared.ids import EntryId, make_turn_id
from shared.inbox import SubmittedMessage
from shared.keys import Keys
from shared.lease import Lease
from shared.protocol import AgentCustomEvent, encode_event
from shared.redis_client import connect_redis
from tests.abuse.peer import PING, PONG, TEXT, Cut, Peer, frame
from tests.abuse.target import Target
from tests.shared.one_session import TIMESTAMP, OneSession

NEWCOMER_EVERY_SECONDS = 0.25
SETTLE_SECONDS = 20.0
HOUR_MS = 3_600_000
LOG_MAX_EVENTS = 10_000


@dataclass(frozen=True)
class Crowd:
    """Who stands by."""

    target: dict[str, Any]
    redis_url: str
    namespace: str
    session_ttl: int
    sessions: int
    tabs: int
    per_second: int
    """Events of each session."""


@dataclass
class Seen:
    """What the tabs of all sessions saw since the last time that they were asked."""

    lags_us: list[int] = field(default_factory=lambda: [])
    """From before the append to the tab, of every event at every tab."""
    appended: int = 0
    lost: int = 0
    """Events that a tab has not been given in `SETTLE_SECONDS` after the last append."""
    out_of_order: int = 0
    newcomers: Counter[str] = field(default_factory=lambda: Counter())
    """How those who came anew were received."""


class Tab:
    """One tab of one session. It never reconnects: who stands by is not to be cut."""

    def __init__(self, peer: Peer, crowd: "Bystanders") -> None:
        self.place = (0, 0)
        self._peer = peer
        self._crowd = crowd

    async def watch(self) -> None:
        """Take everything. Ends with an error when the gateway ends the connection."""
        while True:
            opcode, data = await self._peer.frame()
            now = time.monotonic_ns()
            if opcode == PING:
                self._peer.say(frame(PONG, data))
            if opcode != TEXT:
                continue
            fields = json.loads(data)
            if fields["type"] != "custom":
                continue
            epoch, seq = map(int, fields["id"].split("-"))
            is_next = epoch == self.place[0] and seq == self.place[1] + 1
            self._crowd.seen.out_of_order += self.place != (0, 0) and not is_next
            self.place = epoch, seq
            self._crowd.seen.lags_us.append((now - fields["data"]["at"]) // 1000)


class Writer:
    """Appends the events of one session, as the worker that has its lease."""

    def __init__(self, session: OneSession, crowd: "Bystanders") -> None:
        self.head = (0, 0)
        self._session = session
        self._crowd = crowd
        self._turn_id = make_turn_id()

    async def begin(self) -> Lease:
        """A turn that nobody else will run."""
        session = self._session
        message = SubmittedMessage(session.id, self._turn_id, "hi", TIMESTAMP, "")
        await session.inbox.enqueue(message, EntryId("1-1"))
        lease = await session.acquire()
        await session.start(lease, self._turn_id)
        return lease

    async def write(self, lease: Lease, per_second: int, delay: float) -> None:
        """So many events a second, for ever."""
        await asyncio.sleep(delay)
        due = time.monotonic()
        while True:
            at = time.monotonic_ns()
            event = AgentCustomEvent(
                session_id=self._session.id,
                timestamp=TIMESTAMP,
                turn_id=self._turn_id,
                attempt=1,
                name="tick",
                data={"at": at},
            )
            self.head = await lease.append(
                lease.next_batch(), self._turn_id, [encode_event(event)], []
            )
            self._crowd.seen.appended += 1
            due = max(due + 1 / per_second, time.monotonic() - 1)
            await asyncio.sleep(max(due - time.monotonic(), 0))


class Bystanders:
    """All of them."""

    def __init__(self, crowd: Crowd) -> None:
        self.seen = Seen()
        self._crowd = crowd
        self._target = Target(**crowd.target)
        self._rooms: list[tuple[Writer, list[Tab]]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._came = 0
        self._coming: set[asyncio.Task[None]] = set()
        self.are_coming = False
        """Whether people come anew."""

    async def gather(self) -> None:
        """Open every tab, and begin to write. Sessions are named `bystander-N`."""
        client = connect_redis(self._crowd.redis_url)
        keys = Keys(self._crowd.namespace)
        for number in range(self._crowd.sessions):
            name = f"bystander-{number}"
            session = OneSession(
                client, keys, name, lease_ms=HOUR_MS, session_ttl=self._crowd.session_ttl,
                log_max_events=LOG_MAX_EVENTS,
            )  # fmt: skip
            writer = Writer(session, self)
            lease = await writer.begin()
            tabs: list[Tab] = []
            for place in range(self._crowd.tabs):
                peer, answer = await self._target.open(name, f"192.0.2.{number * 10 + place}")
                assert answer.status == 101, answer
                tabs.append(Tab(peer, self))
                self._tasks.append(asyncio.create_task(tabs[-1].watch()))
            delay = number / self._crowd.sessions / self._crowd.per_second
            write = writer.write(lease, self._crowd.per_second, delay)
            self._tasks.append(asyncio.create_task(write))
            self._rooms.append((writer, tabs))
        self._tasks.append(asyncio.create_task(self._keep_coming()))

    async def tell(self) -> Seen:
        """What was seen, when the tabs have all that was appended before; then begin anew."""
        for task in self._tasks:
            if task.done():
                task.result()
        if self._coming:
            await asyncio.wait(self._coming)
        heads = [writer.head for writer, _ in self._rooms]
        deadline = time.monotonic() + SETTLE_SECONDS
        while (lost := self._behind(heads)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # ten tabs move it
        seen, self.seen = self.seen, Seen()
        seen.lost = lost
        return seen

    def _behind(self, heads: Sequence[tuple[int, int]]) -> int:
        return sum(
            max(head[1] - tab.place[1], 0)
            for head, (_, tabs) in zip(heads, self._rooms, strict=True)
            for tab in tabs
        )

    async def _keep_coming(self) -> None:
        while True:
            await asyncio.sleep(NEWCOMER_EVERY_SECONDS)
            if self.are_coming:
                task = asyncio.create_task(self._come())
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)

    async def _come(self) -> None:
        """Somebody with a session of his own opens a tab, is told where it stands, and goes."""
        self._came += 1
        number, seen = self._came, self.seen
        address = f"198.51.{number // 250 % 250}.{number % 250}"
        try:
            peer, answer = await self._target.open(f"newcomer-{number}", address)
        except (Cut, TimeoutError) as error:
            seen.newcomers["silence" if isinstance(error, TimeoutError) else "cut"] += 1
            return
        told = f"{answer.status}"
        try:
            if answer.status == 101:
                _, data = await peer.frame()
                told = str(json.loads(data)["status"])
        except (Cut, TimeoutError):
            told = "dropped"
        seen.newcomers[told] += 1
        peer.drop()


async def main() -> None:
    """Stand by until standard input ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    crowd = Bystanders(Crowd(**json.loads(await lines.readline())))
    await crowd.gather()
    print("{}", flush=True)
    while line := await lines.readline():
        crowd.are_coming = bool(json.loads(line)["come"])
        print(json.dumps(vars(await crowd.tell())), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
