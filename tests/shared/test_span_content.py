"""What of a span leaves in `structure`, and where that is the default."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.settings import Content, TelemetrySettings
from shared.span_content import (
    TOLD_ARGUMENTS,
    TOLD_RESULT,
    UNNAMED,
    StructureExporter,
    is_near,
    is_without_content,
    mode_of_spans,
    structure_of_span,
)

MARK = "MARK"


class Scene:
    """Spans as they are made, and as they leave."""

    def __init__(self) -> None:
        self.made, self.left = InMemorySpanExporter(), InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.made))
        self.provider.add_span_processor(SimpleSpanProcessor(StructureExporter(self.left)))
        self.tracer = self.provider.get_tracer("test")

    def span(self, name: str, attributes: dict[str, Any]) -> ReadableSpan:
        """What leaves of a span with this name and these attributes."""
        self.tracer.start_span(name, attributes=attributes).end()
        return self.left.get_finished_spans()[-1]


marked = st.text(alphabet="ab.", max_size=8).map(lambda text: MARK + text)
names = marked | st.sampled_from(
    ["url.full", "http.target", "gen_ai.input.messages", "pydantic_ai.all_messages",
     "gen_ai.system_instructions", "final_result", "gen_ai.tool.call.arguments", "logfire.msg",
     "gen_ai.tool.call.result", "db.statement", "attempts", "gen_ai.usage.input_tokens",
     "gen_ai.request.temperature", "truncated_bytes", "metadata"]
)  # fmt: skip


@given(marked, st.dictionaries(names, marked | st.lists(marked), max_size=8))
def test_no_text_leaves_that_is_not_on_the_list(name: str, attributes: dict[str, Any]) -> None:
    """Under whatever name it stands, those of numbers included."""
    span = ReadableSpan(name, attributes=attributes)
    assert MARK not in structure_of_span(span).to_json()


def test_what_a_span_is_about_leaves() -> None:
    """Ids, times, kinds, parents and what is on the list; a session's id in short."""
    scene = Scene()
    kept = {
        "turn_id": "t", "attempt": 2, "gen_ai.operation.name": "chat", "gen_ai.system": "openai",
        "gen_ai.usage.input_tokens": 7, "gen_ai.response.finish_reasons": ("stop",),
        "operation.cost": 0.25, "server.port": 443,
    }  # fmt: skip
    with scene.tracer.start_as_current_span("turn", attributes={"session_id": "12345678-tail"}):
        scene.tracer.start_span(
            "chat m-x", attributes=kept, kind=trace.SpanKind.CLIENT, start_time=5
        ).end(end_time=9)
    chat, turn = scene.left.get_finished_spans()
    made, _ = scene.made.get_finished_spans()
    assert dict(chat.attributes or {}) == kept
    assert dict(turn.attributes or {}) == {"session_id": "12345678"}
    assert (chat.name, turn.name) == ("chat m-x", "turn")
    assert (chat.context, chat.parent, chat.kind) == (made.context, made.parent, made.kind)
    assert (chat.start_time, chat.end_time, chat.resource) == (5, 9, made.resource)
    assert chat.instrumentation_scope == made.instrumentation_scope


def test_what_may_be_told_of_a_call_leaves_under_its_conventional_name() -> None:
    """And what a library has put there itself does not."""
    scene = Scene()
    told = {TOLD_ARGUMENTS: "{}", TOLD_RESULT: "r", "gen_ai.tool.call.arguments": MARK}
    left = scene.span("execute_tool x", told | {"gen_ai.operation.name": "execute_tool"})
    attributes = dict(left.attributes or {})
    assert attributes["gen_ai.tool.call.arguments"] == "{}"
    assert attributes["gen_ai.tool.call.result"] == "r"
    assert scene.span("turn", {"gen_ai.tool.call.result": MARK}).attributes == {}


