"""Measures what the capacity model and the simulation are given: what each piece of work costs.

A cost comes from two loads that differ in one thing: what they have in common falls out. All is of
one process on a core of its own; what feeds it is on the other.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from benchmarks.capacity import HEADS_SECONDS, NEVER_RESTS, Costs
from benchmarks.paced_model import Answer
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.redis_costs import measure_redis
from benchmarks.stage import Stage, staged
from benchmarks.systems.fanline import Fanline
from benchmarks.trial import Trial, in_turn, load_of, run_trial
from benchmarks.turns import Answered, crew
from benchmarks.worker_load import Load
from benchmarks.workload import DELTAS_PER_CALL, Workload, make_event

Figures = Mapping[str, float]

SECONDS = 3
ALONE = {1: 8000, 40: 1000}
"""Events a second, of which each comes alone, by the tabs that it goes to. A process that is hardly
ever busy spends up to twice as much on everything, for its core is asleep and its caches are cold:
this keeps the gateway busy for a fifth to two fifths of the time."""
ALONE_SESSIONS = 100
JOINED = {2: 4000, 20: 1000}
"""Events of each session in all, by the tabs that they go to; they come by the hundred."""
JOINED_SESSIONS, JOINED_EVENTS = 10, 100
OPEN_TABS = 4_000
SHARED_BY = 10
"""Tabs of one session, where they are not alone in it."""
SETTLE_SECONDS = 2.0
QUIET_SECONDS = 5.0
IDLE_SECONDS = 30.0
"""Two heartbeats."""
WARM_UP = Load(8, Answer(50, 200), 0.2)
LONG, SHORT = Load(16, Answer(400, 50), 2.0), Load(128, Answer(10, 50), 8.0)
"""Neither has more for a worker to do than it can."""


def measure_costs(rounds: int, workshop: Path, say: Callable[[str], None]) -> Costs:
    """Medians of so many rounds; `say` is told how far it is. Takes some three minutes a round."""
    measured: list[Figures] = []
    for number in range(1, rounds + 1):
        say(f"round {number} of {rounds}: what a gateway does live")
        figures = dict(_measure_live(workshop))
        say(f"round {number} of {rounds}: open tabs")
        figures |= _measure_open(workshop)
        say(f"round {number} of {rounds}: Redis")
        figures |= measure_redis(workshop)
        figures["redis_append_us"] = figures.pop("redis_alone_us") - (
            figures["redis_event_us"] + figures["redis_publish_us"]
        )
        say(f"round {number} of {rounds}: workers")
        figures |= _measure_turns(workshop)
        measured.append(figures)
    # What is next to nothing may come out below it.
    medians = {
        field.name: max(statistics.median(figures[field.name] for figures in measured), 0.0)
        for field in fields(Costs)
        if field.name in measured[0]
    }
    return Costs(**medians, event_bytes=_event_bytes())


def _measure_live(workshop: Path) -> Figures:
    alone = {tabs: _run_alone(workshop, tabs) for tabs in ALONE}
    joined = {tabs: _us_joined(workshop, tabs) for tabs in JOINED}
    frame = _slope(joined)
    event = joined[min(joined)] - min(joined) * frame
    each = {tabs: trial.gateway_us_each * tabs for tabs, trial in alone.items()}
    write = _slope(each) - frame
    few = min(alone)
    return {
        "gateway_wake_us": each[few] - event - few * (write + frame),
        "gateway_event_us": event,
        "gateway_write_us": write,
        "gateway_frame_us": frame,
        "redis_alone_us": alone[few].redis / alone[few].deliveries * few * 1e6,
    }


def _slope(costs: Mapping[int, float]) -> float:
    (few, less), (many, more) = costs.items()
    return (more - less) / (many - few)


def _run_alone(workshop: Path, tabs: int) -> Trial:
    """Events that come one by one."""
    rounds = ALONE[tabs] * SECONDS // ALONE_SESSIONS
    audience = Workload(ALONE_SESSIONS, tabs, rounds)
    arrivals = in_turn(ALONE_SESSIONS, rounds, per_second=ALONE[tabs])
    with (
        staged(Fanline(NEVER_RESTS), ALONE_SESSIONS, workshop) as stage,
        load_of(stage, arrivals, audience) as generator,
    ):
        return run_trial(stage, generator, [stage.gateway_pid], audience.tabs)


def _us_joined(workshop: Path, tabs: int) -> float:
    """CPU for an event that comes with many others, so that what they share is next to nothing."""
    audience = Workload(JOINED_SESSIONS, tabs, JOINED[tabs])
    arrivals = in_turn(JOINED_SESSIONS, JOINED[tabs])
    backlog = JOINED_EVENTS * JOINED_SESSIONS * tabs
    with staged(Fanline(), JOINED_SESSIONS, workshop) as stage:
        pace = f"backlog:{backlog}:{stage.gateway_pid}"
        with load_of(stage, arrivals, audience, pace) as generator:
            trial = run_trial(stage, generator, [stage.gateway_pid], audience.tabs)
    return trial.gateway_us_each * tabs


def _measure_open(workshop: Path) -> Figures:
    shared = _open(workshop, Workload(OPEN_TABS // SHARED_BY, SHARED_BY, 0), idle_seconds=0)
    alone = _open(workshop, Workload(OPEN_TABS, 1, 0), idle_seconds=IDLE_SECONDS)
    session = (alone["bytes"] - shared["bytes"]) / (1 - 1 / SHARED_BY)
    return {
        "gateway_connect_us": alone["gateway_us"],
        "gateway_idle_us": alone["gateway_idle_us"],
        "gateway_base_bytes": alone["base_bytes"],
        "gateway_tab_bytes": alone["bytes"] - session,
        "gateway_session_bytes": session,
        "redis_connect_us": alone["redis_us"],
        "redis_head_us": alone["redis_idle_us"] * HEADS_SECONDS,
    }


def _open(workshop: Path, audience: Workload, *, idle_seconds: float) -> dict[str, float]:
    """What each tab takes to open, and then a second while nothing is said."""
    with staged(Fanline(), audience.sessions, workshop) as stage:
        time.sleep(SETTLE_SECONDS)
        quiet = _spend(stage, QUIET_SECONDS)
        base = resident_bytes(stage.gateway_pid)
        began = _cpu(stage)
        with load_of(stage, [], audience) as generator:
            if generator.hear()["open"] != audience.tabs:
                raise RuntimeError(f"not all of {audience.tabs} tabs opened")
            opening = [now - then for now, then in zip(_cpu(stage), began, strict=True)]
            time.sleep(SETTLE_SECONDS)
            full = resident_bytes(stage.gateway_pid)
            generator.go()  # its plan is empty; from here on it answers pings
            idle = _spend(stage, idle_seconds)
    per_tab = 1e6 / audience.tabs
    return {
        "gateway_us": opening[0] * per_tab,
        "redis_us": opening[1] * per_tab,
        "gateway_idle_us": (idle[0] - quiet[0]) * per_tab,
        "redis_idle_us": (idle[1] - quiet[1]) * per_tab,
        "base_bytes": base,
        "bytes": (full - base) / audience.tabs,
    }


def _cpu(stage: Stage) -> list[float]:
    return [cpu_seconds(stage.gateway_pid), cpu_seconds(stage.redis_pid)]


def _spend(stage: Stage, seconds: float) -> list[float]:
    """CPU a second of gateway and Redis, during so many seconds."""
    before = _cpu(stage)
    time.sleep(seconds)
    return [
        (now - then) / max(seconds, 1e-9) for now, then in zip(_cpu(stage), before, strict=True)
    ]


def _measure_turns(workshop: Path) -> Figures:
    with crew(1, workshop) as workers:
        workers.ask(WARM_UP)
        long, short = workers.ask(LONG), workers.ask(SHORT)
    worker_turn, worker_event = _split(long, long.workers[0], short, short.workers[0])
    redis_turn, _ = _split(long, long.redis, short, short.redis)
    return {
        "worker_event_us": worker_event,
        "worker_turn_us": worker_turn,
        "redis_turn_us": redis_turn,
    }


def _split(one: Answered, ones: float, other: Answered, others: float) -> tuple[float, float]:
    """CPU in µs for a turn beside its events, and for an event, from what two took."""
    determinant = one.turns * other.events - other.turns * one.events
    turn = (ones * other.events - others * one.events) / determinant
    event = (one.turns * others - other.turns * ones) / determinant
    return turn * 1e6, event * 1e6


def _event_bytes() -> float:
    events = [make_event("s00000", number) for number in range(1, DELTAS_PER_CALL + 2)]
    return statistics.fmean(map(len, events))
