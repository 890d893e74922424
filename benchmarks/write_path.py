"""The write path: what a token costs on its way from the model to the log, and how long it takes to
the tab.

`python -m benchmarks.write_path [ROUNDS]` prints medians of so many rounds (3), in each of which
every system has its turn. Whoever makes a table calls the functions `measure_...`, once a round.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from benchmarks.paced_model import Answer
from benchmarks.plain_worker import Turns
from benchmarks.worker_load import Load, Spent, WorkerBench, say, worker_bench
from shared.ids import SessionId
from shared.keys import Keys

ASKING, EMITTING = "benchmarks.paced_agent:asking", "benchmarks.paced_agent:emitting"
FRAMEWORK, TUTORIAL = "agent framework alone", "XADD and PUBLISH awaited for each token"
OURS, OURS_WITH_TABS = "Fanline", "Fanline, a tab on each session"

EMITTED = "emitted in the worker to frame at the tab"

WARM_UP = Load(4, Answer(50, 50), 0.2)
COST_LOAD = Load(20, Answer(500, 50), 2.0)
"""A thousand tokens a second: less than a worker's core can do, so that nothing waits."""
EMISSION_LOAD = Load(100, Answer(200, 10), 10.0)
"""A thousand tokens a second, too; a turn begins every tenth of a second."""
DEMAND_LOAD = Load(100, Answer(500, 50), 2.0)
DEMAND_WORKERS = 2
PAUSE_LOAD = Load(10, Answer(150, 50), 0.5)
PAUSE_AFTER_SECONDS, PAUSE_MS = 1.5, 1000


@dataclass(frozen=True)
class TokenCost:
    """What tokens cost: CPU in ms for a thousand, whole processes."""

    worker_ms: float
    redis_ms: float
    gateway_ms: float
    calls: float
    """Of scripts, for a thousand tokens; those that begin and end turns are among them."""
    events: float
    """For a thousand tokens."""
    log_bytes: float
    """Of a session's log after its turn."""
    log_events: float


@dataclass(frozen=True)
class Emission:
    """How long tokens took to their tab, and what they took along the way."""

    tokens: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    worst_ms: float
    first_p50_ms: float
    """Of the first token of each text."""
    first_p99_ms: float
    frames: float
    lost: float
    out_of_place: float
    """Events that were not at the next position."""
    wrong_texts: float
    """Whole texts that were not their pieces together."""
    worker_share: float
    """Of a core, as the others."""
    redis_share: float
    gateway_share: float
    worker_waited: float
    """Share of the time in which the worker had work and others had its core: a busy machine."""


def measure_costs(workshop: Path) -> Mapping[str, TokenCost]:
    """One round: the same answers by each system, one after the other."""
    return {
        FRAMEWORK: _cost_of_plain(workshop, "nothing"),
        TUTORIAL: _cost_of_plain(workshop, "each"),
        OURS: _cost_of_ours(workshop, with_tabs=False),
        OURS_WITH_TABS: _cost_of_ours(workshop, with_tabs=True),
    }


def measure_emission(workshop: Path) -> Emission:
    """One round of a paced load whose tokens are made in the worker: from the moment before one is
    handed to the agent framework to its frame at the tab."""
    return _time(workshop, EMITTING, EMISSION_LOAD)


def measure_chunks(workshop: Path) -> Emission:
    """As `measure_emission`, of tokens that come from a model server: from the moment at which it
    was due to write one."""
    return _time(workshop, ASKING, COST_LOAD)


def measure_demand(workshop: Path) -> Emission:
    """One round of a hundred turns at fifty tokens a second, by two workers on all cores of this
    machine, with everything else beside them. Where they have too few, the times say so."""
    return _time(workshop, ASKING, DEMAND_LOAD, workers=DEMAND_WORKERS)


def measure_pause(workshop: Path) -> Emission:
    """One round in which Redis answers nobody for a second, in mid-answer: what is emitted
    meanwhile is merged, and comes in one frame for each text."""
    return _time(workshop, EMITTING, PAUSE_LOAD, beside=_pause_redis)


TIMED: Mapping[str, Callable[[Path], Emission]] = {
    EMITTED: measure_emission,
    "model server to frame at the tab": measure_chunks,
    "100 turns at 50 tokens/s on this machine": measure_demand,
    "Redis silent for a second": measure_pause,
}


