"""Positions that a tab may name when it comes back, and what must be said to each kind."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
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
Write = Callable[[int, int], str]
"""A position made from the epoch and the number of the one that the tab holds."""
NOT_POSITIONS: tuple[Write, ...] = (
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
BAD: dict[str, tuple[Write, ...]] = {
    AHEAD: (
        lambda epoch, seq: f"{epoch}-{seq + 10**5}",
        lambda epoch, seq: f"{epoch}-{seq + 10**15}",
    ),
    ELSEWHEN: (
        lambda epoch, seq: f"0-{seq}",
        lambda epoch, seq: f"{epoch - 1}-{seq}",
        lambda epoch, seq: f"{epoch + 1}-{seq}",
        lambda epoch, seq: f"{epoch + 10**6}-{seq}",
    ),
    MALFORMED: NOT_POSITIONS,
}


class Deal:
    """Deals the bad positions of every kind out, in an order by the seed: none comes a second time
    before each has come once."""

    def __init__(self, random: Random) -> None:
        orders = {kind: random.sample(range(len(BAD[kind])), len(BAD[kind])) for kind in BAD}
        self._next = {kind: cycle(order) for kind, order in orders.items()}
        self._left = {(kind, number) for kind, order in orders.items() for number in order}

    def draw(self, kind: str) -> Write:
        number = next(self._next[kind])
        self._left.discard((kind, number))
        return BAD[kind][number]

    @property
    def left(self) -> int:
        """How many have not come yet."""
        return len(self._left)

    @property
    def told(self) -> str:
        everything = sum(map(len, BAD.values()))
        return f"{everything - self.left} of {everything} different bad positions were named"


async def resume_from_all_kinds(row: Row, traffic: Traffic, deal: Deal) -> None:
    """Send one tab of every session away, and let it come back with a position of some kind."""
    random = traffic.random
    sessions = random.sample(traffic.sessions, len(traffic.sessions))
    kinds = [AHEAD, AHEAD, ELSEWHEN, ELSEWHEN, *[OLD] * (len(sessions) // 3)]
    kinds += [MALFORMED] * (len(sessions) - len(kinds))
    tries = [
        _Try(
            row,
            traffic,
            random.choice(session.tabs),
            kind,
            None if kind == OLD else deal.draw(kind),
            Random(random.getrandbits(64)),
        )
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
    bad: Write | None
    """What it names instead of an old position."""
    random: Random

    async def run(self) -> None:
        """Count it when it was answered as it must be; else it is a problem."""
        await self._send_away()
        position = self._bad_position(self.bad) if self.bad else self._old_position()
        wanted = Answered(position, resumed=self.bad is None, reset=self.bad is not None)
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

    def _bad_position(self, write: Write) -> str:
        assert self.tab.view.cursor is not None
        position = write(*self.tab.view.cursor)
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
