"""When the next socket is opened: pure, in seconds of the test's own clock."""

import pytest
from fanline import Backoff
from fanline.backoff import Pauses

STABLE = Backoff(first_seconds=1, longest_seconds=30, stable_seconds=5)


def test_waits_double_up_to_a_bound_and_differ() -> None:
    bounds = [1, 2, 4, 8, 16, 30, 30]
    for failures, bound in enumerate(bounds):
        waits = [STABLE.delay(failures) for _ in range(50)]
        assert all(bound / 2 <= wait <= bound for wait in waits)
        assert len(set(waits)) > 1
    assert STABLE.delay(10**6) <= 30


def pause_after(pauses: Pauses, now: float, code: int | None, reason: str = "") -> float:
    pauses.on_opened(now)
    pauses.on_lost(now, code, reason)
    return pauses.not_before - now


def test_each_socket_that_breaks_at_once_makes_the_wait_longer_and_one_that_held_does_not() -> None:
    pauses = Pauses(STABLE)
    for bound in (1, 2, 4):
        assert bound / 2 <= pause_after(pauses, 100, None) <= bound
    pauses.on_failed(100)
    assert 104 <= pauses.not_before <= 108
    pauses.on_opened(110)
    pauses.on_lost(115, None, "")
    assert 115.5 <= pauses.not_before <= 116


def test_a_draining_gateway_names_the_wait_in_milliseconds() -> None:
    assert pause_after(Pauses(STABLE), 100, 1012, "1500") == pytest.approx(1.5)
    assert 0.5 <= pause_after(Pauses(STABLE), 100, 1012, "soon") <= 1


def test_a_token_that_expired_costs_no_wait_and_one_that_is_over_at_once_does() -> None:
    pauses = Pauses(STABLE)
    assert pause_after(pauses, 100, 4401) <= 0
    assert 1 <= pause_after(pauses, 100, 4401) <= 2
