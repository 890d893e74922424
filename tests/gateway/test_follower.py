"""The follower: a tab is given every event once, in order, whatever happens to the live texts."""

from gateway.follower import Follower, Live
from shared.ids import Position
from tests.gateway.fake_log import FakeLog
from tests.gateway.follower_steps import hear, positions, read_to_the_end


def test_the_next_text_is_delivered_an_old_one_ignored_and_any_other_is_a_read() -> None:
    log = FakeLog()
    for _ in range(3):
        log.append()
    follower, taken = Follower(None), list[Position]()
    read_to_the_end(follower, log, taken)

    assert hear(follower, Position(0, 3)) is Live.IGNORE
    assert hear(follower, Position(0, 4)) is Live.DELIVER
    assert hear(follower, Position(0, 1)) is Live.IGNORE
    assert hear(follower, Position(0, 6)) is Live.READ
    assert follower.cursor == Position(0, 4)


def test_of_a_run_of_texts_those_after_the_cursor_are_to_be_delivered() -> None:
    log, taken = FakeLog(), list[Position]()
    for _ in range(3):
        log.append()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)

    assert hear(follower, Position(0, 1), Position(0, 3)) is Live.IGNORE
    assert hear(follower, Position(0, 2), Position(0, 5)) is Live.DELIVER
    assert follower.cursor == Position(0, 5)
    assert hear(follower, Position(0, 6), Position(0, 9)) is Live.DELIVER
    assert hear(follower, Position(0, 11), Position(0, 20)) is Live.READ
    assert follower.cursor == Position(0, 9)


def test_a_run_that_holds_the_last_live_place_again_is_told_apart_by_the_log() -> None:
    log, taken = FakeLog(), list[Position]()
    log.append()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)
    assert hear(follower, Position(0, 2)) is Live.DELIVER, "a forged one"
    log.append()
    log.append()
    assert hear(follower, Position(0, 2), Position(0, 3)) is Live.READ
    assert (read_to_the_end(follower, log, taken), taken) == (1, positions(log))


def test_two_texts_at_one_place_are_told_apart_by_the_log() -> None:
    """Somebody published one that looked like the next; the true one came after it."""
    log, taken = FakeLog(), list[Position]()
    log.append()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)

    assert hear(follower, Position(0, 2)) is Live.DELIVER
    log.append()
    assert hear(follower, Position(0, 2)) is Live.READ
    assert read_to_the_end(follower, log, taken) == 1
    assert taken == positions(log)
    assert hear(follower, Position(0, 2)) is Live.IGNORE, "a page gave it to the tab"
    assert hear(follower, log.append()) is Live.DELIVER


def test_a_forged_text_is_taken_back_also_when_the_true_one_comes_in_the_midst_of_a_read() -> None:
    log, taken = FakeLog(), list[Position]()
    log.append()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)
    hear(follower, Position(0, 2))
    assert hear(follower, Position(0, 9)) is Live.READ
    log.append()
    log.append()
    assert read_to_the_end(follower, log, taken) == 0
    assert hear(follower, Position(0, 2)) is Live.READ
    assert (read_to_the_end(follower, log, taken), taken) == (1, positions(log))


def test_the_first_event_of_an_empty_log_is_read_not_guessed() -> None:
    """Nothing proves that a first text is the first: the log does."""
    log, taken = FakeLog(), list[Position]()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)
    assert hear(follower, log.append()) is Live.READ
    read_to_the_end(follower, log, taken)
    assert taken == positions(log)


def test_a_live_text_during_a_read_says_read_again() -> None:
    log, taken = FakeLog(), list[Position]()
    log.append()
    follower = Follower(None)
    page = log.page(None, 10)  # read before the next text was written
    assert hear(follower, log.append()) is Live.IGNORE
    taken += [entry.position for entry in follower.on_page(page, None).entries]
    assert follower.reading
    read_to_the_end(follower, log, taken)
    assert taken == positions(log)


def test_a_forged_text_from_far_ahead_costs_reads_and_nothing_else() -> None:
    log, taken = FakeLog(), list[Position]()
    log.append()
    follower = Follower(None)
    hear(follower, Position(2**53 - 1, 7))
    assert read_to_the_end(follower, log, taken) == 0
    assert taken == positions(log)
    assert not follower.reading


def test_a_difference_of_heads_is_a_read_in_either_direction() -> None:
    log, taken = FakeLog(), list[Position]()
    for _ in range(3):
        log.append()
    follower = Follower(None)
    read_to_the_end(follower, log, taken)
    assert follower.on_head(log.head) is Live.IGNORE
    log.append()
    assert follower.on_head(log.head) is Live.READ
    read_to_the_end(follower, log, taken)
    log.restart_forgetting(2)
    assert follower.on_head(log.head) is Live.READ
    assert read_to_the_end(follower, log, taken) == 1
    assert taken == positions(log)


def test_a_cursor_that_compaction_removed_resumes_cleanly() -> None:
    log = FakeLog()
    places = [log.append() for _ in range(5)]
    log.compact(places[2])
    taken: list[Position] = []
    assert read_to_the_end(Follower(places[2]), log, taken) == 0
    assert taken == places[3:]


def test_a_log_whose_last_entries_were_removed_ends_at_its_head() -> None:
    log, taken = FakeLog(), list[Position]()
    places = [log.append() for _ in range(3)]
    log.compact(places[2])
    follower = Follower(None)
    read_to_the_end(follower, log, taken)
    assert follower.cursor == places[2]
    assert hear(follower, log.append()) is Live.DELIVER


def test_a_cursor_before_the_trim_mark_is_reset() -> None:
    log, taken = FakeLog(), list[Position]()
    places = [log.append() for _ in range(6)]
    log.trim(keep=3)
    assert read_to_the_end(Follower(places[1]), log, taken) == 1
    assert taken == places[3:]
    taken.clear()
    assert read_to_the_end(Follower(places[2]), log, taken) == 0, "nothing is missing at the mark"


def test_cursors_that_are_no_place_in_this_log_are_reset() -> None:
    log = FakeLog(epoch=5)
    for _ in range(3):
        log.append()
    for cursor in (Position(5, 4), Position(4, 2), Position(6, 1), Position(0, 0)):
        taken: list[Position] = []
        assert read_to_the_end(Follower(cursor), log, taken) == 1, cursor
        assert taken == positions(log)
    taken = []
    assert read_to_the_end(Follower(Position(5, 1)), FakeLog(), taken) == 1, "expired"


def test_one_replay_passes_through_an_older_epoch_without_another_reset() -> None:
    log, taken = FakeLog(), list[Position]()
    for _ in range(5):
        log.append()
    log.restart_forgetting(0)
    for _ in range(5):
        log.append()
    assert read_to_the_end(Follower(None), log, taken, page=2) == 0
    assert taken == positions(log)
