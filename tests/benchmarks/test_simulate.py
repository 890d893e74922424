"""The simulation against what queueing theory knows, and against itself."""

from dataclasses import replace
from statistics import fmean

import pytest

from benchmarks.capacity import gateway_batches
from benchmarks.simulate import (
    Arrival,
    poisson_arrivals,
    simulate,
    spread_tabs,
    work_in_batches,
)
from tests.benchmarks.costs import FREE, ROUND

SEED = 1
SERVICE_US = 100.0
MANY = 100_000
"""Sessions, of which hardly two events in one batch have the same."""


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_server_with_a_constant_service_waits_as_long_as_theory_says(load: float) -> None:
    """M/D/1: the mean wait is load * service / (2 * (1 - load)) (Pollaczek and Khinchine)."""
    costs = replace(FREE, gateway_event_us=SERVICE_US)
    service = SERVICE_US / 1e6
    arrivals = poisson_arrivals(load / service, 20.0, MANY, 1, SEED)
    result = simulate(arrivals, costs, [[1] * MANY])
    wait = fmean(result.latencies) - service
    assert wait == pytest.approx(load * service / (2 * (1 - load)), rel=0.05)
    assert result.gateway_busy_shares[0] == pytest.approx(load, rel=0.02)


def test_regular_arrivals_below_the_limit_never_wait() -> None:
    """D/D/1: every latency is the sum of the services, and nothing else."""
    arrivals = [Arrival(number * 0.001, number % 7, 1) for number in range(1000)]
    result = simulate(arrivals, ROUND, [[1] * 7])
    appended = ROUND.redis_append_us + ROUND.redis_event_us + ROUND.redis_publish_us
    delivered = ROUND.gateway_wake_us + ROUND.gateway_event_us
    delivered += ROUND.gateway_write_us + ROUND.gateway_frame_us
    assert result.latencies == pytest.approx([(appended + delivered) / 1e6] * 1000)


@pytest.mark.parametrize("per_second", [2000, 8000, 20_000])
def test_the_formula_for_batches_agrees_with_the_simulation(per_second: float) -> None:
    """The mean batch as the capacity model reckons it, without simulating."""
    arrivals = poisson_arrivals(per_second, 5.0, 200, 1, SEED)
    costs = replace(ROUND, redis_append_us=0, redis_event_us=0, redis_publish_us=0)
    simulated = simulate(arrivals, costs, [[2] * 200]).gateway_busy_shares[0]
    reckoned = gateway_batches(costs, per_second, 2, 200).busy_share
    assert simulated == pytest.approx(reckoned, rel=0.05)


def test_a_batch_is_all_that_came_while_the_one_before_was_worked_on() -> None:
    batches: list[range] = []

    def work(begin: float, batch: range) -> float:
        batches.append(batch)
        return begin + 10

    done, busy = work_in_batches([0, 1, 9, 10, 30], work)
    assert batches == [range(0, 1), range(1, 4), range(4, 5)]
    assert done == [10, 20, 20, 20, 40]
    assert busy == 30


def test_frames_of_one_session_in_a_batch_are_one_write_and_those_of_two_are_two() -> None:
    costs = replace(FREE, gateway_wake_us=1000, gateway_write_us=100)
    first = Arrival(0, 0, 1)  # the others come while it is worked on
    same = simulate([first, Arrival(0.0001, 1, 1), Arrival(0.0002, 1, 1)], costs, [[1, 1, 1]])
    other = simulate([first, Arrival(0.0001, 1, 1), Arrival(0.0002, 2, 1)], costs, [[1, 1, 1]])
    assert same.seconds == pytest.approx(0.0011 + 0.0011)
    assert other.seconds == pytest.approx(0.0011 + 0.0012)


def test_every_event_reaches_every_tab_once_wherever_it_is() -> None:
    arrivals = poisson_arrivals(1000, 1.0, 10, 3, SEED)
    tabs = spread_tabs(10, 4, 3, SEED)
    assert [sum(there) for there in zip(*tabs, strict=True)] == [4] * 10
    result = simulate(arrivals, ROUND, tabs)
    assert len(result.latencies) == len(arrivals) * 3 * 4
    assert len(result.gateway_busy_shares) == 3


def test_the_tail_is_where_the_shares_say() -> None:
    result = simulate([Arrival(0, 0, 1)], replace(FREE, gateway_write_us=1e6), [[100]])
    assert [result.latency(share) for share in (0, 0.5, 0.99, 1)] == pytest.approx(
        [1, 51, 100, 100]
    )


def test_the_same_seed_gives_the_same_figures() -> None:
    def run(seed: int) -> list[float]:
        return simulate(poisson_arrivals(5000, 1.0, 50, 1, seed), ROUND, [[2] * 50]).latencies

    assert run(1) == run(1) != run(2)
