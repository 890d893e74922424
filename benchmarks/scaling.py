"""How throughput adds up: one and more gateways, one and more workers, at one Redis.

`python -m benchmarks.scaling` measures and prints. With `--write` it measures the costs and checks
the simulation as well, and writes docs/scaling.json and the tables of docs/scaling.md from it;
`--tables` writes these anew from what was measured.
"""

import argparse
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measured_costs import measure_costs
from benchmarks.model_check import check_model
from benchmarks.paced_model import Answer
from benchmarks.scaling_page import (
    Measured,
    Row,
    read_measured,
    write_measured,
    write_page,
    write_rows,
)
from benchmarks.shares import SLICES, shares_of_a_core
from benchmarks.stage import GATEWAY_CORE, OTHER_CORE, staged, workshop
from benchmarks.trial import Gateways, gateway_pids, in_turn, load_of, run_trial
from benchmarks.turns import crew
from benchmarks.worker_load import Load
from benchmarks.workload import Workload

MANY_TABS = Workload(50, 40, 300)
"""Of each session: the gateways have more to do than Redis. The events are for each gateway."""
ONE_TAB = Workload(1000, 1, 30)
WINDOW = 20_000
"""Deliveries under way for each gateway."""
QUESTIONS = Load(16, Answer(200, 1e6), 0.0)
"""For each worker, of a model that is never waited for."""
WARM_UP = Load(8, Answer(50, 200), 0.2)
FULL = 0.85
"""Who uses so much of what it has is at its limit; what is missing goes by in switching."""


@dataclass(frozen=True)
class Case:
    """So many processes, and what each has of a core."""

    count: int
    share: float
    audience: Workload = MANY_TABS


QUARTER = 1 / SLICES
GATEWAYS = (
    Case(1, QUARTER),
    Case(2, QUARTER),
    Case(4, QUARTER),
    Case(1, QUARTER, ONE_TAB),
    Case(4, QUARTER, ONE_TAB),
    Case(1, 1),
    Case(2, 1),
)
PAIRS = (Case(1, QUARTER), Case(2, QUARTER))
"""A gateway and a worker each: the tabs of the workers' sessions are at the gateways."""
WORKERS = (Case(1, QUARTER), Case(2, QUARTER), Case(4, QUARTER), Case(1, 1), Case(2, 1))


def measure(rounds: int, folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Of each case the round with the median throughput."""
    rows: list[Row] = []
    for kind, run, cases in (
        ("gateways", _run_gateways, GATEWAYS),
        ("workers", _run_workers, WORKERS),
        ("a worker and a gateway", _run_pairs, PAIRS),
    ):
        for case in cases:
            say(f"{kind}: {case.count}, each with {case.share:g} of a core")
            tried = [run(case, folder) for _ in range(rounds)]
            rows.append(sorted(tried, key=lambda row: row.per_second)[rounds // 2])
    return rows


def _run_gateways(case: Case, folder: Path) -> Row:
    """Deliveries a second, with as much under way for each gateway however many there are."""
    audience = replace(case.audience, events=case.audience.events * case.count)
    arrivals = in_turn(audience.sessions, audience.events)
    with staged(Gateways(case.count), audience.sessions, folder) as stage:
        pids = gateway_pids(stage, case.count)
        window = f"window:{WINDOW * case.count}"
        with load_of(stage, arrivals, audience, window) as generator, _given(pids, case):
            trial = run_trial(stage, generator, pids, audience.tabs)
    if trial.lost:
        raise RuntimeError(f"{trial.lost} events were lost")
    return _row(
        case,
        f"gateways, {audience.tabs_each} tabs a session"
        if audience.tabs_each > 1
        else "gateways, one tab a session",
        trial.deliveries / trial.seconds,
        [spent / trial.seconds for spent in (*trial.gateways, trial.redis, trial.generator)],
    )


def _run_workers(case: Case, folder: Path) -> Row:
    """Tokens a second."""
    return _run_turns(case, "workers", folder, gateways=0)


def _run_pairs(case: Case, folder: Path) -> Row:
    """Tokens a second, each of which a tab has seen."""
    return _run_turns(case, "a worker and a gateway", folder, gateways=case.count)


def _run_turns(case: Case, kind: str, folder: Path, *, gateways: int) -> Row:
    with crew(case.count, folder, gateways) as own:
        own.ask(WARM_UP)
        with _given([*own.bench.workers, *own.bench.gateways], case):
            answered = own.ask(replace(QUESTIONS, turns=QUESTIONS.turns * case.count))
    spent = (*answered.workers, *answered.gateways, answered.redis, answered.model)
    return _row(
        case, kind, answered.tokens / answered.seconds, [s / answered.seconds for s in spent]
    )


@contextmanager
def _given(pids: Sequence[int], case: Case) -> Generator[None, None, None]:
    """Give the processes what the case says: slices of one core, or a core each."""
    if case.share < 1:
        for pid in pids:
            os.sched_setaffinity(pid, {GATEWAY_CORE})
        with shares_of_a_core(pids):
            yield
    else:
        for pid, core in zip(pids, (GATEWAY_CORE, OTHER_CORE), strict=False):
            os.sched_setaffinity(pid, {core})
        yield


def _row(case: Case, kind: str, per_second: float, busy: list[float]) -> Row:
    own, others = busy[:-2], busy[-2:]
    return Row(
        kind=kind,
        count=case.count,
        share=case.share,
        per_second=per_second,
        busy_shares=own,
        redis_busy_share=others[0],
        load_busy_share=others[1],
        limit=find_limit(case.share, own, others),
    )


def find_limit(share: float, own: Sequence[float], others: Sequence[float]) -> str:
    """What stood in the way, by CPU: the processes have `share` of a core each, the others one core
    together, which a second process with a whole core shares."""
    if share < 1 and max(own) >= FULL * share:
        return "their share of a core"
    if share == 1 and len(own) > 1 and sum(own) + sum(others) >= 2 * FULL:
        return "both cores"
    if share == 1 and len(own) == 1 and own[0] >= FULL:
        return "its core"
    if sum(others) >= FULL:
        return "Redis and the load"
    return "none of these"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write", action="store_true")
    options.add_argument("--tables", action="store_true")
    chosen = options.parse_args()
    if chosen.tables:
        write_page(read_measured())
        return

    def say(line: str) -> None:
        print(line, flush=True)

    with workshop() as folder:
        rows = measure(chosen.rounds, folder, say)
        print(write_rows(rows))
        if chosen.write:
            costs = measure_costs(chosen.rounds, folder, say)
            points = check_model(costs, chosen.rounds, folder, say)
            measured = Measured.of_today(costs, rows, points)
            write_measured(measured)
            write_page(measured)


if __name__ == "__main__":
    main()
