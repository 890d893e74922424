"""What a gateway counts, for `/metrics`. Label values come from fixed sets: they are bounded."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


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
        self.tabs = Gauge("fanline_tabs", "Open tabs.", registry=registry)
        self.sessions = Gauge("fanline_sessions", "Followed sessions.", registry=registry)
        self.deliveries = Tally("fanline_deliveries", "Frames given to tabs.", registry)
        self.pages = Counter("fanline_log_pages", "Log pages read.", registry=registry)
        self.gaps = Counter(
            "fanline_gaps", "Times that a tab left the live tail to read.", registry=registry
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
