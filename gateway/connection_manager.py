"""Who follows what on this gateway: tabs, the sessions they follow, and one subscription for all.

The data path is two short functions: `on_batch` takes what one read from Redis brought to the tabs
of each session, `_read` takes pages of the log to the tabs that are not at its live tail. Which of
the two serves a tab is the follower's decision; nothing here keeps a second copy of the log.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from redis.exceptions import ResponseError

from gateway.follower import Follower, Live
from gateway.metrics import Metrics
from gateway.replay import frames_of
from gateway.settings import GatewaySettings
from gateway.tab import Tab, TabSocket
from shared.errors import Unavailable
from shared.ids import Position, SessionId
from shared.protocol import (
    PROTOCOL_VERSION,
    ConnectionState,
    ConnectionStatus,
    Frame,
    Heartbeat,
    encode_frame,
    format_timestamp,
)
from shared.session_log import LogPage, SessionLog
from shared.subscription import Batch, Subscription

_log = logging.getLogger(__name__)

READ_RETRY_SECONDS = 0.25
HEADS_PER_ROUND_TRIP = 1000

_FRONT = re.compile(
    rb'\{"id":"(\d{1,16})-(\d{1,16})","type":"[a-z_]+","session_id":"([A-Za-z0-9_-]{1,128})"'
)


class FollowedSession:
    """A session with at least one tab here, or that had one a moment ago."""

    __slots__ = ("channel", "confirmed", "head", "linger", "reading", "session_id", "tabs")

    def __init__(self, session_id: SessionId, channel: str) -> None:
        self.session_id = session_id
        self.channel = channel
        self.tabs: set[Tab] = set()
        self.head: Position | None = None
        self.confirmed: asyncio.Task[None] | None = None
        self.reading: asyncio.Task[None] | None = None
        self.linger: asyncio.TimerHandle | None = None


class ConnectionManager:
    """Connects tabs to sessions. All state here is about open sockets, and goes with them."""

    def __init__(
        self,
        log: SessionLog,
        channel_of: Callable[[SessionId], str],
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._log = log
        self._channel_of = channel_of
        self._settings = settings
        self._metrics = metrics
        self._sessions: dict[SessionId, FollowedSession] = {}
        self._by_channel: dict[bytes, FollowedSession] = {}
        self._subscription: Subscription | None = None

    def attach(self, subscription: Subscription) -> None:
        """The one subscription of this process, which reports to this manager."""
        self._subscription = subscription

    # for sockets

    def connect(
        self, socket: TabSocket, session_id: SessionId, cursor: Position | None, *, asked: bool
    ) -> Tab:
        """Follow `session_id` from `cursor`. `asked` says that the tab named a cursor, be it one
        that could be read or not. The tab's first frame comes when the log has been read."""
        session = self._sessions.get(session_id) or self._follow(session_id)
        if session.linger is not None:
            session.linger.cancel()
            session.linger = None
        tab = Tab(socket, session_id, Follower(cursor), asked=asked)
        session.tabs.add(tab)
        self._metrics.tabs.set(self.tab_count())
        if self._subscription is not None and not self._subscription.is_connected:
            self._say(tab, "reconnecting")
        self._request_read(session)
        return tab

    def disconnect(self, tab: Tab) -> None:
        """Forget the tab. Its session's channel is left after a short linger. Harmless twice."""
        session = self._sessions.get(tab.session_id)
        if session is None or tab not in session.tabs:
            return
        session.tabs.discard(tab)
        self._metrics.tabs.set(self.tab_count())
        if not session.tabs:
            session.linger = asyncio.get_running_loop().call_later(
                self._settings.linger_seconds, self._unfollow, session
            )

    def send_message(self, session_id: SessionId, message: Frame) -> None:
        """Give a frame that is in no log to every tab of the session here. Never raises because a
        session or socket is absent or broken."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._give(session.tabs, encode_frame(message))

    def broadcast(self, status: ConnectionState) -> None:
        """Tell every tab of every session how this gateway's connection stands."""
        for session in self._sessions.values():
            for tab in session.tabs:
                self._say(tab, status)

    def all_tabs(self) -> list[Tab]:
        return [tab for session in self._sessions.values() for tab in session.tabs]

    def tab_count(self) -> int:
        return sum(len(session.tabs) for session in self._sessions.values())

    def session_count(self) -> int:
        return len(self._sessions)

    def on_drained(self, tab: Tab) -> None:
        """The tab's socket has taken what was written: if it is behind, it catches up."""
        session = self._sessions.get(tab.session_id)
        if session is not None and tab.follower.reading:
            self._request_read(session)

    # from the subscription

    def on_batch(self, batch: Batch) -> None:
        """Deliver what one read from Redis brought. Never waits for a tab."""
        for channel, texts in batch.items():
            session = self._by_channel.get(channel)
            if session is None:
                continue  # its last tab has gone and the unsubscribe is on its way
            for text in texts:
                self._on_text(session, text)

    def on_lost(self) -> None:
        """Redis is away: say so, and read the log when it is back."""
        self._metrics.redis_lost.inc()
        for tab in self.all_tabs():
            tab.follower.read_again()
            if tab.announced:
                self._say(tab, "reconnecting")

    def on_restored(self) -> None:
        """Every channel is subscribed again: read what was missed."""
        for session in self._sessions.values():
            for tab in session.tabs:
                tab.follower.read_again()  # one may have reached the head while nothing arrived
            self._request_read(session)

    # loops

    async def compare_heads(self) -> None:
        """Every `HEADS_SECONDS`, find tabs whose cursor is not the head of their log. Never
        ends."""
        while True:
            await asyncio.sleep(self._settings.heads_seconds)
            sessions = [session for session in self._sessions.values() if session.tabs]
            for start in range(0, len(sessions), HEADS_PER_ROUND_TRIP):
                chunk = sessions[start : start + HEADS_PER_ROUND_TRIP]
                try:
                    heads = await self._log.read_heads([session.session_id for session in chunk])
                except Unavailable as error:
                    _log.warning("heads could not be compared: %s", error)
                    break
                for session, head in zip(chunk, heads, strict=True):
                    self._on_head(session, head)

    async def send_heartbeats(self) -> None:
        """Give silent sockets a sign of life, and close those that take nothing. Never ends."""
        while True:
            await asyncio.sleep(min(1.0, self._settings.heartbeat_seconds / 4))
            now = asyncio.get_running_loop().time()
            for session in self._sessions.values():
                for tab in session.tabs:
                    if now - tab.last_write >= self._settings.heartbeat_seconds:
                        self._beat(session, tab)

    # inside

    def _follow(self, session_id: SessionId) -> FollowedSession:
        channel = self._channel_of(session_id)
        session = FollowedSession(session_id, channel)
        self._sessions[session_id] = session
        self._by_channel[channel.encode()] = session
        self._metrics.sessions.set(len(self._sessions))
        return session

    def _unfollow(self, session: FollowedSession) -> None:
        for task in (session.reading, session.confirmed):
            if task is not None:
                task.cancel()
        del self._sessions[session.session_id]
        del self._by_channel[session.channel.encode()]
        self._metrics.sessions.set(len(self._sessions))
        if self._subscription is not None:
            self._subscription.unsubscribe(session.channel)

    def _on_text(self, session: FollowedSession, text: bytes) -> None:
        front = _FRONT.match(text)
        if front is None or front[3].decode() != session.session_id:
            self._metrics.foreign_texts.inc()
            _log.warning("channel %s: dropped a text that is not ours", session.channel)
            return
        position = Position(int(front[1]), int(front[2]))
        takers: list[Tab] = []
        for tab in session.tabs:
            verdict = self._follow_live(tab, position)
            if verdict is Live.DELIVER:
                takers.append(tab)
            elif verdict is Live.READ:
                self._metrics.gaps.inc()
                self._request_read(session)
        if takers:
            session.head = position
            self._give(takers, text.decode())

    def _follow_live(self, tab: Tab, position: Position) -> Live:
        if not tab.follower.reading and not tab.socket.has_room:
            # Behind: it costs no memory here, and reads on when its socket has drained.
            tab.follower.read_again()
        return tab.follower.on_live(position)

    def _on_head(self, session: FollowedSession, head: Position | None) -> None:
        session.head = head
        verdicts = [tab.follower.on_head(head) for tab in session.tabs]
        if Live.READ in verdicts:
            self._metrics.gaps.inc(verdicts.count(Live.READ))
            self._request_read(session)

    def _request_read(self, session: FollowedSession) -> None:
        """At most one read per session is under way, shared by all tabs that need one."""
        if session.reading is None:
            session.reading = asyncio.create_task(
                self._read(session), name=f"read {session.channel}"
            )

    async def _read(self, session: FollowedSession) -> None:
        try:
            while readers := _readers(session):
                after = min((tab.follower.cursor for tab in readers), key=_from_the_beginning)
                page = await self._read_page(session, after)
                session.head = page.head
                self._deliver_page(session, page, after)
        finally:
            session.reading = None

    async def _read_page(self, session: FollowedSession, after: Position | None) -> LogPage:
        """One page, however long Redis is away; the tabs have been told that it is."""
        while True:
            # Subscribe before reading. The other way round, an event appended between the two
            # would reach neither, and the tab would stay one token short until the next.
            if self._subscription is not None:
                await self._subscription.subscribe(session.channel)
            try:
                page = await self._log.read_after(
                    session.session_id, after, self._settings.page_events
                )
            except Unavailable as error:
                _log.warning("%s: log could not be read: %s", session.channel, error)
                await asyncio.sleep(READ_RETRY_SECONDS)
            except ResponseError as error:  # somebody put something else under this session's keys
                _log.error("%s: not a log: %s", session.channel, error)
                self._metrics.broken_logs.inc()
                await asyncio.sleep(self._settings.heads_seconds)
            else:
                self._metrics.pages.inc()
                return page

    def _deliver_page(
        self, session: FollowedSession, page: LogPage, after: Position | None
    ) -> None:
        prepared: dict[Position | None, list[str]] = {}  # tabs at the same place share their frames
        for tab in _readers(session):
            cursor = tab.follower.cursor
            if after is not None and (cursor is None or cursor < after):
                continue  # came while the page was being read
            outcome = tab.follower.on_page(page, after)
            if outcome.reset and tab.announced:
                self._say(tab, "reconnecting")
            if not tab.announced:
                self._announce(tab, page, cursor=cursor, reset=outcome.reset)
            start = None if outcome.reset else cursor
            if start not in prepared:
                prepared[start] = list(frames_of(outcome.entries))
            for frame in prepared[start]:
                self._give((tab,), frame)

    def _announce(self, tab: Tab, page: LogPage, *, cursor: Position | None, reset: bool) -> None:
        status = ConnectionStatus(
            session_id=tab.session_id,
            status="connected",
            protocol=PROTOCOL_VERSION,
            head=None if page.head is None else str(page.head),
            resumed=cursor is not None and not reset,
            reset=reset or (tab.asked and cursor is None),
            truncated=page.trimmed is not None,
            heartbeat_seconds=self._settings.heartbeat_seconds,
            server_time=format_timestamp(datetime.now(UTC)),
        )
        tab.announced = True
        tab.asked = False  # answered
        self._give((tab,), encode_frame(status))

    def _say(self, tab: Tab, status: ConnectionState) -> None:
        tab.announced = False
        frame = ConnectionStatus(session_id=tab.session_id, status=status)
        self._give((tab,), encode_frame(frame))

    def _give(self, tabs: Iterable[Tab], frame: str) -> None:
        now = asyncio.get_running_loop().time()
        for tab in tabs:
            tab.socket.write(frame)
            tab.last_write = now
            self._metrics.deliveries.inc()

    def _beat(self, session: FollowedSession, tab: Tab) -> None:
        if tab.socket.has_room:
            head = None if session.head is None else str(session.head)
            self._give((tab,), encode_frame(Heartbeat(session_id=tab.session_id, head=head)))


def _readers(session: FollowedSession) -> list[Tab]:
    """Tabs that are not at the live tail and whose socket would take more."""
    return [tab for tab in session.tabs if tab.follower.reading and tab.socket.has_room]


def _from_the_beginning(cursor: Position | None) -> Position:
    return Position(-1, 0) if cursor is None else cursor
