"""The capacity model: what an audience asks of gateways, Redis, workers and the network.

Pure: what each piece of work costs is measured elsewhere (`measured_costs.py`) and given; what is
needed for it is planned in `capacity_plan.py`. docs/scaling.md explains the formulae and checks
them against measured points.
"""

import math
from dataclasses import dataclass

MICRO = 1e-6
PACKET_BYTES = 66
"""Ethernet, IPv4 and TCP with timestamps, around what one write sends."""
FRAME_BYTES = 4
"""The header of a WebSocket frame of 126 bytes or more."""
HEADS_SECONDS = 5.0
"""How often a gateway compares the heads of its sessions, by default."""
NEVER_RESTS = {"REST_SECONDS": "0"}
"""The setting of the gateway that the model is of. One that rests has less to do."""


@dataclass(frozen=True)
class Costs:
    """CPU time of one core, in microseconds, and bytes: what one piece of work takes."""

    gateway_wake_us: float
    """To wake for what Redis sent, however many events that is."""
    gateway_event_us: float
    """To read, judge and frame an event, for all tabs of this gateway."""
    gateway_write_us: float
    """To write to a tab's socket, however many frames that is."""
    gateway_frame_us: float
    """For each frame in such a write."""
    gateway_connect_us: float
    """For a tab that opens: handshake, subscription, first page."""
    gateway_idle_us: float
    """A second, for each open tab, if nothing is said: heartbeats, pings, comparing heads."""
    gateway_base_bytes: float
    gateway_tab_bytes: float
    gateway_session_bytes: float
    """For a session that is followed, beside its tabs."""
    redis_append_us: float
    """For a call of the append script, however many events that is."""
    redis_event_us: float
    """For each event in it: numbered, logged, published to nobody."""
    redis_publish_us: float
    """For each append, and each gateway that follows the session."""
    redis_connect_us: float
    """For a tab that opens."""
    redis_head_us: float
    """To tell a gateway the head of one log."""
    redis_turn_us: float
    """For a turn beside its events: accept, claim, lease, start, finish."""
    redis_work_us: float
    """Of that, for its entry in the work stream, which is one key and so on one shard."""
    redis_session_bytes: float
    redis_event_bytes: float
    """For an event that stays in the log."""
    worker_event_us: float
    """From a piece of the model's answer to the appended event."""
    worker_turn_us: float
    """For a turn beside its events."""
    event_bytes: float
    """Of an event as JSON, on average."""


@dataclass(frozen=True)
class Audience:
    """Who is there, and what they do."""

    name: str
    tabs: int
    sessions: int
    active_share: float
    """Of the sessions: those in which an answer is streaming at a given moment."""
    events_per_second: float
    """Of an active session. A token is an event: a worker merges only what Redis has not taken."""
    events_per_turn: float
    connects_per_tab: float
    """A second: tabs that are opened or reloaded, or come back."""
    kept_events: float
    """In the log of a session at rest."""

    @property
    def tabs_each(self) -> float:
        return self.tabs / self.sessions

    @property
    def active_sessions(self) -> float:
        return self.sessions * self.active_share

    @property
    def events(self) -> float:
        """A second, of all sessions."""
        return self.active_sessions * self.events_per_second

    @property
    def deliveries(self) -> float:
        """A second, to all tabs."""
        return self.events * self.tabs_each

    @property
    def turns(self) -> float:
        """A second."""
        return self.events / self.events_per_turn

    @property
    def connects(self) -> float:
        """A second."""
        return self.tabs * self.connects_per_tab


@dataclass(frozen=True)
class Batches:
    """How a gateway works that takes at once all that has come meanwhile."""

    events: float
    """In one batch, on average."""
    writes: float
    """Sessions in one batch, to each of whose tabs one write goes."""
    busy_share: float


def followers(gateways: float, tabs: float) -> float:
    """How many of so many gateways have a tab of a session with so many, which are spread at
    random."""
    return gateways * (1 - (1 - 1 / gateways) ** tabs)


