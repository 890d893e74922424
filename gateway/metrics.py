"""What a gateway counts, for `/metrics`. Label values come from fixed sets: they are bounded.

A scrape may come in a thread of its own (`METRICS_PORT`): what is only looked at then must be safe
to look at from there.
"""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.access import Reason
from shared.protocol import ErrorCode

DELIVERY_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)
CATCH_UP_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Tally(Collector):
    """A counter for the hot path, where one thread counts: a `Counter` takes a lock each time."""

    def __init__(self, name: str, about: str, registry: CollectorRegistry) -> None:
        self.value = 0
        self._name = name
        self._about = about
        registry.register(self)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """What `/metrics` shows of it."""
        yield CounterMetricFamily(self._name, self._about, value=self.value)


class Metrics:
    """One registry per process, made by the application, never at import."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(namespace="fanline", registry=registry)
        self.tabs = Gauge("fanline_tabs", "Open tabs.", registry=registry)
        self.tabs_behind = Gauge(
            "fanline_tabs_behind",
            "Tabs that are not at the live tail of their log, once a second.",
            registry=registry,
        )
        self.sessions = Gauge("fanline_sessions", "Followed sessions.", registry=registry)
        self.deliveries = Tally("fanline_deliveries", "Frames given to tabs.", registry)
        self.event_to_socket = Histogram(
            "fanline_event_to_socket_seconds",
            "From an event's own timestamp to its writing to sockets: one event a second.",
            buckets=DELIVERY_SECONDS,
            registry=registry,
        )
        self.pages = Counter("fanline_log_pages", "Log pages read.", registry=registry)
        self.gaps = Counter(
            "fanline_gaps", "Times that a tab left the live tail to read.", registry=registry
        )
        self.catch_ups = Tally(
            "fanline_catch_ups", "Times that a tab has reached the live tail by reading.", registry
        )
        self.catch_up_frames = Tally(
            "fanline_catch_up_frames", "Frames given to tabs from the log.", registry
        )
        self.catch_up_seconds = Histogram(
            "fanline_catch_up_seconds",
            "How long a session's log was read until none of its tabs took more.",
            buckets=CATCH_UP_SECONDS,
            registry=registry,
        )
        self.foreign_texts = Counter(
            "fanline_foreign_texts", "Texts on our channels that were not ours.", registry=registry
        )
        self.broken_logs = Counter(
            "fanline_broken_logs", "Reads of keys that hold no log of ours.", registry=registry
        )
        self.accepted = Counter(
            "fanline_messages_accepted", "Accepted messages.", registry=registry
        )
        self.refused = Counter(
            "fanline_frames_refused", "Frames answered by an error.", ["code"], registry=registry
        )
        self._refusals = Counter(
            "fanline_refusals", "Refused handshakes and requests.", ["reason"], registry=registry
        )
        # A rate sees the first only where there was a zero.
        for code in get_args(ErrorCode):
            self.refused.labels(code)
        for reason in get_args(Reason):
            self._refusals.labels(reason)
        self.redis_lost = Counter(
            "fanline_redis_lost", "Times the subscription was lost.", registry=registry
        )
        self.stalled = Counter(
            "fanline_tabs_stalled", "Tabs closed because they took nothing.", registry=registry
        )
        self.ready = Gauge("fanline_ready", "1 when ready.", registry=registry)
        self.probe_age = Gauge(
            "fanline_probe_age_seconds",
            "Seconds since a probe came back through Redis.",
            registry=registry,
        )

    def refuse(self, reason: Reason) -> None:
        """Count a refused handshake, request or connection."""
        self._refusals.labels(reason).inc()
