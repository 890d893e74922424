"""A tab: one open socket with the follower that knows what it has been given."""

from typing import Protocol

from gateway.follower import Follower
from shared.ids import SessionId


class TabSocket(Protocol):
    """Where frames for a tab are written. Writing never waits; the log is the overflow."""

    @property
    def has_room(self) -> bool:
        """Whether less than `MAX_TAB_BUFFER_BYTES` is written and not yet taken."""
        ...

    def write(self, frame: str) -> None:
        """Send one frame, after those written before. Does nothing on a closed socket."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Close after what has been written. Harmless twice."""
        ...


class Tab:
    """One socket's place in one session."""

    __slots__ = ("announced", "asked", "follower", "last_write", "session_id", "socket")

    def __init__(
        self, socket: TabSocket, session_id: SessionId, follower: Follower, *, asked: bool
    ) -> None:
        self.socket = socket
        self.session_id = session_id
        self.follower = follower
        self.asked = asked
        """Whether the tab named a cursor and has not been answered yet."""
        self.announced = False
        """Whether the last `connection` frame said `connected`."""
        self.last_write = 0.0