def _cost_of_plain(workshop: Path, writes: str) -> TokenCost:
    with worker_bench(workshop) as bench:
        worker = bench.start_plain_worker(writes)

        def run(load: Load) -> None:
            turns = Turns(list(load.sessions()), load.answer.question(), load.begin_seconds)
            say(worker, asdict(turns))
            worker.hear()

        run(WARM_UP)
        with bench.account() as spent:
            run(COST_LOAD)
        return _cost(bench, spent[0], COST_LOAD, [])


def _cost_of_ours(workshop: Path, *, with_tabs: bool) -> TokenCost:
    sessions = COST_LOAD.sessions()
    with worker_bench(workshop) as bench:
        bench.start_worker(agent=ASKING)
        bench.ask(WARM_UP, WARM_UP.sessions())
        if not with_tabs:
            return _cost(bench, bench.ask(COST_LOAD, sessions), COST_LOAD, sessions)
        bench.start_gateway()
        with bench.tabs(sessions):
            return _cost(bench, bench.ask(COST_LOAD, sessions), COST_LOAD, sessions)


def _cost(bench: WorkerBench, spent: Spent, load: Load, sessions: Sequence[SessionId]) -> TokenCost:
    thousands = load.tokens / 1000
    with redis.Redis(port=bench.server.port) as client:
        logs = [Keys().session(session).log for session in sessions]
        sizes = [float(client.memory_usage(log) or 0) for log in logs]
        lengths = [float(client.xlen(log)) for log in logs]
    return TokenCost(
        worker_ms=spent.worker * 1000 / thousands,
        redis_ms=spent.redis * 1000 / thousands,
        gateway_ms=spent.gateway * 1000 / thousands,
        calls=spent.calls / thousands,
        events=spent.events / thousands,
        log_bytes=statistics.fmean(sizes or [0.0]),
        log_events=statistics.fmean(lengths or [0.0]),
    )


def _time(
    workshop: Path,
    agent: str,
    load: Load,
    *,
    workers: int = 1,
    beside: Callable[[WorkerBench], None] | None = None,
) -> Emission:
    sessions = load.sessions()
    with worker_bench(workshop) as bench:
        for _ in range(workers):
            bench.start_worker(agent=agent, worker_concurrency=str(load.turns))
        bench.start_gateway()
        if workers > 1:
            bench.spread_over_cores()
        bench.ask(WARM_UP, WARM_UP.sessions())
        with bench.tabs(sessions) as reader:
            if beside is not None:
                threading.Thread(target=beside, args=(bench,)).start()
            spent = bench.ask(load, sessions)
            reader.go()
            return _emission(reader.hear(), spent, load)


def _emission(seen: dict[str, Any], spent: Spent, load: Load) -> Emission:
    lags, first = sorted(seen["lags_ns"]), sorted(seen["first_lags_ns"])
    return Emission(
        tokens=load.tokens,
        p50_ms=_at(lags, 0.5),
        p99_ms=_at(lags, 0.99),
        p999_ms=_at(lags, 0.999),
        worst_ms=_at(lags, 1),
        first_p50_ms=_at(first, 0.5),
        first_p99_ms=_at(first, 0.99),
        frames=seen["frames"],
        lost=load.tokens - len(lags),
        out_of_place=seen["out_of_place"],
        wrong_texts=seen["wrong_texts"],
        worker_share=spent.worker / spent.seconds,
        redis_share=spent.redis / spent.seconds,
        gateway_share=spent.gateway / spent.seconds,
        worker_waited=spent.worker_waited / spent.seconds,
    )


def _at(ordered: Sequence[int], share: float) -> float:
    """In ms, the value that so many of them do not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1e6


def _pause_redis(bench: WorkerBench) -> None:
    time.sleep(PAUSE_AFTER_SECONDS)
    with redis.Redis(port=bench.server.port) as client:
        client.client_pause(PAUSE_MS)


def main() -> None:
    """Print what was measured, in medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    costs: list[Mapping[str, TokenCost]] = []
    times: list[Mapping[str, Emission]] = []
    with tempfile.TemporaryDirectory(prefix="fanline-bench-") as folder:
        for _ in range(rounds):
            costs.append(measure_costs(Path(folder)))
            times.append({name: measure(Path(folder)) for name, measure in TIMED.items()})
    for name in costs[0]:
        print(f"\n{name}, for 1,000 tokens")
        _print([asdict(round_[name]) for round_ in costs])
    for name in TIMED:
        print(f"\n{name}")
        _print([asdict(round_[name]) for round_ in times])


def _print(trials: Sequence[Mapping[str, float]]) -> None:
    for name in trials[0]:
        print(f"  {name:<14} {statistics.median(trial[name] for trial in trials):12,.2f}")


if __name__ == "__main__":
    main()
