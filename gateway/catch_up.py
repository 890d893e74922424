"""Catching up: pages of a session's log, read once for all of its tabs that need them.

First load, reconnect, a gap, a slow tab, Redis back after an outage: one read serves them all. Each
tab's follower judges the page for that tab; nothing here decides.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from gateway.followed_session import FollowedSession, PreparedFrames, SharedPage
from gateway.frames import Frames
from gateway.metrics import Metrics
from gateway.replay import frames_of
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.errors import NotALog, Unavailable
from shared.ids import Position
from shared.session_log import LogEntry, LogPage, SessionLog

_log = logging.getLogger(__name__)

READ_RETRY_SECONDS = 0.25
READS_AT_ONCE = 32
"""Over all sessions: each takes a connection, of which the client has a hundred. When everybody
comes back at once, enough are left for what tabs say."""

KEPT_BYTES = 16_384
"""A page of no more than this is kept for a moment: when everybody comes back at once, most have
missed little or nothing."""


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
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    def request(self, session: FollowedSession) -> None:
        """See that the tabs which want a page get it. At most one read per session is under way,
        shared by all of them; its end serves those who come after it too, until something is heard
        of the session or `HEADS_SECONDS` are over: so long an open tab may be wrong anyway."""
        if session.kept is not None:
            self._share(session.kept, session.tabs_that_want_a_page())
        if session.reading is None and session.tabs_that_want_a_page():
            session.reading = asyncio.create_task(
                self._read(session), name=f"read {session.channel}"
            )

    async def _read(self, session: FollowedSession) -> None:
        begun = time.monotonic()
        try:
            while tabs := session.tabs_that_want_a_page():
                after = min((tab.follower.cursor for tab in tabs), key=_from_the_beginning)
                news = session.news
                page, frames = await self._read_page(session, after)
                session.kept = None
                session.head = page.head
                shared = SharedPage(page, after, {after: frames})
                for tab in set(tabs).intersection(session.tabs_that_want_a_page()):
                    self._deliver(tab, page, after, shared.prepared)
                # Others came while the page was being read.
                if session.news == news and page.is_last:
                    self._share(shared, session.tabs_that_want_a_page())
                    if sum(map(len, frames.texts)) <= KEPT_BYTES:
                        self._keep(session, shared)
            self._metrics.catch_up_seconds.observe(time.monotonic() - begun)
        finally:
            session.reading = None

    async def _read_page(
        self, session: FollowedSession, after: Position | None
    ) -> tuple[LogPage, Frames]:
        """One page and its frames, however long Redis is away; the tabs have been told that it is.
        The frames are made here, before any cursor moves: a page that cannot be delivered whole is
        not delivered at all."""
        logged = ""
        name = session.session_id[:8]
        while True:
            # Subscribe before reading. The other way round, an event appended between the two
            # would reach neither, and the tab would stay one token short until the next.
            await self._subscribe(session.channel)
            try:
                async with self._reads:
                    page = await self._log.read_after(
                        session.session_id,
                        after,
                        self._settings.page_events,
                        self._settings.page_bytes,
                    )
                frames = _prepare(page.entries)
            except Unavailable as error:
                if not logged:
                    _log.warning("session %s: log could not be read: %s", name, error)
                logged = logged or "unavailable"
                await asyncio.sleep(READ_RETRY_SECONDS)
            except NotALog as error:
                if logged != "not a log":
                    _log.error("session %s: not a log: %s", name, error)
                logged = "not a log"
                self._metrics.broken_logs.inc()
                await asyncio.sleep(self._settings.heads_seconds)
            else:
                self._metrics.pages.inc()
                return page, frames

    def _share(self, shared: SharedPage, tabs: list[Tab]) -> None:
        for tab in tabs:
            if shared.serves(tab.follower.cursor):
                self._deliver(tab, shared.page, shared.after, shared.prepared)

    def _keep(self, session: FollowedSession, shared: SharedPage) -> None:
        def forget() -> None:
            if session.kept is shared:
                session.kept = None

        session.kept = shared
        asyncio.get_running_loop().call_later(self._settings.heads_seconds, forget)

    def _deliver(
        self, tab: Tab, page: LogPage, after: Position | None, prepared: PreparedFrames
    ) -> None:
        cursor = tab.follower.cursor
        outcome = tab.follower.on_page(page, after)
        if outcome.reset and tab.announced:
            tab.say("reconnecting")
        if not tab.announced or _leads_beyond(tab.told_head, cursor, page, outcome.entries):
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
            self._metrics.deliveries.value += len(texts)
            self._metrics.catch_up_frames.value += len(texts)
        if not tab.follower.reading:
            self._metrics.catch_ups.value += 1


def _prepare(entries: Sequence[LogEntry]) -> Frames:
    return Frames([text.encode() for text in frames_of(entries)])


def _leads_beyond(
    told: Position | None, cursor: Position | None, page: LogPage, entries: Sequence[LogEntry]
) -> bool:
    """Whether this page steps into another epoch, of which the tab was told less: it accepts such a
    step up to the head that it was told. A log may begin an epoch between two pages, and the first
    frame of one may be a text that was merged up to a later place."""
    if page.head is None or not entries:
        return page.head is None and told is not None
    before, last = cursor or entries[0].position, entries[-1].position
    return before.epoch != last.epoch and (told is None or last > told)


def _from_the_beginning(cursor: Position | None) -> Position:
    return Position(-1, 0) if cursor is None else cursor
