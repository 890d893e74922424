"""Spans: one tracer provider per process, and the trace context that travels through Redis.

Without an OTLP endpoint spans are still made (frames carry their ids) and exported nowhere; a dead
collector costs a log line. Exporting never happens on the event loop.
"""

import logging
import os

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

EXPORT_DELAY_MS = 500
"""How long a finished span may wait for company; the SDK's default is ten times that."""

_log = logging.getLogger(__name__)


def build_tracer_provider(service_name: str, *processors: SpanProcessor) -> TracerProvider:
    """A provider whose spans go to `OTEL_EXPORTER_OTLP_ENDPOINT`, when that is set.

    `OTEL_SERVICE_NAME` and the other standard variables win over what is given here.
    """
    name = os.environ.get("OTEL_SERVICE_NAME") or service_name
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    for processor in processors:
        provider.add_span_processor(processor)
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get(
        "OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    if endpoint:
        provider.add_span_processor(
            BatchSpanProcessor(_build_exporter(), schedule_delay_millis=EXPORT_DELAY_MS)
        )
    return provider


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


def hex_ids(span: trace.Span) -> tuple[str, str]:
    """Trace id and span id of a span, as frames and Jaeger write them."""
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