def gateway_batches(
    costs: Costs, events_per_second: float, tabs_each: float, sessions: float
) -> Batches:
    """How a gateway works that so many events reach, of so many sessions, each for so many tabs.

    What comes while it works is the next batch, in which the frames of a session are one write to
    each of its tabs. The mean batch n is where n = a + exp(-a), a being what arrives during a batch
    of n: if nothing does, it sleeps until one comes.
    """
    events = 1.0
    for _ in range(10_000):
        arriving = events_per_second * batch_seconds(costs, events, tabs_each, sessions)
        if arriving > 1e6:
            break
        before, events = events, arriving + math.exp(-arriving)
        if abs(events - before) < 1e-9 * events:
            return Batches(events, _distinct(events, sessions), min(arriving / events, 1.0))
    return Batches(events, _distinct(events, sessions), 1.0)


def batch_seconds(costs: Costs, events: float, tabs_each: float, sessions: float) -> float:
    """What a gateway spends on a batch of so many events, of so many sessions at random."""
    each = costs.gateway_event_us + tabs_each * costs.gateway_frame_us
    writing = _distinct(events, sessions) * tabs_each * costs.gateway_write_us
    return MICRO * (costs.gateway_wake_us + events * each + writing)


def _distinct(events: float, sessions: float) -> float:
    return followers(max(sessions, 1.0), events)


def gateway_of_each(costs: Costs, audience: Audience, gateways: float) -> Batches:
    """What each of so many gateways has to do with live events."""
    following = followers(gateways, audience.tabs_each)
    share = following / gateways
    return gateway_batches(
        costs,
        audience.events * share,
        audience.tabs_each / following,
        audience.active_sessions * share,
    )


def gateway_busy_share(costs: Costs, audience: Audience, gateways: float) -> float:
    """Of each of so many: live events, opening tabs, idle tabs."""
    opening = audience.connects * costs.gateway_connect_us
    idle = audience.tabs * costs.gateway_idle_us
    live = gateway_of_each(costs, audience, gateways).busy_share
    return live + MICRO * (opening + idle) / gateways


def gateway_bytes(costs: Costs, audience: Audience, gateways: float) -> float:
    """Memory of each of so many."""
    followed = audience.sessions * followers(gateways, audience.tabs_each) / gateways
    tabs = audience.tabs / gateways * costs.gateway_tab_bytes
    return costs.gateway_base_bytes + tabs + followed * costs.gateway_session_bytes


def redis_busy_cores(costs: Costs, audience: Audience, gateways: float) -> float:
    """Of all shards together, each event alone in its append."""
    following = followers(gateways, audience.tabs_each)
    heads = audience.sessions * following / HEADS_SECONDS * costs.redis_head_us
    opening = audience.connects * costs.redis_connect_us
    turns = audience.turns * costs.redis_turn_us
    return MICRO * (audience.events * _append_us(costs, following) + heads + opening + turns)


def session_busy_cores(costs: Costs, audience: Audience, gateways: float) -> float:
    """Of the one shard that has it, for an active session."""
    following = followers(gateways, audience.tabs_each)
    return MICRO * audience.events_per_second * _append_us(costs, following)


def work_busy_cores(costs: Costs, audience: Audience) -> float:
    """Of the one shard that has the work stream, for this alone."""
    return MICRO * audience.turns * costs.redis_work_us


def _append_us(costs: Costs, following: float) -> float:
    return costs.redis_append_us + costs.redis_event_us + following * costs.redis_publish_us


def redis_bytes(costs: Costs, audience: Audience) -> float:
    """Memory of all shards together."""
    kept = audience.kept_events * costs.redis_event_bytes
    return audience.sessions * (costs.redis_session_bytes + kept)


def worker_busy_cores(costs: Costs, audience: Audience) -> float:
    """Of all workers together."""
    return MICRO * (audience.events * costs.worker_event_us + audience.turns * costs.worker_turn_us)


def out_bytes_per_second(costs: Costs, audience: Audience, gateways: float) -> float:
    """From all gateways to their tabs, headers of frames and packets included."""
    batches = gateway_of_each(costs, audience, gateways)
    packets = audience.deliveries * batches.writes / batches.events
    return audience.deliveries * (costs.event_bytes + FRAME_BYTES) + packets * PACKET_BYTES


def last_tab_seconds(costs: Costs, audience: Audience, gateways: float) -> float:
    """From an event's arrival at an idle gateway until the last of its tabs there is written to."""
    return batch_seconds(costs, 1, audience.tabs_each / followers(gateways, audience.tabs_each), 1)
