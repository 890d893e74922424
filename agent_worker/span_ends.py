"""What this process's spans say to the frames: when one has ended, and how long it took.

Everything here is called in the middle of somebody's work, on the event loop: it looks, notes and
calls back, and waits for nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter_ns
from typing import Any
from uuid import uuid4

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agent_worker.translate import clean_text

CALL_ID = "gen_ai.tool.call.id"
REFUSED = {"pydantic_ai.tool.failure_stage": "validation"}
"""What marks the span of a tool call that never ran, because its arguments were refused."""

EndOfSpan = Callable[[int, dict[str, Any]], None]
"""Called with the span's duration in ms and its attributes."""

refused_calls: ContextVar[dict[str, ReadableSpan] | None] = ContextVar("refused", default=None)
"""Where a run wants the spans of its refused calls, by the model's own id of the call. No hook is
called while such a span is open, so the frames are told from it after its end."""


class SpanEnds(SpanProcessor):
    """Calls back, once, when a span that somebody waits for has ended. One per process."""

    def __init__(self) -> None:
        self._waiting: dict[int, EndOfSpan] = {}

    def call_at_end_of(self, span: trace.Span, callback: EndOfSpan) -> Callable[[], None]:
        """Arrange for `callback`. Returns what to call when the work is done, which matters only
        for a span that is not recorded and so never ends: then the time is taken here."""
        if span.is_recording():
            self._waiting[span.get_span_context().span_id] = callback
            return lambda: None
        begun = perf_counter_ns()
        return lambda: callback(_ms(perf_counter_ns() - begun), {})

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        # One name to search a session by, on every span; those that an agent makes itself have it
        # from their parent.
        session_id = _attribute(span, "gen_ai.conversation.id") or _attribute(
            trace.get_current_span(parent_context), "session_id"
        )
        if session_id is not None:
            span.set_attribute("session_id", session_id)
        if _is_refused_call(span):
            span.set_attribute(CALL_ID, unique_call_id(_attribute(span, CALL_ID), span))

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        callback = self._waiting.pop(context.span_id, None) if context is not None else None
        if callback is not None:
            callback(duration_ms(span), dict(span.attributes or {}))
        refused = refused_calls.get()
        if refused is not None and _is_refused_call(span):
            refused[_attribute(span, CALL_ID).rpartition(".")[0]] = span

    def shutdown(self) -> None:
        self._waiting.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def unique_call_id(call_id: str, span: trace.Span) -> str:
    """A tool call's id, unique in the session. Models repeat theirs (some servers count from 0 in
    every answer); the span's id does not repeat."""
    return f"{clean_text(call_id)}.{trace.format_span_id(span.get_span_context().span_id)}"


def duration_ms(span: ReadableSpan) -> int:
    """How long an ended span took."""
    return _ms((span.end_time or 0) - (span.start_time or 0))


def ids_of_open(span: trace.Span) -> dict[str, Any]:
    """The ids of a span that is recorded. Of any other there is nothing to find in Jaeger, and its
    ids may be zeros or those of its parent, the same for every call."""
    return ids_of(span) if isinstance(span, ReadableSpan) and span.is_recording() else {}


def ids_of(span: ReadableSpan) -> dict[str, Any]:
    """A span's id and its parent's, as frames carry them."""
    context, parent = span.context, span.parent
    return {
        "span_id": trace.format_span_id(context.span_id) if context is not None else None,
        "parent_span_id": trace.format_span_id(parent.span_id) if parent is not None else None,
    }


def made_up_id() -> str:
    """What names a call that has no span."""
    return uuid4().hex[:16]


def _is_refused_call(span: object) -> bool:
    return all(_attribute(span, name) == value for name, value in REFUSED.items())


def _attribute(span: object, name: str) -> Any:
    attributes: dict[str, Any] | None = getattr(span, "attributes", None)
    return (attributes or {}).get(name)


def _ms(nanoseconds: int) -> int:
    return round(nanoseconds / 1_000_000)
