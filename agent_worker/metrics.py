"""What a worker counts. Label values come from fixed sets: they are bounded.

A scrape comes in a thread of its own (`METRICS_PORT`): what is only looked at then must be safe to
look at from there.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from shared.protocol import ErrorCode, TurnFinished, TurnStatus

TURN_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
WAIT_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
TOKEN_KINDS = ("prompt", "completion")
CALL_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)


class Backlog(Protocol):
    """What a running turn has emitted and Redis does not have yet."""

    max_bytes: int

    def waiting(self) -> tuple[int, int]:
        """Events and bytes."""
        ...


class Metrics:
    """One registry per process, made when it starts, never at import."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(namespace="fanline", registry=registry)
        self._running: set[Backlog] = set()
        self._started = Counter(
            "fanline_turns_started",
            "Attempts begun: `first` of their turn, or `again`.",
            ["attempt"],
            registry=registry,
        )
        self._finished = Counter(
            "fanline_turns_finished", "Turns ended here.", ["status"], registry=registry
        )
        self._failed = Counter(
            "fanline_turns_failed", "Turns ended as failed.", ["code"], registry=registry
        )
        self._turn_seconds = Histogram(
            "fanline_turn_seconds",
            "How long the attempt took that ended a turn.",
            buckets=TURN_SECONDS,
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "fanline_turn_queue_seconds",
            "From a message's acceptance, by Redis' clock, to its first attempt, by the worker's.",
            buckets=WAIT_SECONDS,
            registry=registry,
        )
        self._first_text_seconds = Histogram(
            "fanline_first_text_seconds",
            "From the beginning of an attempt to the first piece of text.",
            buckets=WAIT_SECONDS,
            registry=registry,
        )
        self._model_seconds = Histogram(
            "fanline_model_call_seconds",
            "How long a turn's model calls took.",
            ["outcome"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._tool_seconds = Histogram(
            "fanline_tool_call_seconds",
            "How long a turn's tool calls took.",
            ["outcome"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._tokens = Counter(
            "fanline_tokens", "Tokens that providers told for turns.", ["kind"], registry=registry
        )
        self.redis_lost = Counter(
            "fanline_redis_lost", "Times that Redis was away.", registry=registry
        )
        self.slots = Gauge("fanline_slots", "WORKER_CONCURRENCY.", registry=registry)
        self.slots_busy = Gauge(
            "fanline_slots_busy", "Sessions and `/patient` requests here.", registry=registry
        )
        self._watch_running()
        self._begin_at_zero()

    def start_turn(self, attempt: int, queue_seconds: float) -> None:
        """An attempt has begun, so long after the message was accepted."""
        self._started.labels("first" if attempt == 1 else "again").inc()
        if attempt == 1:
            self._queue_seconds.observe(max(queue_seconds, 0.0))  # of two clocks

    def finish_turn(self, finished: TurnFinished, first_text_ms: int | None) -> None:
        """A turn has ended here, as this frame says; its first text came so long after the last
        attempt had begun."""
        self._finished.labels(finished.status).inc()
        if finished.error is not None:
            self._failed.labels(finished.error.code).inc()
        if finished.duration_ms is not None:
            self._turn_seconds.observe(finished.duration_ms / 1000)
        if first_text_ms is not None:
            self._first_text_seconds.observe(first_text_ms / 1000)

    def end_model_call(self, duration_ms: int, outcome: Mapping[str, Any]) -> None:
        """A model call has ended; `outcome` is the rest of what its last frame says."""
        is_error = outcome.get("is_error", False)
        self._model_seconds.labels(_outcome(is_error)).observe(duration_ms / 1000)
        for kind in TOKEN_KINDS:
            self._tokens.labels(kind).inc(outcome.get(f"{kind}_tokens") or 0)

    def end_tool_call(self, duration_ms: int, *, is_error: bool) -> None:
        """A tool call has ended."""
        self._tool_seconds.labels(_outcome(is_error)).observe(duration_ms / 1000)

    @contextmanager
    def running(self, backlog: Backlog) -> Generator[None, None, None]:
        """A turn runs while the block does."""
        self._running.add(backlog)
        try:
            yield
        finally:
            self._running.discard(backlog)

    def _watch_running(self) -> None:
        """Gauges that are looked at when they are scraped: emitting costs nothing for them. The
        scrape gets a list of its own: turns begin and end meanwhile."""
        running = self._running
        shown = {
            "fanline_turns_running": ("Attempts that run.", lambda: len(running)),
            "fanline_emitter_waiting_events": (
                "Events that wait for Redis, of all running turns.",
                lambda: sum(one.waiting()[0] for one in list(running)),
            ),
            "fanline_emitter_waiting_bytes": (
                "Bytes that wait for Redis, of all running turns.",
                lambda: sum(one.waiting()[1] for one in list(running)),
            ),
            "fanline_emitter_fullest_ratio": (
                "The part of EMITTER_MAX_BYTES that the fullest turn has waiting.",
                lambda: max((one.waiting()[1] / one.max_bytes for one in list(running)), default=0),
            ),
        }
        for name, (about, look) in shown.items():
            Gauge(name, about, registry=self.registry).set_function(look)

    def _begin_at_zero(self) -> None:
        """A rate sees the first of its kind only where there was a zero before it."""
        for attempt in ("first", "again"):
            self._started.labels(attempt)
        for status in get_args(TurnStatus):
            self._finished.labels(status)
        for code in get_args(ErrorCode):
            self._failed.labels(code)
        for kind in TOKEN_KINDS:
            self._tokens.labels(kind)
        for is_error in (False, True):
            self._model_seconds.labels(_outcome(is_error))
            self._tool_seconds.labels(_outcome(is_error))


def _outcome(is_error: bool) -> str:
    return "error" if is_error else "ok"
