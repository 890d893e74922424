"""How many gateways, workers and shards an audience needs, and which bound is met first. Pure."""

import math
from dataclasses import dataclass

from benchmarks.capacity import (
    MICRO,
    Audience,
    Costs,
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

MOST_GATEWAYS = 2**20


@dataclass(frozen=True)
class Limits:
    """What one unit may be used for."""

    busy_share: float = 0.6
    """Of a core. The rest is for bursts, and for the tabs of a neighbour that has died."""
    gateway_tabs: int = 20_000
    """Open sockets of one process."""
    gateway_bytes: float = 2.0 * 2**30
    redis_bytes: float = 16.0 * 2**30
    machine_bytes_per_second: float = 0.6 * 10e9 / 8
    """Sent by one machine: of 10 Gbit/s."""


@dataclass(frozen=True)
class Need:
    """How many units of a kind a bound asks for, as a fraction: 0.8 is four fifths of one."""

    unit: str
    bound: str
    units: float


@dataclass(frozen=True)
class Plan:
    """What an audience needs at least, so that every unit stays within its limits."""

    audience: Audience
    gateways: int
    workers: int
    shards: int
    needs: list[Need]
    """Of every bound, the greatest first."""
    undivided: list[Need]
    """What one shard has to do alone, however many there are: above 1 it cannot."""
    gateway_busy_share: float
    out_bytes_per_second: float
    last_tab_seconds: float
    storm_seconds: float
    """Until the others have let in the tabs of a gateway that has died, with the time they have
    left."""


def make_plan(costs: Costs, audience: Audience, limits: Limits) -> Plan:
    """Raises `ValueError` where no number of gateways is enough."""
    gateways = _count_gateways(costs, audience, limits)
    busy = gateway_busy_share(costs, audience, gateways)
    out = out_bytes_per_second(costs, audience, gateways)
    memory = gateway_bytes(costs, audience, gateways) * gateways
    session = session_busy_cores(costs, audience, gateways)
    work = work_busy_cores(costs, audience)
    needs = [
        Need("gateway", "CPU", busy * gateways / limits.busy_share),
        Need("gateway", "sockets", audience.tabs / limits.gateway_tabs),
        Need("gateway", "memory", memory / limits.gateway_bytes),
        Need("worker", "CPU", worker_busy_cores(costs, audience) / limits.busy_share),
        Need("shard", "CPU", redis_busy_cores(costs, audience, gateways) / limits.busy_share),
        Need("shard", "memory", redis_bytes(costs, audience) / limits.redis_bytes),
        Need("machine", "network", out / limits.machine_bytes_per_second),
    ]
    return Plan(
        audience=audience,
        gateways=gateways,
        workers=_count(needs, "worker"),
        shards=_count(needs, "shard"),
        needs=sorted(needs, key=lambda need: need.units, reverse=True),
        undivided=[
            Need("an active session's shard", "CPU", session / limits.busy_share),
            Need("the work stream's shard", "CPU", work / limits.busy_share),
        ],
        gateway_busy_share=busy,
        out_bytes_per_second=out,
        last_tab_seconds=last_tab_seconds(costs, audience, gateways),
        storm_seconds=_storm_seconds(costs, audience, gateways, busy),
    )


def _count_gateways(costs: Costs, audience: Audience, limits: Limits) -> int:
    """The smallest number with which each stays within its limits."""

    def suffice(gateways: int) -> bool:
        return (
            audience.tabs <= gateways * limits.gateway_tabs
            and gateway_bytes(costs, audience, gateways) <= limits.gateway_bytes
            and gateway_busy_share(costs, audience, gateways) <= limits.busy_share
        )

    enough = 1
    while not suffice(enough):
        enough *= 2
        if enough > MOST_GATEWAYS:
            raise ValueError(f"{audience.name}: no number of gateways is enough")
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if suffice(middle) else (middle, enough)
    return enough


def _count(needs: list[Need], unit: str) -> int:
    return math.ceil(max(need.units for need in needs if need.unit == unit))


def _storm_seconds(costs: Costs, audience: Audience, gateways: int, busy_share: float) -> float:
    """The last one's successor has nobody beside it."""
    opening = MICRO * costs.gateway_connect_us * audience.tabs / gateways
    return opening / (max(gateways - 1, 1) * (1 - busy_share))
