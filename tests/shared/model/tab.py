"""A tab as the model sees it: the follower that a gateway has for it, live texts that may be lost
on their way, and pages that may be old when they come."""

import json
from collections import deque
from typing import Literal

from gateway.follower import Follower, Live
from shared.ids import Position, SessionId, parse_position
from shared.session_log import LogEntry, LogPage
from tests.shared.model.world import World

TabStep = Literal[
    "hear", "hear many", "lose", "read", "take page", "catch up", "compare heads", "reconnect"
]
PAGE_EVENTS = 3
"""So few that most readings need several pages, between which anything may happen."""
MOST_PAGES = 1000
MOST_READINGS = 3
"""Until a tab has found out that it is of another epoch, and then reached the head."""


class Tab:
    """One tab of one session, and what it shows."""

    def __init__(self, world: World, session: SessionId) -> None:
        self.session = session
        self.shown: list[Position] = []
        """Of the events since the last reset."""
        self._world = world
        self._follower = Follower(None)
        self._texts: deque[Position] = deque()
        self._page: tuple[LogPage, Position | None] | None = None

    def on_published(self, place: str) -> None:
        """A text is on its way."""
        self._texts.append(parse_position(place))

    def go_on(self, step: TabStep) -> None:
        """One thing happens to this tab."""
        match step:
            case "hear":
                self._hear()
            case "hear many":
                self._hear(most=len(self._texts))
            case "lose":
                if self._texts:
                    self._texts.popleft()
            case "read":
                self._read()
            case "take page":
                self._take_page()
            case "catch up":
                self._catch_up()
            case "compare heads":
                self._follower.on_head(self._read_after(None).head)
            case "reconnect":
                self._reconnect()

    def connection_broke(self) -> None:
        """The gateway has lost its subscription: what was on it is gone, and everybody reads."""
        self._texts.clear()
        self._follower.read_again()

    def settle(self) -> None:
        """Nothing disturbs any more: what is on its way comes, and heads are compared."""
        while self._texts:
            self._hear()
        for _ in range(MOST_READINGS):
            self._catch_up()
            self.go_on("compare heads")
            if not self._follower.reading:
                return
        raise AssertionError(f"the tab never reaches the head: {self.shown[-1:]}")

    def check(self) -> None:
        """It shows all that the log has, and beside it pieces of texts that have left it."""
        held = self._world.truths[self.session].log
        shown = [str(place) for place in self.shown]
        assert [place for place in shown if place in held] == list(held)
        for place in shown:
            event = json.loads(self._world.ever[self.session, place])
            assert place in held or event["type"] == "delta", f"{place} is not in the log"

    def _hear(self, most: int = 1) -> None:
        """One text comes, or a run of several in one read of the connection."""
        run: list[Position] = []
        while self._texts and len(run) < most:
            if run and not self._texts[0].is_next_after(run[-1]):
                break
            run.append(self._texts.popleft())
        if not run:
            return
        cursor = self._follower.cursor
        if self._follower.on_live(Position(run[0].epoch, run[0].seq - 1), run[-1]) is Live.DELIVER:
            for place in run:
                if cursor is not None and place > cursor:
                    assert place.is_next_after(self.shown[-1]), f"{place} after {self.shown[-1]}"
                    self.shown.append(place)

    def _catch_up(self) -> None:
        """Page after page, with nothing between."""
        for _ in range(MOST_PAGES):
            if not self._follower.reading:
                return
            self._read()
            self._take_page()
        raise AssertionError("the log has no end")

    def _read(self) -> None:
        """A page leaves Redis; it comes when it comes, and only one is on its way."""
        if self._follower.reading and self._page is None:
            after = self._follower.cursor
            self._page = self._read_after(after), after

    def _take_page(self) -> None:
        if self._page is None:
            return
        (page, after), self._page = self._page, None
        outcome = self._follower.on_page(page, after)
        if outcome.reset:
            self.shown.clear()
        for entry in outcome.entries:
            assert not self.shown or entry.position > self.shown[-1], f"{entry} came late"
            published = self._world.ever[self.session, str(entry.position)]
            assert json.dumps(json.loads(entry.stored)) == published
            self.shown.append(entry.position)

    def _reconnect(self) -> None:
        """On a new socket, perhaps on another gateway, from the last event that is shown."""
        self._follower = Follower(self.shown[-1] if self.shown else None)
        self._texts.clear()
        self._page = None

    def _read_after(self, after: Position | None) -> LogPage:
        place = "" if after is None else str(after)
        epoch, head, trimmed, flat = self._world.look("read", self.session, place, PAGE_EVENTS)
        assert trimmed is None
        entries = [
            LogEntry(parse_position(entry.decode()), stored.decode())
            for entry, stored in zip(flat[::2], flat[1::2], strict=True)
        ]
        newest = None if epoch is None else Position(int(epoch), int(head))
        return LogPage(entries, newest, None, len(entries) < PAGE_EVENTS)
