"""A simulation of the way from the append to the tab: Redis, gateways, tabs, with measured costs.

Both kinds of process work in batches: at once on all that has come while they worked, as an event
loop does. The network of queues has no way back, so each station is worked through in turn, batch
by batch, and no calendar of events is needed. The same arrivals give the same result, to the last
bit.

What it leaves out: the operating system (a process runs when it has work), the collector of
garbage, slow tabs, and whatever else runs on the machine.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.capacity import MICRO, Costs


@dataclass(frozen=True)
class Arrival:
    """Events of one session that are appended together."""

    at: float
    """Seconds from the beginning."""
    session: int
    events: int


@dataclass(frozen=True)
class Simulated:
    """What happened. Latencies are from the append's arrival at Redis to the write to the tab."""

    latencies: list[float]
    """Seconds, ascending, of every delivery."""
    seconds: float
    """Until the last delivery."""
    redis_busy_share: float
    gateway_busy_shares: list[float]

    def latency(self, share: float) -> float:
        """Seconds that so large a share of the deliveries stayed below."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def poisson_arrivals(
    per_second: float, seconds: float, sessions: int, events: int, seed: int
) -> list[Arrival]:
    """Appends at random moments, each of a session at random."""
    dice = random.Random(seed)
    arrivals: list[Arrival] = []
    at = dice.expovariate(per_second)
    while at < seconds:
        arrivals.append(Arrival(at, dice.randrange(sessions), events))
        at += dice.expovariate(per_second)
    return arrivals


def spread_tabs(sessions: int, tabs_each: int, gateways: int, seed: int) -> list[list[int]]:
    """For each gateway, how many tabs of each session came to it, at random."""
    dice = random.Random(seed)
    tabs = [[0] * sessions for _ in range(gateways)]
    for session in range(sessions):
        for _ in range(tabs_each):
            tabs[dice.randrange(gateways)][session] += 1
    return tabs


def work_in_batches(
    times: Sequence[float], work: Callable[[float, range], float]
) -> tuple[list[float], float]:
    """One process: `times` is when its jobs come, ascending; `work(begin, batch)` does the jobs
    with these indices and says when it is done. Returns when each job's batch was done, and how
    long the process worked in all."""
    done: list[float] = []
    now = busy = 0.0
    while len(done) < len(times):
        first = len(done)
        begin = max(now, times[first])
        end = first
        while end < len(times) and times[end] <= begin:
            end += 1
        now = work(begin, range(first, end))
        busy += now - begin
        done += [now] * (end - first)
    return done, busy


def simulate(arrivals: Sequence[Arrival], costs: Costs, tabs: Sequence[Sequence[int]]) -> Simulated:
    """`tabs[gateway][session]` says how many tabs are where. Arrivals are in order of time."""
    following = [sum(there > 0 for there in everywhere) for everywhere in zip(*tabs, strict=True)]

    def append(begin: float, batch: range) -> float:
        spent = 0.0
        for arrival in (arrivals[index] for index in batch):
            spent += costs.redis_append_us + arrival.events * costs.redis_event_us
            spent += following[arrival.session] * costs.redis_publish_us
        return begin + MICRO * spent

    published, redis_busy = work_in_batches([arrival.at for arrival in arrivals], append)
    latencies: list[float] = []
    gateway_busy: list[float] = []
    end = published[-1]
    for gateway in tabs:
        reached = [index for index, one in enumerate(arrivals) if gateway[one.session]]
        fan_out = _FanOut(costs, gateway, [arrivals[index] for index in reached], latencies)
        done, busy = work_in_batches([published[index] for index in reached], fan_out.work)
        gateway_busy.append(busy)
        end = max(end, *done[-1:])
    return Simulated(
        sorted(latencies), end, redis_busy / end, [busy / end for busy in gateway_busy]
    )


class _FanOut:
    """A gateway's work: what a batch brought for a session goes to each of its tabs in one
    write."""

    def __init__(
        self,
        costs: Costs,
        tabs: Sequence[int],
        arrivals: Sequence[Arrival],
        latencies: list[float],
    ) -> None:
        self._costs = costs
        self._tabs = tabs
        self._arrivals = arrivals
        self._latencies = latencies

    def work(self, begin: float, batch: range) -> float:
        sessions: dict[int, list[Arrival]] = {}
        for index in batch:
            arrival = self._arrivals[index]
            sessions.setdefault(arrival.session, []).append(arrival)
        now = begin + MICRO * self._costs.gateway_wake_us
        for session, arrivals in sessions.items():
            events = sum(arrival.events for arrival in arrivals)
            now += MICRO * events * self._costs.gateway_event_us
            write = self._costs.gateway_write_us + events * self._costs.gateway_frame_us
            for _ in range(self._tabs[session]):
                now += MICRO * write
                for arrival in arrivals:
                    self._latencies += [now - arrival.at] * arrival.events
        return now
