"""A tab: one open socket with the follower that knows what it has been given."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from gateway.follower import Follower
from gateway.frames import Frames
from shared.ids import Position, SessionId
from shared.protocol import (
    PROTOCOL_VERSION,
    ConnectionState,
    ConnectionStatus,
    Heartbeat,
    format_timestamp,
)
from shared.session_log import LogPage


class TabSocket(Protocol):
    """Where frames for a tab are written. Writing never waits; the log is the overflow."""

    @property
    def has_room(self) -> bool:
        """Whether at most `MAX_TAB_BUFFER_BYTES` are written and not yet taken."""
        ...

    def write(self, frames: Frames) -> None:
        """Send frames, after those written before. Does nothing on a closed socket."""
        ...

    def has_stalled(self, now: float) -> bool:
        """Whether nothing of what waits was taken for `STALL_SECONDS`. To be asked again and
        again: what was taken since the last time counts as life."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Close after what has been written. Harmless twice."""
        ...


class RoomySocket(TabSocket, Protocol):
    """One that says when it has drained."""

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Arrange for `callback` whenever a socket without room has drained."""
        ...


class Tab:
    """One socket's place in one session, and the frames that concern this socket alone."""

    __slots__ = (
        "announced",
        "asked",
        "follower",
        "frames_given",
        "frames_seen",
        "leaving",
        "resumed",
        "session_id",
        "silent_since",
        "socket",
        "told_head",
    )

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
        self.leaving = False
        """Whether it was told `disconnected`: its close is on its way."""
        self.resumed = False
        """Whether it named a cursor that was honoured."""
        self.frames_given = 0
        self.frames_seen = 0
        """What `frames_given` was when `is_silent` last looked: no clock is asked for that."""
        self.silent_since: float | None = None
        self.told_head: Position | None = None
        """The head that the last `connected` named."""

    @property
    def wants_page(self) -> bool:
        """Whether it is not at the live tail and its socket would take more."""
        return self.follower.reading and self.socket.has_room and not self.leaving

    def give(self, frames: Frames) -> None:
        """Send frames."""
        self.socket.write(frames)
        self.frames_given += len(frames.texts)

    def is_silent(self, now: float, seconds: float) -> bool:
        """Whether nothing was sent for `seconds`, as far as those can tell who ask again and again,
        and its socket would take something. Not before its first frame."""
        if self.frames_seen != self.frames_given:
            self.frames_seen = self.frames_given
            self.silent_since = now
        if self.silent_since is None or now - self.silent_since < seconds:
            return False
        return self.socket.has_room

    def say(self, status: ConnectionState) -> None:
        """Tell it that this gateway has lost Redis or is going; `announce` says that all is well
        again."""
        self.announced = False
        self.leaving = status == "disconnected"
        self.give(Frames.of(ConnectionStatus(session_id=self.session_id, status=status)))

    def announce(
        self, page: LogPage, *, cursor: Position | None, reset: bool, heartbeat_seconds: float
    ) -> None:
        """Say `connected`: what follows is what the log holds after `cursor`, or, after `reset`,
        from its beginning."""
        status = ConnectionStatus(
            session_id=self.session_id,
            status="connected",
            protocol=PROTOCOL_VERSION,
            head=None if page.head is None else str(page.head),
            resumed=cursor is not None and not reset,
            reset=reset or (self.asked and cursor is None),
            truncated=page.trimmed is not None,
            heartbeat_seconds=heartbeat_seconds,
            server_time=format_timestamp(datetime.now(UTC)),
        )
        self.announced = True
        self.told_head = page.head
        if self.asked:
            self.resumed, self.asked = bool(status.resumed), False
        self.give(Frames.of(status))

    def beat(self, head: Position | None) -> None:
        """A sign of life on a silent socket, with the place that the tab should have reached."""
        text = None if head is None else str(head)
        self.give(Frames.of(Heartbeat(session_id=self.session_id, head=text)))
