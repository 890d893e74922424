"""The follower under random steps: whatever happens to the live texts, the tab ends complete."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.follower import Follower, Live
from shared.ids import Position
from tests.gateway.fake_log import FakeLog
from tests.gateway.follower_steps import hear, positions, read_to_the_end

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from(["arrives", "lost", "twice", "late"])),
        st.tuples(st.just("compact"), st.integers(0, 20)),
        st.tuples(st.just("restart"), st.integers(0, 4)),
        st.tuples(st.just("trim"), st.integers(2, 6)),
        st.tuples(st.just("heads"), st.none()),
        st.tuples(st.just("reconnect"), st.none()),
        st.tuples(st.just("read"), st.none()),
    ),
    max_size=60,
)


class Driven:
    """One tab's follower over a log, driven by the steps of a test."""

    def __init__(self, page: int) -> None:
        self.log = FakeLog()
        self.page = page
        self.follower = Follower(None)
        self.taken: list[Position] = []
        self.late: list[Position] = []

    def live(self, position: Position) -> None:
        if hear(self.follower, position) is Live.DELIVER:
            self.taken.append(position)

    def append(self, fate: str) -> None:
        position = self.log.append()
        for _ in range({"arrives": 1, "twice": 2}.get(fate, 0)):
            self.live(position)
        if fate == "late":
            self.late.append(position)

    def compact(self, which: int) -> None:
        if self.log.entries:
            self.log.compact(self.log.entries[which % len(self.log.entries)].position)

    def restart(self, forgotten: int) -> None:
        self.log.restart_forgetting(forgotten)
        self.log.append()  # an epoch begins with an event

    def trim(self, keep: int) -> None:
        self.log.trim(keep)

    def heads(self, _: object) -> None:
        self.follower.on_head(self.log.head)

    def reconnect(self, _: object) -> None:
        self.follower = Follower(self.follower.cursor)

    def read(self, _: object) -> None:
        read_to_the_end(self.follower, self.log, self.taken, self.page)


@given(steps, st.integers(1, 4))
def test_any_interleaving_ends_with_exactly_what_the_log_holds(
    actions: Sequence[tuple[str, object]], page: int
) -> None:
    """Lost, doubled and late texts, restarts, trims, compaction, reconnects: after a comparison of
    heads, a tab that applied resets holds every event of the log once, in order, and beside them
    only what it was given before compaction or trimming removed it."""
    tab = Driven(page)
    for action, argument in actions:
        getattr(tab, action)(argument)
        for position in tab.late:
            tab.live(position)
    tab.heads(None)
    tab.read(None)

    taken, held = tab.taken, set(positions(tab.log))
    assert taken == sorted(set(taken)), "in order, nothing twice"
    assert held <= set(taken), "nothing is missing"
    trimmed = tab.log.trimmed or Position(-1, 0)
    beyond = [place for place in taken if place not in held]
    assert all(place in tab.log.removed or place <= trimmed for place in beyond)
