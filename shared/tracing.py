"""Spans: one tracer provider per process, and the trace context that travels through Redis.

Without an OTLP endpoint spans are still made (frames carry their ids) and exported nowhere. A dead
collector costs a log line a minute, and nobody waits for it: exporting never happens on the event
loop, and leaving does not take longer than `LAST_EXPORT_SECONDS`. What of a span may leave is
decided in `span_content.py`.
"""

import logging
import os
import threading

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.logs import Seldom
from shared.settings import TelemetrySettings
from shared.span_content import StructureExporter, is_without_content

EXPORT_DELAY_MS = 500
"""How long a finished span may wait for company; the SDK's default is ten times that."""

LAST_EXPORT_SECONDS = 2.0
"""How long a process that ends waits for its last spans to go. The exporters themselves would try
a dead collector for twenty seconds, longer than those who stop a process wait for it."""

_log = logging.getLogger(__name__)


class _Exporting(BatchSpanProcessor):
    """Batches to the collector, and a bounded good-bye."""

    def shutdown(self) -> None:
        leaving = threading.Thread(target=super().shutdown, daemon=True)
        leaving.start()
        leaving.join(LAST_EXPORT_SECONDS)


class _OwnWarning(logging.Handler):
    """Takes what OpenTelemetry's libraries say, and tells it as a warning of ours, a line a minute.
    Theirs are several lines and an error for every batch, though nothing but the spans is lost."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(Seldom(lambda record: ""))  # whatever they say

    def emit(self, record: logging.LogRecord) -> None:
        _log.warning("%s", record.getMessage())


def build_tracer_provider(service_name: str, *processors: SpanProcessor) -> TracerProvider:
    """A provider whose spans go to `OTEL_EXPORTER_OTLP_ENDPOINT`, when that is set.

    `OTEL_SERVICE_NAME` and the other standard variables win over what is given here. What a span
    may hold when it leaves is read from the environment too (`TelemetrySettings`).
    """
    # Baggage has the session's whole id, and MCP clients would send it to their servers.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    name = os.environ.get("OTEL_SERVICE_NAME") or service_name
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    for processor in processors:
        provider.add_span_processor(processor)
    endpoint = otlp_endpoint()
    if endpoint:
        _quieten_libraries()
        delay = None if "OTEL_BSP_SCHEDULE_DELAY" in os.environ else EXPORT_DELAY_MS
        exporter = _build_exporter()
        if is_without_content(TelemetrySettings(), endpoint):
            exporter = StructureExporter(exporter)
            _log.info("spans leave without content (TELEMETRY_CONTENT_SPANS)")
        provider.add_span_processor(_Exporting(exporter, schedule_delay_millis=delay))
    return provider


def otlp_endpoint() -> str:
    """Where spans go; empty for nowhere."""
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get(
        "OTEL_EXPORTER_OTLP_ENDPOINT", ""
    )


def _quieten_libraries() -> None:
    libraries = logging.getLogger("opentelemetry")
    if not any(isinstance(handler, _OwnWarning) for handler in libraries.handlers):
        libraries.addHandler(_OwnWarning())
    libraries.propagate = False


def _build_exporter() -> SpanExporter:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
    )
    match protocol:
        case "http/protobuf":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        case "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        case _:
            raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol!r} is not supported")
    return OTLPSpanExporter()


def current_traceparent() -> str:
    """The current span as a W3C `traceparent`, empty outside any span."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")


def context_of(traceparent: str) -> Context:
    """The context to start a span in that continues `traceparent`."""
    return propagate.extract({"traceparent": traceparent})


def trace_id_of(traceparent: str) -> str | None:
    """The trace id inside a `traceparent`, as frames carry it; `None` when there is none."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 else None


def trace_id_of_span(span: trace.Span) -> str | None:
    """A span's trace id as frames and Jaeger write it; `None` when tracing is switched off."""
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
