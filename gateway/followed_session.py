"""A session that tabs of this gateway follow, and what is known of it here."""

import asyncio
from dataclasses import dataclass

from gateway.frames import Frames
from gateway.tab import Tab
from shared.ids import Position, SessionId
from shared.session_log import LogPage

PreparedFrames = dict[Position | None, Frames]
"""A page's frames by the cursor they begin after: tabs at the same place share them."""


@dataclass(frozen=True)
class SharedPage:
    """A page that reaches the head, for tabs that come after it was asked for."""

    page: LogPage
    after: Position | None
    prepared: PreparedFrames

    def serves(self, cursor: Position | None) -> bool:
        """Whether a tab at `cursor` may have it. It never means a reset to one that came later:
        that one may have been told elsewhere what is newer than the page."""
        head = self.page.head
        if cursor is None or head is None:
            return cursor is None and self.after is None
        is_in_reach = cursor.epoch == head.epoch and cursor <= head
        is_whole = self.page.trimmed is None or cursor >= self.page.trimmed
        return is_in_reach and is_whole and (self.after is None or cursor >= self.after)


class FollowedSession:
    """A session with at least one tab here, or that had one a moment ago."""

    __slots__ = (
        "channel", "has_foreign_texts", "head", "kept", "linger", "name", "news", "reading",
        "session_id", "tabs",
    )  # fmt: skip

    def __init__(self, session_id: SessionId, channel: str) -> None:
        self.session_id = session_id
        self.name = session_id.encode()
        self.channel = channel
        self.tabs: set[Tab] = set()
        self.head: Position | None = None
        """The head of the log, as last heard of."""
        self.has_foreign_texts = False
        """Whether somebody else publishes on its channel, which has been logged."""
        self.news = 0
        """How often something was heard of it: a page asked for before that may be old."""
        self.kept: SharedPage | None = None
        """The end of the log, for as long as nothing is heard."""
        self.reading: asyncio.Task[None] | None = None
        self.linger: asyncio.TimerHandle | None = None

    def hear_news(self) -> None:
        """A text has come, or another head was seen, or Redis lost: what was read may be old."""
        self.news += 1
        self.kept = None

    def tabs_that_want_a_page(self) -> list[Tab]:
        return [tab for tab in self.tabs if tab.wants_page]
