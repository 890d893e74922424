"""Catching up: pages of a session's log, read once for all of its tabs that need them.

First load, reconnect, a gap, a slow tab, Redis back after an outage: one read serves them all. Each
tab's follower judges the page for that tab; nothing here decides.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from gateway.frames import Frames
from gateway.metrics import Metrics
from gateway.replay import frames_of
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.errors import NotALog, Unavailable
from shared.ids import Position, SessionId
from shared.session_log import LogEntry, LogPage, SessionLog

_log = logging.getLogger(__name__)

READ_RETRY_SECONDS = 0.25

PreparedFrames = dict[Position | None, Frames]
"""A page's frames by the cursor they begin after: tabs at the same place share them."""


class FollowedSession:
    """A session with at least one tab here, or that had one a moment ago."""

    __slots__ = ("channel", "head", "linger", "name", "reading", "session_id", "tabs")

    def __init__(self, session_id: SessionId, channel: str) -> None:
        self.session_id = session_id
        self.name = session_id.encode()
        self.channel = channel
        self.tabs: set[Tab] = set()
        self.head: Position | None = None
        """The head of the log, as last heard of."""
        self.reading: asyncio.Task[None] | None = None
        self.linger: asyncio.TimerHandle | None = None

    def tabs_that_want_a_page(self) -> list[Tab]:
        return [tab for tab in self.tabs if tab.wants_page]


class CatchUp:
    """Brings tabs to the live tail of their logs."""

    def __init__(
        self,
        log: SessionLog,
        subscribe: Callable[[str], Awaitable[None]],
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._log = log
        self._subscribe = subscribe
        self._settings = settings
        self._metrics = metrics

    def request(self, session: FollowedSession) -> None:
        """See that the tabs which want a page get it. At most one read per session is under way,
        shared by all of them."""
        if session.reading is None:
            session.reading = asyncio.create_task(
                self._read(session), name=f"read {session.channel}"
            )

    async def _read(self, session: FollowedSession) -> None:
        try:
            while tabs := session.tabs_that_want_a_page():
                after = min((tab.follower.cursor for tab in tabs), key=_from_the_beginning)
                page, frames = await self._read_page(session, after)
                session.head = page.head
                prepared: PreparedFrames = {after: frames}
                for tab in session.tabs_that_want_a_page():
                    cursor = tab.follower.cursor
                    if after is None or (cursor is not None and cursor >= after):
                        self._deliver(tab, page, after, prepared)
                    # else: it came while the page was being read
        finally:
            session.reading = None

    async def _read_page(
        self, session: FollowedSession, after: Position | None
    ) -> tuple[LogPage, Frames]:
        """One page and its frames, however long Redis is away; the tabs have been told that it is.
        The frames are made here, before any cursor moves: a page that cannot be delivered whole is
        not delivered at all."""
        while True:
            # Subscribe before reading. The other way round, an event appended between the two
            # would reach neither, and the tab would stay one token short until the next.
            await self._subscribe(session.channel)
            try:
                page = await self._log.read_after(
                    session.session_id, after, self._settings.page_events
                )
                frames = _prepare(page.entries)
            except Unavailable as error:
                _log.warning("%s: log could not be read: %s", session.channel, error)
                await asyncio.sleep(READ_RETRY_SECONDS)
            except NotALog as error:
                _log.error("%s: not a log: %s", session.channel, error)
                self._metrics.broken_logs.inc()
                await asyncio.sleep(self._settings.heads_seconds)
            else:
                self._metrics.pages.inc()
                return page, frames

    def _deliver(
        self, tab: Tab, page: LogPage, after: Position | None, prepared: PreparedFrames
    ) -> None:
        cursor = tab.follower.cursor
        outcome = tab.follower.on_page(page, after)
        if outcome.reset and tab.announced:
            tab.say("reconnecting")
        if not tab.announced:
            tab.announce(
                page,
                cursor=cursor,
                reset=outcome.reset,
                heartbeat_seconds=self._settings.heartbeat_seconds,
            )
        start = None if outcome.reset else cursor
        if start not in prepared:
            prepared[start] = _prepare(outcome.entries)
        if texts := prepared[start].texts:
            tab.give(prepared[start])
            self._metrics.deliveries.inc(len(texts))


def _prepare(entries: Sequence[LogEntry]) -> Frames:
    return Frames([text.encode() for text in frames_of(entries)])


def _from_the_beginning(cursor: Position | None) -> Position:
    return Position(-1, 0) if cursor is None else cursor
