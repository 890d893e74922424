"""One duration for a turn's span and for its `turn_finished`."""

import time

from opentelemetry import trace

from shared.protocol import Failure, TurnStatus


class SpanClock:
    """One duration for the turn's span and for its `turn_finished`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._begun = time.perf_counter_ns()
        self._start: int | None = getattr(span, "start_time", None)
        self._duration: int | None = None

    def stop(self, status: TurnStatus | str, failure: Failure | None = None) -> int:
        """Take the time, in ms, and note on the span how the turn ended."""
        self._duration = time.perf_counter_ns() - self._begun
        self._span.set_attribute("turn.status", status)
        if failure is not None:
            self._span.set_status(trace.StatusCode.ERROR, failure.code)
        return round(self._duration / 1_000_000)

    def end_span(self) -> None:
        """End the span at the moment that was taken."""
        if self._duration is None or self._start is None:
            self._span.end()
        else:
            self._span.end(end_time=self._start + self._duration)
