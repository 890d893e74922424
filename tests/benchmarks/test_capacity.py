"""The capacity model, reckoned by hand."""

from dataclasses import replace

import pytest

from benchmarks.audiences import MILLION, ONE_SESSION
from benchmarks.capacity import (
    followers,
    gateway_batches,
    gateway_busy_share,
    gateway_bytes,
    last_tab_seconds,
    out_bytes_per_second,
    redis_busy_cores,
    redis_bytes,
    session_busy_cores,
    work_busy_cores,
    worker_busy_cores,
)
from benchmarks.capacity_plan import Limits, make_plan
from tests.benchmarks.costs import FREE, ROUND, an_audience


def test_tabs_that_are_spread_at_random_meet_at_some_gateways() -> None:
    assert followers(1, 5) == 1
    assert followers(2, 2) == 1.5
    assert followers(1000, 2) == pytest.approx(2, rel=0.001)
    assert followers(10, 10_000) == pytest.approx(10)


def test_events_that_come_seldom_are_each_a_batch_of_its_own() -> None:
    """10 + 2 + 2 * (8 + 0.5) µs for each."""
    batches = gateway_batches(ROUND, 10, 2, 100)
    assert batches.events == pytest.approx(1, rel=1e-3)
    assert batches.busy_share == pytest.approx(10 * 29e-6, rel=1e-3)


def test_the_busier_a_gateway_the_less_an_event_costs() -> None:
    loads = [gateway_batches(ROUND, rate, 2, 100) for rate in (1000, 10_000, 30_000, 60_000)]
    each = [load.busy_share / rate for load, rate in zip(loads, (1, 10, 30, 60), strict=True)]
    assert each == sorted(each, reverse=True)
    assert [load.events for load in loads] == sorted(load.events for load in loads)


def test_joined_writes_are_what_a_single_session_gains_by() -> None:
    """A batch of one session is one write a tab, however many events it has."""
    one, many = (gateway_batches(ROUND, 6000, 20, sessions) for sessions in (1, 10_000))
    assert one.writes == 1
    assert many.busy_share == 1
    assert one.busy_share < 1


def test_a_gateway_that_cannot_keep_up_is_busy_all_the_time() -> None:
    assert gateway_batches(ROUND, 1e6, 100, 100).busy_share == 1


def test_what_a_gateway_spends_beside_live_events() -> None:
    quiet = an_audience(active_share=0)
    opening, idle = 100_000 * 0.001 * 1000e-6, 100_000 * 5e-6
    assert gateway_busy_share(ROUND, quiet, 10) == pytest.approx((opening + idle) / 10)


def test_memory_of_a_gateway() -> None:
    followed = 50_000 * followers(10, 2) / 10
    expected = 50e6 + 10_000 * 20e3 + followed * 5e3
    assert gateway_bytes(ROUND, an_audience(), 10) == pytest.approx(expected)


def test_what_redis_spends() -> None:
    """100,000 events and 500 turns a second, 100 tabs that open, the heads of 50,000 sessions; at
    one gateway."""
    events = 100_000 * (30 + 4 + 6)
    others = 500 * 2000 + 100 * 100 + 50_000 / 5 * 0.5
    assert redis_busy_cores(ROUND, an_audience(), 1) == pytest.approx((events + others) / 1e6)
    assert redis_bytes(ROUND, an_audience()) == 50_000 * (6000 + 50 * 200)


def test_what_one_shard_has_to_do_alone() -> None:
    assert session_busy_cores(ROUND, an_audience(), 1) == pytest.approx(20 * 40e-6)
    assert work_busy_cores(ROUND, an_audience()) == pytest.approx(500 * 100e-6)


def test_what_workers_spend() -> None:
    assert worker_busy_cores(ROUND, an_audience()) == pytest.approx(100_000 * 0.0005 + 500 * 0.02)


def test_what_goes_out() -> None:
    """Hardly anything is joined: a packet for each of 200,000 deliveries a second."""
    sent = out_bytes_per_second(ROUND, an_audience(), 100)
    assert sent == pytest.approx(200_000 * (180 + 4 + 66), rel=0.01)


def test_the_last_tab_of_a_session_waits_for_all_others_at_its_gateway() -> None:
    assert last_tab_seconds(ROUND, ONE_SESSION, 100) == pytest.approx(
        (10 + 2 + 10_000 * 8.5) / 1e6, rel=1e-3
    )


def test_a_plan_has_what_is_enough_and_no_gateway_more() -> None:
    limits = Limits()
    for audience in (*MILLION, an_audience()):
        plan = make_plan(ROUND, audience, limits)
        assert plan.gateway_busy_share <= limits.busy_share
        assert audience.tabs <= plan.gateways * limits.gateway_tabs
        fewer = plan.gateways - 1
        assert fewer == 0 or (
            gateway_busy_share(ROUND, audience, fewer) > limits.busy_share
            or gateway_bytes(ROUND, audience, fewer) > limits.gateway_bytes
            or audience.tabs > fewer * limits.gateway_tabs
        )
        for unit, count in (("worker", plan.workers), ("shard", plan.shards)):
            most = max(need.units for need in plan.needs if need.unit == unit)
            assert count - 1 < most <= count


def test_the_bound_that_asks_for_most_stands_first() -> None:
    plan = make_plan(replace(FREE, worker_event_us=500), an_audience(), Limits())
    first = plan.needs[0]
    assert (first.unit, first.bound) == ("worker", "CPU")
    assert first.units == pytest.approx(50 / 0.6)
    assert plan.gateways == 5  # for their sockets
    plan = make_plan(replace(FREE, redis_session_bytes=1e6), an_audience(), Limits())
    assert (plan.needs[1].unit, plan.needs[1].bound) == ("shard", "memory")


def test_a_session_or_a_work_stream_that_is_too_much_for_one_shard_is_seen() -> None:
    busy = make_plan(ROUND, an_audience(events_per_second=40_000, sessions=10), Limits())
    assert [need.units > 1 for need in busy.undivided] == [True, False]
    short = make_plan(ROUND, an_audience(events_per_turn=10), Limits())
    assert [need.units > 1 for need in short.undivided] == [False, True]


def test_an_audience_that_no_number_of_gateways_serves_is_refused() -> None:
    """Every gateway that has a tab of the session reads every event of it."""
    firehose = an_audience(sessions=1, active_share=1, events_per_second=1e6)
    with pytest.raises(ValueError, match="no number of gateways"):
        make_plan(ROUND, firehose, Limits())
