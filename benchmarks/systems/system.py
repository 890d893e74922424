"""What the benchmark needs to know of a system that fans events out: ours, the limit, a peer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Launch:
    """How a system's gateway is started."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: {})


class System(Protocol):
    """A gateway that is started as its own documentation says for production."""

    name: str
    """In the table."""
    publishes_over: str
    """`redis`, or `gateway` for one that takes events on its own port."""
    hello: bytes
    """The text frame that a tab sends once its socket is open; empty for none."""
    base: int
    """The position before the first event that is published, in every session."""

    most_tabs: int
    """That one process can have on one machine, of the 10,000 that are tried."""

    def missing(self) -> str:
        """Why it cannot run on this machine, in one sentence; empty when it can. Installs what it
        needs where that is possible."""
        ...

    def versions(self) -> str:
        """What runs, such as `node 20.20, ws 8.18, ioredis 5.4`."""
        ...

    def launch(self, port: int, redis_port: int) -> Launch:
        """The gateway on `port` of 127.0.0.1, fed by the Redis on `redis_port`. It is ready when
        the port takes connections."""
        ...

    def tab_path(self, session_id: str) -> str:
        """The request target of a tab's WebSocket, such as `/ws?session_id=s1`."""
        ...

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        """What must be in Redis before the first tab comes. The Redis is empty."""
        ...

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        """The bytes that publish `events`, which are JSON with their `id`, to a session."""
        ...


def resp(*words: bytes) -> bytes:
    """A Redis command as it is sent."""
    head = b"*%d\r\n" % len(words)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class OnSessionChannels:
    """A system whose tabs are fed by plain `PUBLISH` on the channel of their session, and which has
    no log before that."""

    publishes_over = "redis"
    hello = b""
    base = 0

    def tab_path(self, session_id: str) -> str:
        return f"/ws?session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        pass

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        channel = f"session:{{{session_id}}}".encode()
        return b"".join(resp(b"PUBLISH", channel, event) for event in events)
