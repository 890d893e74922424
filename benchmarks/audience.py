"""Trials of many tabs: idle ones, all at once, and one that loads a long conversation."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import redis

from benchmarks.processes import resident_bytes
from benchmarks.stage import Stage, staged
from benchmarks.systems.fanline import Fanline
from benchmarks.systems.system import System
from benchmarks.workload import Workload, session_names

IDLE_SESSIONS, IDLE_TABS_EACH = 5_000, 2
SETTLE_SECONDS = 2.0
STORM_SESSIONS, STORM_TABS_EACH = 500, 4
LOGGED_EVENTS, MISSED_EVENTS = 60, 20
"""In each session, when its tabs come back; and after their cursors."""
ANSWER_TOKENS = 2_000
FRESH_LOADS = 20


@dataclass(frozen=True)
class Idle:
    """Many tabs to which nothing is said, and then one message each."""

    tabs: float
    bytes_each: float
    """Of the gateway's resident memory, for each tab and its share of a session."""
    connects_per_second: float
    reached: float
    """Tabs that the one message arrived at."""


def measure_idle(system: System, tabs: int, workshop: Path) -> Idle:
    """One trial with so many tabs, two a session."""
    workload = Workload(tabs // IDLE_TABS_EACH, IDLE_TABS_EACH, 1, "flood")
    with staged(system, workload.sessions, workshop) as stage:
        time.sleep(SETTLE_SECONDS)
        empty = resident_bytes(stage.gateway_pid)
        with stage.load(workload, until="upgraded") as generator:
            opened = generator.hear()
            time.sleep(SETTLE_SECONDS)
            full = resident_bytes(stage.gateway_pid)
            generator.go()
            said = generator.hear()
    return Idle(
        tabs=opened["open"],
        bytes_each=(full - empty) / max(opened["open"], 1),
        connects_per_second=opened["open"] / opened["seconds"],
        reached=said["covered"],
    )


@dataclass(frozen=True)
class CatchingUp:
    """Tabs that opened, and had all that the log holds."""

    tabs: float
    caught_up: float
    all_seconds: float
    """From the first connect to the last tab's last frame."""
    p50_ms: float
    """From a tab's connect to the last frame, as the others."""
    p99_ms: float
    gateway_ms_each: float
    """CPU of the gateway for each tab: handshake, reading and all."""


def measure_storm(workshop: Path) -> CatchingUp:
    """Two thousand tabs of ours come back at once, each a little behind."""
    with staged(Fanline(), STORM_SESSIONS, workshop) as stage:
        _fill(stage, Workload(STORM_SESSIONS, 1, LOGGED_EVENTS, "flood", at_once=LOGGED_EVENTS))
        head = stage.system.base + LOGGED_EVENTS
        queries = [
            f"&last_event_id={epoch}-{head - MISSED_EVENTS}"
            for epoch in _read_epochs(stage, STORM_SESSIONS)
        ]
        storm = Workload(STORM_SESSIONS, STORM_TABS_EACH, 0, "flood")
        return _open(stage, storm, LOGGED_EVENTS, queries)


def measure_long_answer(workshop: Path) -> CatchingUp:
    """Fresh tabs, one after the other, load an answer of 2,000 pieces that is still being given:
    its whole text is not in the log yet."""
    batch = 100
    with staged(Fanline(), 1, workshop) as stage:
        answer = Workload(1, 1, ANSWER_TOKENS, "flood", at_once=batch, only_text=True)
        _fill(stage, answer)
        loads = [
            _open(stage, Workload(1, 1, 0, "flood"), ANSWER_TOKENS) for _ in range(FRESH_LOADS)
        ]
    return CatchingUp(
        tabs=len(loads),
        caught_up=sum(load.caught_up for load in loads),
        all_seconds=sum(load.all_seconds for load in loads),
        p50_ms=statistics.median(load.p50_ms for load in loads),
        p99_ms=max(load.p50_ms for load in loads),
        gateway_ms_each=statistics.fmean(load.gateway_ms_each for load in loads),
    )


def _fill(stage: Stage, workload: Workload) -> None:
    with stage.load(workload) as generator:
        generator.hear()
        generator.go()
        if generator.hear()["lost"]:
            raise RuntimeError("the log could not be filled")


def _read_epochs(stage: Stage, sessions: int) -> list[str]:
    with redis.Redis(port=stage.redis_port) as client:
        names = [f"session:{{{name}}}:meta" for name in session_names(sessions)]
        return [cast(bytes, client.hget(name, "epoch")).decode() for name in names]


def _open(stage: Stage, workload: Workload, logged: int, queries: Sequence[str] = ()) -> CatchingUp:
    before = stage.gateway_cpu_seconds()
    with stage.load(workload, tab_query=queries, passed=logged) as generator:
        opened: dict[str, Any] = generator.hear()
    spent = stage.gateway_cpu_seconds() - before
    return CatchingUp(
        tabs=workload.tabs,
        caught_up=opened["open"],
        all_seconds=opened["seconds"],
        p50_ms=opened["p50_us"] / 1000,
        p99_ms=opened["p99_us"] / 1000,
        gateway_ms_each=spent / workload.tabs * 1000,
    )
