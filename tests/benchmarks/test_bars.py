"""What the table says of a run: bars that are kept or not, and runs that say nothing."""

import json
from dataclasses import replace

import pytest

from benchmarks.__main__ import DATA, PAGE, render
from benchmarks.audience import CatchingUp, Idle
from benchmarks.bars import (
    COSTS,
    LIMIT,
    NODE,
    OURS,
    TUTORIAL,
    find_invalid,
    judge_audience,
    judge_deliveries,
    judge_emission,
)
from benchmarks.fan_out import LOADS, Delivery
from benchmarks.report import write_bars, write_deliveries, write_need
from benchmarks.run import SYSTEMS, median_of, read_run
from benchmarks.write_path import EMITTED, Emission, TokenCost

COST_US = {
    LIMIT: 1.0,
    OURS: 1.4,
    NODE: 4.5,
    "nginx with nchan": 5.0,
    "Socket.IO": 9.0,
    TUTORIAL: 16.0,
    "python-socketio": 60.0,
}
"""A run in which every bar is kept."""


def delivery(cpu_us: float) -> Delivery:
    return Delivery(
        per_second=1e6 / cpu_us,
        cpu_us=cpu_us,
        redis_cpu_us=3,
        p50_ms=0.3,
        p99_ms=2,
        p999_ms=4,
        delivered=400_000,
        merged=0,
        lost=0,
        reordered=0,
        foreign=0,
        refused=0,
    )


def a_run() -> dict[str, dict[str, Delivery | str]]:
    run: dict[str, dict[str, Delivery | str]] = {
        load: {name: delivery(cost) for name, cost in COST_US.items()} for load in LOADS
    }
    run["paced"] = {name: delivery(10) for name in COST_US}
    return run


def change(run: dict[str, dict[str, Delivery | str]], load: str, **values: float) -> None:
    ours = run[load][OURS]
    assert isinstance(ours, Delivery)
    run[load][OURS] = replace(ours, **values)


def broken(run: dict[str, dict[str, Delivery | str]]) -> list[str]:
    return [bar.name for bar in judge_deliveries(run) if not bar.is_kept]


def test_the_systems_are_those_that_the_bars_name() -> None:
    assert [system.name for system in SYSTEMS] == list(COST_US)


def test_a_good_run_keeps_every_bar_and_is_valid() -> None:
    assert (broken(a_run()), find_invalid(a_run())) == ([], [])


@pytest.mark.parametrize(("load", "other", "most"), COSTS)
def test_a_delivery_that_costs_too_much_breaks_its_bar(load: str, other: str, most: float) -> None:
    run = a_run()
    theirs = run[load][other]
    assert isinstance(theirs, Delivery)
    change(run, load, cpu_us=theirs.cpu_us * most * 1.01)
    assert f"{load}: CPU of a delivery, times that of {other}" in broken(run)


@pytest.mark.parametrize(
    ("load", "values"),
    [
        ("paced", {"p50_ms": 1.1}),
        ("paced", {"p99_ms": 5.1}),
        ("burst", {"lost": 1}),
        ("wide", {"reordered": 1}),
        ("tens", {"foreign": 1}),
        ("saturated", {"refused": 1}),
    ],
)
def test_lateness_loss_and_disorder_break_a_bar(load: str, values: dict[str, float]) -> None:
    run = a_run()
    change(run, load, **values)
    assert len(broken(run)) == 1


def test_a_peer_that_did_not_run_keeps_no_bar_and_makes_the_run_invalid() -> None:
    run = a_run()
    for load in LOADS:
        run[load][NODE] = "It could not be installed."
    assert len(broken(run)) == 3
    assert find_invalid(run) == [f"{NODE} was not run."]
    assert "not run" in write_deliveries("paced", run["paced"], LIMIT)
    assert write_bars(judge_deliveries(run)).count("not run") == 3


@pytest.mark.parametrize(
    ("peer", "cost"), [(NODE, 3.4), (NODE, 6.1), (TUTORIAL, 11), (TUTORIAL, 21)]
)
def test_a_slow_loop_or_a_slow_peer_makes_the_run_invalid(peer: str, cost: float) -> None:
    run = a_run()
    run["saturated"][peer] = delivery(cost)
    assert len(find_invalid(run)) == 1


def test_of_several_rounds_the_median_is_told_and_the_worst_loss() -> None:
    rounds = [replace(delivery(cost), lost=lost) for cost, lost in ((1, 0), (9, 3), (2, 0))]
    assert (median_of(rounds).cpu_us, median_of(rounds).lost) == (2, 3)
    least = [Idle(10_000, 1, 1, reached) for reached in (10_000, 9_999, 10_000)]
    assert median_of(least).reached == 9_999


def test_an_audience_that_is_not_reached_breaks_a_bar() -> None:
    idle = Idle(10_000, 24_000, 900, 10_000)
    storm = CatchingUp(2_000, 2_000, 1.5, 100, 400, 0.6)
    answer = CatchingUp(20, 20, 0.2, 9, 12, 8)
    assert all(bar.is_kept for bar in judge_audience(idle, storm, answer))
    bad = (
        (replace(idle, bytes_each=26_000), storm, answer),
        (replace(idle, reached=9_998), storm, answer),
        (idle, replace(storm, all_seconds=2.1), answer),
        (idle, replace(storm, caught_up=1_999), answer),
        (idle, storm, replace(answer, gateway_ms_each=10.1)),
    )
    for case in bad:
        assert sum(not bar.is_kept for bar in judge_audience(*case)) == 1


EMISSION = Emission(20_000, 0.6, 2.0, 5.0, 9.0, 0.6, 1.0, 20_600, 0, 0, 0, 0.3, 0.1, 0.05, 0.0)


@pytest.mark.parametrize(
    "values",
    [{"p50_ms": 2.1}, {"p99_ms": 11}, {"lost": 1}, {"out_of_place": 1}, {"wrong_texts": 1}],
)
def test_tokens_that_come_late_or_not_or_wrong_break_a_bar(values: dict[str, float]) -> None:
    good, bad = {EMITTED: EMISSION}, {EMITTED: replace(EMISSION, **values)}
    assert all(bar.is_kept for bar in judge_emission(good))
    assert sum(not bar.is_kept for bar in judge_emission(bad)) == 1


def test_what_the_load_needs_is_five_times_a_thousand_tokens() -> None:
    cost = TokenCost(600, 120, 60, 1000, 1000, 0, 0)
    assert "3.0 of workers, 0.6 of Redis, 0.3 of gateways" in write_need(cost)


def test_the_page_is_made_of_what_was_measured() -> None:
    data = json.loads(DATA.read_text())
    assert PAGE.read_text() == render(data)
    assert read_run(data).as_data().items() <= data.items()
