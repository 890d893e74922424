"""The follower: one tab's cursor and the one rule that delivers.

    deliver if it is the next; ignore if it is old; otherwise read the log from the cursor.

First load, reconnect, another gateway, a lost pub/sub message, a Redis restart and a slow tab are
the same read. This module is pure: it is told what arrived and answers what to do; it does no I/O,
knows no socket and no clock. Sections 1 and 3 of DESIGN.md are its specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from shared.ids import Position
from shared.session_log import LogEntry, LogPage


class Live(Enum):
    """What to do with texts that pub/sub brought."""

    DELIVER = "deliver"
    IGNORE = "ignore"
    READ = "read"


_DELIVER, _IGNORE, _READ = Live  # to look a member up takes eight times as long


@dataclass(frozen=True)
class PageOutcome:
    """What a page of the log means for one tab."""

    entries: Sequence[LogEntry]
    """To deliver, in order; after `reset`, from the beginning of the log."""
    reset: bool
    """The tab must drop what it has: its cursor is not a place in this log."""


class Follower:
    """Decides for one tab. It starts by reading; it is live when reading has reached the head."""

    __slots__ = (
        "_began_under", "_delivered_live", "_is_misled", "_newest_seen", "cursor", "reading",
    )  # fmt: skip

    def __init__(self, cursor: Position | None) -> None:
        self.cursor = cursor
        """The position of the last event that the tab has been given."""
        self.reading = True
        self._began_under: int | None = None  # epoch under which this reading began
        self._newest_seen: Position | None = None  # by a live text while reading
        self._delivered_live: Position | None = None  # the last that a live text gave to the tab
        self._is_misled = False  # whether that may have been what the log does not have

    def on_live(self, before: tuple[int, int], last: Position) -> Live:
        """Texts arrived for every place after `before`, to `last`. On `DELIVER` the tab is to be
        given those after its cursor, which has moved to `last`."""
        cursor = self.cursor
        if cursor == before and not self.reading:
            self.cursor = self._delivered_live = last
            return _DELIVER
        if self._delivered_live is not None and before < self._delivered_live <= last:
            # Redis brings what a script has published once: one of the two was forged, and only
            # the log knows which.
            self._is_misled = True
        if self.reading:
            # The read that is under way may have been made before these texts were written.
            if self._newest_seen is None or last > self._newest_seen:
                self._newest_seen = last
            return _IGNORE
        if cursor is None or cursor < before or self._is_misled:
            self.read_again()
            return _READ
        if last <= cursor:
            return _IGNORE
        self.cursor = self._delivered_live = last
        return _DELIVER

    def on_head(self, head: Position | None) -> Live:
        """The log's head is `head`: a difference, in either direction, is something to read. A lost
        *last* message reveals no gap, and a restored snapshot shows itself only here."""
        if self.reading or head == self.cursor:
            return _IGNORE
        self.read_again()
        return _READ

    def read_again(self) -> None:
        """Leave the live tail: the log has what comes after the cursor."""
        self.reading = True

    def on_page(self, page: LogPage, after: Position | None) -> PageOutcome:
        """A page that was read from `after`, at or before the cursor, has come.

        Every page is judged, not only the first: an epoch may begin and a log be trimmed between
        two of them. Afterwards `reading` says whether another page is needed.
        """
        reset = self._must_reset(page)
        if reset:
            self.cursor = self._delivered_live = None
            self._is_misled = False
        if page.head is not None:
            self._began_under = page.head.epoch
        if reset and after is not None:
            return PageOutcome([], reset=True)

        entries = [
            entry for entry in page.entries if self.cursor is None or entry.position > self.cursor
        ]
        if entries:
            self.cursor = entries[-1].position
        if page.is_last:
            self._reach(page.head)
        return PageOutcome(entries, reset)

    def _must_reset(self, page: LogPage) -> bool:
        if self.cursor is None:
            return False
        if page.head is None or self._is_misled:
            return True
        # A reading that began under the newest epoch passes through older ones without a reset.
        began_under = self.cursor.epoch if self._began_under is None else self._began_under
        if page.head.epoch != began_under or self.cursor > page.head:
            return True
        return page.trimmed is not None and self.cursor < page.trimmed

    def _reach(self, head: Position | None) -> None:
        # The last entries may have left the log by compaction: the head is the cursor all the same.
        self.cursor = head
        behind = self._newest_seen is not None and (head is None or self._newest_seen > head)
        self._newest_seen = None
        if not behind:
            self.reading = False
            self._began_under = None
