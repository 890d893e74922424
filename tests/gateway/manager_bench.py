"""A connection manager over a real log, whose sockets and whose live channel are the test's.

What pub/sub brings is handed over by hand, so that it can be lost, doubled and forged.
"""

from dataclasses import dataclass

from gateway.connection_manager import ConnectionManager
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.ids import SessionId, parse_position
from shared.protocol import with_position
from shared.session_log import SessionLog
from tests.gateway.fake_socket import FakeSocket
from tests.gateway.log_writer import NOON, LogWriter
from tests.gateway.raw_tab import a_session
from tests.support.eventually import eventually

SETTINGS = {
    "page_events": 4,
    "linger_seconds": 0.05,
    "heads_seconds": 0.05,
    "heartbeat_seconds": 0.1,
}


@dataclass
class Bench:
    """One manager with a log of its own."""

    manager: ConnectionManager
    writer: LogWriter
    log: SessionLog
    metrics: Metrics
    session_id: SessionId

    def open(self, cursor: str | None = None, *, room: int = 1_000_000) -> tuple[FakeSocket, Tab]:
        socket = FakeSocket(room)
        place = parse_position(cursor) if cursor else None
        return socket, self.manager.connect(
            socket, self.session_id, place, asked=cursor is not None
        )

    async def opened(self, cursor: str | None = None) -> tuple[FakeSocket, Tab]:
        """A tab that has reached the live tail."""
        socket, tab = self.open(cursor)
        await eventually(lambda: not tab.follower.reading, "the tab is live")
        return socket, tab

    async def live(self) -> tuple[FakeSocket, Tab]:
        """A tab that is live on a log which holds "hello" already: the next text has a number."""
        await self.say("hello")
        return await self.opened()

    async def say(self, content: str, timestamp: str = NOON) -> bytes:
        """Write a message; returns the text that pub/sub carries, which nobody has heard yet."""
        await self.writer.say(self.session_id, content, timestamp)
        page = await self.log.read_after(self.session_id, None, 1000)
        last = page.entries[-1]
        return with_position(last.position, last.stored).encode()

    def hear(self, *texts: bytes) -> None:
        """One read from Redis brings these texts."""
        self.manager.on_batch({self.writer.keys.channel(self.session_id).encode(): list(texts)})

    def sample(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(f"fanline_{name}") or 0.0


def build_bench(writer: LogWriter, **settings: object) -> Bench:
    """A bench with small bounds, or with these `settings`."""
    log, metrics = SessionLog(writer.client, writer.keys), Metrics()
    bounds = GatewaySettings.model_validate(SETTINGS | settings)
    manager = ConnectionManager(log, writer.keys.channel, bounds, metrics)
    return Bench(manager, writer, log, metrics, SessionId(a_session()))
