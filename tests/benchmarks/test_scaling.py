"""What the scaling benchmark says of what it measured, and the page that is made of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.capacity_plan import Limits, make_plan
from benchmarks.model_check import Point
from benchmarks.report import fill
from benchmarks.scaling import find_limit
from benchmarks.scaling_page import (
    PAGE,
    Measured,
    Row,
    read_measured,
    write_measured,
    write_needs,
    write_rows,
    write_tables,
)
from benchmarks.shares import SLICES, shares_of_a_core
from benchmarks.trial import in_turn
from tests.benchmarks.costs import ROUND, an_audience
from tests.docs.markdown import tables_of
from tests.support.eventually import eventually

ROWS = [
    Row("gateways", 1, 0.25, 100_000.4, [0.22], 0.1, 0.1, "their share of a core"),
    Row("gateways", 2, 0.25, 195_000, [0.22, 0.23], 0.2, 0.2, "their share of a core"),
]
POINTS = [Point(500, 0.1, 0.12, 0.02, 0.03, 0.2, 0.2, 0.4, 0.9, 0)]
RUNNING, STOPPED = "R", "T"
MEASURED = Measured("2026-01-01", "a machine", ROUND, ROWS, POINTS)


@pytest.mark.parametrize(
    ("share", "own", "others", "limit"),
    [
        (0.25, [0.23], [0.1, 0.1], "their share of a core"),
        (0.25, [0.24, 0.20, 0.23, 0.22], [0.4, 0.4], "their share of a core"),
        (0.25, [0.1, 0.1], [0.6, 0.3], "Redis and the load"),
        (1, [0.9], [0.3, 0.4], "its core"),
        (1, [0.9, 0.4], [0.2, 0.3], "both cores"),
        (1, [0.3, 0.3], [0.2, 0.1], "none of these"),
    ],
)
def test_the_limit_is_who_uses_what_it_has(
    share: float, own: list[float], others: list[float], limit: str
) -> None:
    assert find_limit(share, own, others) == limit


def test_the_table_says_how_often_the_throughput_of_one_it_is() -> None:
    one, two = tables_of(write_rows(ROWS))[0]
    assert (one["processes"], one["a second"], one["times one"]) == ("1", "100,000", "1.00")
    assert (two["times one"], two["CPU of each"]) == ("1.95", "22% + 23%")


def test_what_stands_first_and_what_cannot_be_done_is_in_bold() -> None:
    plans = [make_plan(ROUND, an_audience(events_per_turn=10), Limits())]
    cells = {row["units by"]: row["an audience"] for row in tables_of(write_needs(plans))[0]}
    assert cells["worker: CPU"].startswith("**")
    assert cells["the work stream's shard: CPU"].startswith("**")
    assert not cells["gateway: CPU"].startswith("**")


def test_what_was_measured_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    write_measured(MEASURED, path)
    assert read_measured(path) == MEASURED
    assert json.loads(path.read_text())["costs"]["gateway_write_us"] == 8


def test_the_page_is_made_of_what_was_measured() -> None:
    """Nothing in its tables was written by hand; `python -m benchmarks.scaling --tables` writes
    them."""
    page = PAGE.read_text()
    assert fill(page, write_tables(read_measured())) == page


def test_a_table_without_its_place_is_an_error() -> None:
    page = PAGE.read_text().replace("<!-- rows -->", "")
    with pytest.raises(ValueError, match="'rows'"):
        fill(page, write_tables(MEASURED))


def test_appends_in_turn_are_evenly_spread_over_sessions_and_time() -> None:
    arrivals = in_turn(2, 2, per_second=10, events=3)
    assert [(one.at, one.session, one.events) for one in arrivals] == [
        (0.0, 0, 3), (0.1, 1, 3), (0.2, 0, 3), (pytest.approx(0.3), 1, 3),
    ]  # fmt: skip
    assert {one.at for one in in_turn(2, 2)} == {0.0}


@pytest.fixture
def busy_pids() -> Iterator[list[int]]:
    """Two processes that never rest."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    yield [process.pid for process in processes]
    for process in processes:
        process.kill()
        process.wait()


async def test_each_process_is_stopped_and_goes_on_in_turn_and_runs_afterwards(
    busy_pids: list[int],
) -> None:
    for pid in busy_pids:
        with shares_of_a_core(busy_pids):
            await eventually(lambda pid=pid: state_of(pid) == STOPPED, "it is stopped")
            await eventually(lambda pid=pid: state_of(pid) == RUNNING, "it goes on")
    for pid in busy_pids:
        await eventually(lambda pid=pid: state_of(pid) == RUNNING, "it runs")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def test_more_processes_than_slices_are_refused() -> None:
    with pytest.raises(ValueError, match="slices"), shares_of_a_core([os.getpid()] * (SLICES + 1)):
        pass
