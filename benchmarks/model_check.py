"""The simulation beside the real thing: the same appends, at the same moments, through both.

One gateway on a core of its own; Redis, the publisher and the tabs on the other one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.capacity import NEVER_RESTS, Costs, gateway_batches
from benchmarks.simulate import Arrival, Simulated, poisson_arrivals, simulate
from benchmarks.stage import staged
from benchmarks.systems.fanline import Fanline
from benchmarks.trial import Trial, load_of, run_trial
from benchmarks.workload import Workload

AUDIENCE = Workload(100, 20, 0)
SECONDS = 5.0
SEED = 6
BUSY_SHARES = (0.1, 0.3, 0.5, 0.7, 0.85)
"""Of the gateway, as the model expects it: the loads."""


@dataclass(frozen=True)
class Point:
    """One load: what was expected of it, and what was measured."""

    events_per_second: float
    expected_gateway_busy_share: float
    gateway_busy_share: float
    expected_redis_busy_share: float
    redis_busy_share: float
    expected_p50_ms: float
    p50_ms: float
    expected_p99_ms: float
    p99_ms: float
    lost: int


def check_model(
    costs: Costs, rounds: int, workshop: Path, say: Callable[[str], None]
) -> list[Point]:
    """From the lightest load to the heaviest; of each the round with the median p50.

    The way through kernel and sockets is in no queue: it is taken to be the least that the median
    of a load has above the simulation's.
    """
    loads: list[tuple[float, Simulated, Trial]] = []
    for share in BUSY_SHARES:
        rate = _events_per_second(costs, share)
        say(f"{rate:,.0f} events a second")
        arrivals = poisson_arrivals(rate, SECONDS, AUDIENCE.sessions, 1, SEED)
        simulated = simulate(arrivals, costs, [[AUDIENCE.tabs_each] * AUDIENCE.sessions])
        trials = sorted((_run(arrivals, workshop) for _ in range(rounds)), key=lambda t: t.p50_ms)
        loads.append((rate, simulated, trials[rounds // 2]))
    way_ms = min(trial.p50_ms - simulated.latency(0.5) * 1000 for _, simulated, trial in loads)
    return [_compare(rate, simulated, trial, way_ms) for rate, simulated, trial in loads]


def _events_per_second(costs: Costs, busy_share: float) -> float:
    """The load that keeps a gateway busy for so large a share of the time."""
    low, high = 0.0, 1e6
    for _ in range(50):
        middle = (low + high) / 2
        batches = gateway_batches(costs, middle, AUDIENCE.tabs_each, AUDIENCE.sessions)
        low, high = (low, middle) if batches.busy_share > busy_share else (middle, high)
    return low


def _run(arrivals: list[Arrival], workshop: Path) -> Trial:
    with (
        staged(Fanline(NEVER_RESTS), AUDIENCE.sessions, workshop) as stage,
        load_of(stage, arrivals, AUDIENCE) as generator,
    ):
        return run_trial(stage, generator, [stage.gateway_pid], AUDIENCE.tabs)


def _compare(rate: float, simulated: Simulated, trial: Trial, way_ms: float) -> Point:
    return Point(
        events_per_second=rate,
        expected_gateway_busy_share=simulated.gateway_busy_shares[0],
        gateway_busy_share=trial.gateways[0] / trial.seconds,
        expected_redis_busy_share=simulated.redis_busy_share,
        redis_busy_share=trial.redis / trial.seconds,
        expected_p50_ms=simulated.latency(0.5) * 1000 + way_ms,
        p50_ms=trial.p50_ms,
        expected_p99_ms=simulated.latency(0.99) * 1000 + way_ms,
        p99_ms=trial.p99_ms,
        lost=trial.lost,
    )