@pytest.mark.parametrize(
    ("name", "operation", "left"),
    [
        ("receive message", None, "receive message"),
        ("execute_tool look_up", "execute_tool", "execute_tool look_up"),
        ("execute_tool look_up", None, UNNAMED),
        ("GET /Patient/1", "chat", UNNAMED),
        ("GET /Patient/1", "GET", UNNAMED),
    ],
)
def test_a_name_that_neither_we_nor_the_framework_gave_does_not_leave(
    name: str, operation: str | None, left: str
) -> None:
    attributes = {} if operation is None else {"gen_ai.operation.name": operation}
    assert Scene().span(name, attributes).name == left


def test_of_an_exception_its_type_leaves_and_of_a_failure_its_code() -> None:
    scene = Scene()
    for description in ("model_error", f"ValueError: {MARK}"):
        span = scene.tracer.start_span("turn")
        span.record_exception(ValueError(MARK), attributes={"more": MARK})
        span.add_event(MARK, {MARK: MARK})
        span.set_status(trace.StatusCode.ERROR, description)
        span.end()
    known, unknown = scene.left.get_finished_spans()
    for left in (known, unknown):
        (event,) = left.events
        assert (event.name, event.attributes) == ("exception", {"exception.type": "ValueError"})
        assert left.status.status_code is trace.StatusCode.ERROR
    assert (known.status.description, unknown.status.description) == ("model_error", None)


def test_a_link_leaves_without_its_attributes() -> None:
    scene = Scene()
    other = scene.tracer.start_span("turn").get_span_context()
    scene.tracer.start_span("turn", links=[trace.Link(other, {"a": MARK})]).end()
    (link,) = scene.left.get_finished_spans()[-1].links
    assert (link.context, dict(link.attributes or {})) == (other, {})


NEAR = [
    "", "http://localhost:4318", "http://127.0.0.1:4318", "http://127.8.9.1", "http://[::1]:4318",
    "http://jaeger:4318", "jaeger:4317", "localhost:4317", "https://otel-collector/v1/traces",
    "http://user:password@jaeger:4318", "http://LOCALHOST",
]  # fmt: skip
FAR = [
    "https://api.example.com", "api.example.com:4317", "http://10.0.0.7:4318", "http://[fe80::1]",
    "http://localhost.example.com", "http://jaeger.", "http://2130706433", "http://0x08080808",
    "dns:///jaeger:4317", "dns:jaeger.example.com", "ipv4:203.0.113.1:4317", "unix:///run/otel",
    "http://", "http://127.0.0.1@api.example.com", "http://[bad", "http://jaeger:port", "://",
]  # fmt: skip


@pytest.mark.parametrize("endpoint", NEAR)
def test_a_collector_on_this_machine_or_its_network_is_near(endpoint: str) -> None:
    assert is_near(endpoint)


@pytest.mark.parametrize("endpoint", FAR)
def test_every_other_collector_is_far(endpoint: str) -> None:
    assert not is_near(endpoint)


@pytest.mark.parametrize(
    ("frames", "spans", "endpoint", "mode"),
    [
        ("full", None, NEAR[1], "full"),
        ("full", None, FAR[0], "structure"),
        ("full", "full", FAR[0], "full"),
        ("full", "structure", NEAR[1], "structure"),
        ("structure", None, NEAR[1], "structure"),
        ("structure", "full", NEAR[1], "full"),
    ],
)
def test_spans_are_as_the_frames_unless_they_go_far_or_it_is_set(
    frames: Content, spans: Content | None, endpoint: str, mode: Content
) -> None:
    settings = TelemetrySettings(
        telemetry_content=frames, telemetry_content_spans=spans, telemetry_redact=""
    )
    assert mode_of_spans(settings, endpoint) == mode
    assert is_without_content(settings, endpoint) == (mode == "structure")
    hooked = settings.model_copy(update={"telemetry_redact": "a:b"})
    assert is_without_content(hooked, endpoint)


def test_a_wrong_mode_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEMETRY_CONTENT", "structur")
    with pytest.raises(ValueError, match="telemetry_content"):
        TelemetrySettings()
