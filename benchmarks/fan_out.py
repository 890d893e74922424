"""Trials of the fan-out: what a delivery costs and how long it takes, one system at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stage import staged
from benchmarks.systems.system import System
from benchmarks.workload import Workload

LOADS = {
    "saturated": Workload(200, 2, 1000, backlog=40_000),
    "paced": Workload(200, 2, 100, per_second=20),
    "wide": Workload(1000, 3, 20, per_second=4),
    "tens": Workload(200, 2, 100, at_once=10, per_second=20),
    "burst": Workload(200, 2, 1000, "flood", at_once=10),
}
TRIALS = {"saturated": 2, "paced": 2, "tens": 2}
"""How often every system has its turn in one round, where the bars are ratios. What a machine does
in a second changes within minutes: short turns, often, give two systems more of one weather."""


@dataclass(frozen=True)
class Delivery:
    """What a load did to one system. Times are of the whole way, from the publish command to the
    tab's socket."""

    per_second: float
    cpu_us: float
    """Of the gateway, for each delivery, as `redis_cpu_us`."""
    redis_cpu_us: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    delivered: float
    merged: float
    lost: float
    reordered: float
    foreign: float
    """Frames of another session, and such as could not be read."""
    refused: float
    """Publish commands that were answered by an error."""


def measure_delivery(system: System, workload: Workload, workshop: Path) -> Delivery:
    """One trial. Raises `RuntimeError` when not all tabs open."""
    with staged(system, workload.sessions, workshop) as stage, stage.load(workload) as generator:
        opened = generator.hear()
        if opened["open"] != workload.tabs:
            raise RuntimeError(f"{system.name}: {opened['open']} of {workload.tabs} tabs opened")
        before = stage.costs(generator)
        generator.go()
        said = generator.hear()
        after = stage.costs(generator)
    return _judge(said, after.gateway - before.gateway, after.redis - before.redis)


def _judge(said: dict[str, Any], gateway_seconds: float, redis_seconds: float) -> Delivery:
    deliveries, seconds = max(said["covered"], 1), max(said["seconds"], 1e-9)
    return Delivery(
        per_second=deliveries / seconds,
        cpu_us=gateway_seconds / deliveries * 1e6,
        redis_cpu_us=redis_seconds / deliveries * 1e6,
        p50_ms=said["p50_us"] / 1000,
        p99_ms=said["p99_us"] / 1000,
        p999_ms=said["p999_us"] / 1000,
        delivered=said["covered"],
        merged=said["merged"],
        lost=said["lost"],
        reordered=said["reordered"],
        foreign=said["foreign"] + said["bad"],
        refused=said["publish_errors"],
    )
