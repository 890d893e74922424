"""Positions that a tab may name when it comes back, and what must be said to each kind."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.row import Row
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic
from tests.faults.view import Answered, View

OLD = "old positions resumed"
AHEAD = "ahead of the head, reset"
ELSEWHEN = "of another epoch, reset"
MALFORMED = "malformed, reset"
KINDS = (OLD, AHEAD, ELSEWHEN, MALFORMED)

BEYOND = 2**53
NOT_POSITIONS: tuple[Callable[[int, int], str], ...] = (
    lambda epoch, seq: "",
    lambda epoch, seq: "-",
    lambda epoch, seq: " ",
    lambda epoch, seq: "null",
    lambda epoch, seq: "$",
    lambda epoch, seq: f"{epoch}",
    lambda epoch, seq: f"{epoch}-",
    lambda epoch, seq: f"-{seq}",
    lambda epoch, seq: f"{epoch}-{seq}-0",
    lambda epoch, seq: f"{epoch}-{seq} ",
    lambda epoch, seq: f"{epoch}-{seq}\n",
    lambda epoch, seq: f"({epoch}-{seq}",
    lambda epoch, seq: f"{epoch}-0{seq}",
    lambda epoch, seq: f"{epoch}-+{seq}",
    lambda epoch, seq: f"{epoch}-{seq}.0",
    lambda epoch, seq: f"{epoch}-{BEYOND}",
    lambda epoch, seq: f"{BEYOND}-{seq}",
    lambda epoch, seq: f"{epoch}-{'9' * 2000}",
    lambda epoch, seq: f"{epoch}-\u0661",  # a digit, but not one of ours
    lambda epoch, seq: f"{epoch}-{seq}\0",
    lambda epoch, seq: f"{epoch}:{seq}",
)


async def resume_from_all_kinds(row: Row, traffic: Traffic) -> None:
    """Send one tab of every session away, and let it come back with a position of some kind."""
    random = traffic.random
    sessions = random.sample(traffic.sessions, len(traffic.sessions))
    kinds = [AHEAD, AHEAD, ELSEWHEN, ELSEWHEN, *[OLD] * (len(sessions) // 3)]
    kinds += [MALFORMED] * (len(sessions) - len(kinds))
    tries = [
        _Try(row, traffic, random.choice(session.tabs), kind, Random(random.getrandbits(64)))
        for session, kind in zip(sessions, kinds, strict=True)
    ]
    await asyncio.gather(*(one.run() for one in tries))


def judge_good_cursors(row: Row, tabs: Sequence[Tab]) -> None:
    """Every cursor that these tabs have named was good: it must have been honoured."""
    for tab in tabs:
        for answer in tab.view.answers:
            _compare(row, answer, Answered(answer.cursor, resumed=True, reset=False))
        if tab.view.resets:
            row.problems.append(f"{tab.session_id} was reset {tab.view.resets} times")


@dataclass(frozen=True)
class _Try:
    """One tab that goes away and comes back."""

    row: Row
    traffic: Traffic
    tab: Tab
    kind: str
    random: Random

    async def run(self) -> None:
        """Count it when it was answered as it must be; else it is a problem."""
        await self._send_away()
        position = self._old_position() if self.kind == OLD else self._bad_position()
        wanted = Answered(position, resumed=self.kind == OLD, reset=self.kind != OLD)
        answered = len(self.tab.view.answers)
        self.tab.come_back()
        await self.traffic.until(lambda: len(self.tab.view.answers) > answered, "a tab is back")
        answer = self.tab.view.answers[answered]
        self.row.happened(self.kind, answer == wanted)
        _compare(self.row, answer, wanted)

    async def _send_away(self) -> None:
        """Cut its socket and see that it opens none."""
        self.tab.is_away = True
        await self.traffic.until(lambda: self.tab.is_open, "a tab has a socket")
        self.tab.cut()
        await self.traffic.until(lambda: not self.tab.is_open, "a tab has lost its socket")

    def _old_position(self) -> str:
        """The tab is given back what it had earlier, as a page is that comes back from sleep: the
        judge then wants what came after, all of it and nothing twice."""
        view = self.tab.view
        self.tab.view = as_it_was(view, self.random.randint(1, len(view.events)))
        assert self.tab.view.last_event_id is not None
        return self.tab.view.last_event_id

    def _bad_position(self) -> str:
        assert self.tab.view.cursor is not None
        epoch, seq = self.tab.view.cursor
        position = self.random.choice(NOT_POSITIONS)(epoch, seq)
        if self.kind == AHEAD:
            position = f"{epoch}-{seq + self.random.choice((10**5, 10**15))}"
        elif self.kind == ELSEWHEN:
            position = f"{epoch + self.random.choice((-epoch, -1, 1, 10**6))}-{seq}"
        self.tab.resume_from(position)
        return position


def as_it_was(view: View, count: int) -> View:
    """The view when it had been given so many events."""
    old = View()
    for frame in view.events[:count]:
        old.take(frame)
    old.breaches = view.breaches  # what was broken stays broken
    return old


def _compare(row: Row, answer: Answered, wanted: Answered) -> None:
    if answer != wanted:
        row.problems.append(f"a position was answered {answer}, and not {wanted}")
