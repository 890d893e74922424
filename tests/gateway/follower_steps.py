"""What a gateway does for one tab, step by step, with a follower of the test's."""

from gateway.follower import Follower, Live
from shared.ids import Position
from tests.gateway.fake_log import FakeLog


def read_to_the_end(follower: Follower, log: FakeLog, given_: list[Position], page: int = 3) -> int:
    """What the connection manager does for one tab; returns how often the tab was reset."""
    resets = 0
    while follower.reading:
        after = follower.cursor
        outcome = follower.on_page(log.page(after, page), after)
        if outcome.reset:
            resets += 1
            given_.clear()
        given_.extend(entry.position for entry in outcome.entries)
    return resets


def hear(follower: Follower, first: Position, last: Position | None = None) -> Live:
    """Texts for `first` and every place after it, to `last`, come."""
    return follower.on_live(Position(first.epoch, first.seq - 1), last or first)


def positions(log: FakeLog) -> list[Position]:
    return [entry.position for entry in log.entries]
