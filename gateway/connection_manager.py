"""Who follows what on this gateway: tabs, the sessions they follow, and one subscription for all.

The live half of the data path is `FanOut`: what one read from Redis brought goes to the tabs of
each session. The other half is `CatchUp`: pages of the log go to the tabs that are not at its live
tail. Which of the two serves a tab is its follower's decision; nothing here keeps a second copy of
the log.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable

from gateway.catch_up import CatchUp
from gateway.close_codes import TRY_AGAIN
from gateway.fan_out import FanOut
from gateway.followed_session import FollowedSession
from gateway.follower import Follower, Live
from gateway.frames import Frames
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tab import Tab, TabSocket
from shared.errors import Unavailable
from shared.ids import Position, SessionId
from shared.protocol import ConnectionState, Frame
from shared.session_log import SessionLog
from shared.subscription import Subscription

_log = logging.getLogger(__name__)

HEADS_PER_ROUND_TRIP = 1000
LOOKS_PER_STALL = 20
"""How often it is looked, within `STALL_SECONDS`, whether a tab takes anything."""


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
        self._tab_count = 0
        self._subscription: Subscription | None = None
        self._catch_up = CatchUp(log, self._subscribe, settings, metrics)
        self._fan_out = FanOut(self._by_channel, self._catch_up, metrics)
        self.on_batch = self._fan_out.deliver
        """For the subscription: what one read brought goes to the tabs. Not a method: that is a
        call less on the hot path."""

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
        self._count_tabs(+1)
        if self._subscription is not None and not self._subscription.is_connected:
            tab.say("reconnecting")
        self._catch_up.request(session)
        return tab

    def disconnect(self, tab: Tab) -> None:
        """Forget the tab. Its session's channel is left after a short linger. Harmless twice."""
        session = self._sessions.get(tab.session_id)
        if session is None or tab not in session.tabs:
            return
        session.tabs.discard(tab)
        self._count_tabs(-1)
        if not session.tabs:
            session.linger = asyncio.get_running_loop().call_later(
                self._settings.linger_seconds, self._unfollow, session
            )

    def send_message(self, session_id: SessionId, message: Frame) -> None:
        """Give a frame that is in no log to every tab of the session here. Never raises because a
        session or socket is absent or broken."""
        session = self._sessions.get(session_id)
        if session is not None:
            frames = Frames.of(message)
            for tab in session.tabs:
                tab.give(frames)

    def broadcast(self, status: ConnectionState) -> None:
        """Tell every tab that believes itself connected how this gateway stands."""
        for tab in self.all_tabs():
            if tab.announced:
                tab.say(status)

    def all_tabs(self) -> list[Tab]:
        return [tab for session in self._sessions.values() for tab in session.tabs]

    def tab_count(self) -> int:
        return self._tab_count

    def session_count(self) -> int:
        return len(self._sessions)

    def on_drained(self, tab: Tab) -> None:
        """The tab's socket has taken what was written: if it is behind, it catches up."""
        session = self._sessions.get(tab.session_id)
        if session is not None and tab.follower.reading:
            self._catch_up.request(session)

    # from the subscription

    def on_lost(self) -> None:
        """Redis is away: say so, and read the logs when it is back."""
        self._lose(self._sessions.values())

    def on_restored(self) -> None:
        """Every channel is subscribed again: read what was missed."""
        self._restore(self._sessions.values())

    def on_part_lost(self, channels: Collection[bytes]) -> None:
        """As `on_lost`, for the sessions of these channels: a cluster is lost in parts."""
        self._lose(self._following(channels))

    def on_part_restored(self, channels: Collection[bytes]) -> None:
        self._restore(self._following(channels))

    # loops

    async def compare_heads(self) -> None:
        """Every `HEADS_SECONDS`, find tabs whose cursor is not the head of their log. Never
        ends."""
        while True:
            await asyncio.sleep(self._settings.heads_seconds)
            sessions = [session for session in self._sessions.values() if session.tabs]
            for start in range(0, len(sessions), HEADS_PER_ROUND_TRIP):
                chunk = sessions[start : start + HEADS_PER_ROUND_TRIP]
                news = [session.news for session in chunk]
                try:
                    heads = await self._log.read_heads([session.session_id for session in chunk])
                except Unavailable as error:
                    _log.warning("heads could not be compared: %s", error)
                    break
                for session, before in zip(chunk, news, strict=True):
                    if session.session_id not in heads:
                        continue  # its node is away: what it has missed is read when that is back
                    # Else its texts are coming: behind them the head is ahead, and what is missing
                    # among them shows as a gap. A lost last one is found the next time.
                    if session.news == before:
                        self._on_head(session, heads[session.session_id])

    async def send_heartbeats(self) -> None:
        """Give silent sockets a sign of life, close those that take nothing, and count those that
        are behind. Never ends."""
        looked_at = 0.0
        while True:
            await asyncio.sleep(min(1.0, self._settings.heartbeat_seconds / 4))
            now = asyncio.get_running_loop().time()
            look = now - looked_at >= self._settings.stall_seconds / LOOKS_PER_STALL
            looked_at = now if look else looked_at
            behind = 0
            for session in self._sessions.values():
                for tab in session.tabs:
                    behind += tab.follower.reading
                    if look and tab.socket.has_stalled(now):
                        self._metrics.stalled.inc()
                        tab.socket.close(TRY_AGAIN, "took nothing")
                    elif tab.is_silent(now, self._settings.heartbeat_seconds):
                        tab.beat(session.head)
            self._metrics.tabs_behind.set(behind)
            self._fan_out.wants_sample = True

    # inside

    def _following(self, channels: Iterable[bytes]) -> list[FollowedSession]:
        return [self._by_channel[name] for name in channels if name in self._by_channel]

    def _lose(self, sessions: Iterable[FollowedSession]) -> None:
        self._metrics.redis_lost.inc()
        for session in sessions:
            session.hear_news()
            for tab in session.tabs:
                tab.follower.read_again()
                if tab.announced:
                    tab.say("reconnecting")

    def _restore(self, sessions: Iterable[FollowedSession]) -> None:
        for session in sessions:
            session.hear_news()
            for tab in session.tabs:
                tab.follower.read_again()  # one may have reached the head while nothing arrived
            self._catch_up.request(session)

    def _count_tabs(self, change: int) -> None:
        self._tab_count += change
        self._metrics.tabs.set(self._tab_count)

    async def _subscribe(self, channel: str) -> None:
        if self._subscription is not None:
            await self._subscription.subscribe(channel)

    def _follow(self, session_id: SessionId) -> FollowedSession:
        channel = self._channel_of(session_id)
        session = FollowedSession(session_id, channel)
        self._sessions[session_id] = session
        self._by_channel[channel.encode()] = session
        self._metrics.sessions.set(len(self._sessions))
        return session

    def _unfollow(self, session: FollowedSession) -> None:
        if session.reading is not None:
            session.reading.cancel()
        del self._sessions[session.session_id]
        del self._by_channel[session.channel.encode()]
        self._metrics.sessions.set(len(self._sessions))
        if self._subscription is not None:
            self._subscription.unsubscribe(session.channel)

    def _on_head(self, session: FollowedSession, head: Position | None) -> None:
        if session.head is not None and head != session.head:  # else its first page is on the way
            session.hear_news()
        session.head = head
        verdicts = [tab.follower.on_head(head) for tab in session.tabs]
        if Live.READ in verdicts:
            self._metrics.gaps.inc(verdicts.count(Live.READ))
            self._catch_up.request(session)
