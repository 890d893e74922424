"""What of the trace goes along with a request to somebody else."""

from collections.abc import Iterator

import pytest
from opentelemetry import baggage, propagate, trace

from shared.tracing import build_tracer_provider


@pytest.fixture
def _propagator_of_the_other_tests() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    before = propagate.get_global_textmap()
    yield
    propagate.set_global_textmap(before)


@pytest.mark.usefixtures("_propagator_of_the_other_tests")
def test_the_ids_of_the_trace_go_along_and_the_session_s_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The agent framework puts it into the baggage, which MCP clients send to their servers."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    provider = build_tracer_provider("test")
    with provider.get_tracer("test").start_as_current_span("turn") as span:
        carrier: dict[str, str] = {}
        propagate.inject(carrier, baggage.set_baggage("gen_ai.conversation.id", "session-id"))
    context = span.get_span_context()
    ids = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    assert set(carrier) == {"traceparent"}
    assert tuple(carrier["traceparent"].split("-")[1:3]) == ids
    provider.shutdown()
