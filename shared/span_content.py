"""What of a span may leave: everything, or its structure.

In `structure` each span is made anew from a list of what is known to hold no content, just before
it is sent. What is not on the list stays here, whoever put it on the span: messages, prompts,
results, the texts of exceptions, URLs, and whatever an agent or a library may add one day.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import get_args
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util.types import AttributeValue

from shared.protocol import ErrorCode
from shared.settings import Content, TelemetrySettings

TOLD_ARGUMENTS = "fanline.tool.arguments"
"""Arguments as they may leave, as JSON. Only our own code writes it: what a library may write
under the conventional name, the arguments themselves, can not be taken for it."""
TOLD_RESULT = "fanline.tool.result"
"""A result as it may leave."""
TRUNCATED_BYTES = "truncated_bytes"
"""How many bytes of the result were cut off."""
NO_ANSWER = "no answer in time"
"""What a gateway writes on the span of a request whose time ran out."""

SESSION_ID_CHARS = 8
"""Of a session's id, in spans as in logs: who has all of it may read the session."""

_SESSION_IDS = ("session_id", "gen_ai.conversation.id")
_TEXTS = {
    "agent_name",
    "gen_ai.agent.call.id",
    "gen_ai.agent.name",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.response.model",
    "gen_ai.system",
    "gen_ai.tool.call.id",
    "gen_ai.tool.name",
    "model_name",
    "patient.status",
    "pydantic_ai.cache.collapse_reason",
    "pydantic_ai.output.retry.cause",
    "pydantic_ai.tool.failure_stage",
    "pydantic_ai.tool.retry.cause",
    "request_id",
    "server.address",
    "turn.status",
    "turn_id",
}
_TOLD = {
    TOLD_ARGUMENTS: "gen_ai.tool.call.arguments",
    TOLD_RESULT: "gen_ai.tool.call.result",
}
"""What leaves under its conventional name."""
_NUMBERS = re.compile(
    r"attempt|operation\.cost|server\.port|truncated_bytes"
    r"|gen_ai\.(usage|aggregated_usage|request|client\.operation)\.[a-z0-9_.]+"
    r"|pydantic_ai\.(cache|tool\.retry|output\.retry)\.[a-z0-9_.]+"
)
_NAMES = {"receive message", "receive patient request", "turn", "patient request"}
_OPERATIONS = {"chat", "execute_tool", "invoke_agent"}
_STATUSES = {*get_args(ErrorCode), NO_ANSWER}
UNNAMED = "span"
"""The name of a span that is neither ours nor the agent framework's."""


class StructureExporter(SpanExporter):
    """Hands the structure of each span to another exporter."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([structure_of_span(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def structure_of_span(span: ReadableSpan) -> ReadableSpan:
    """The same span, ids and times included, with nothing in it that is not on the list."""
    attributes = span.attributes or {}
    return ReadableSpan(
        name=_name_of(span.name, attributes),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes_of(attributes),
        events=[_exception_of(event) for event in span.events if event.name == "exception"],
        links=[trace.Link(link.context) for link in span.links],
        kind=span.kind,
        status=_status_of(span.status),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def is_without_content(settings: TelemetrySettings, endpoint: str) -> bool:
    """Whether spans leave as their structure: when that is set, or the collector at `endpoint` is
    somewhere else and nothing is set, or a hook says what of a call may leave: what the hook takes
    out stands in messages and exceptions too."""
    return bool(settings.telemetry_redact) or mode_of_spans(settings, endpoint) == "structure"


def mode_of_spans(settings: TelemetrySettings, endpoint: str) -> Content:
    """`TELEMETRY_CONTENT_SPANS`, or its default: as the frames, and `structure` where the collector
    at `endpoint` (empty for none) is neither this machine's nor one with a single-label name."""
    if settings.telemetry_content_spans is not None:
        return settings.telemetry_content_spans
    return settings.telemetry_content if is_near(endpoint) else "structure"


def is_near(endpoint: str) -> bool:
    """Whether it is certain that the collector is on this machine or on its own network (the
    name of a compose service), or that there is none."""
    if not endpoint:
        return True
    try:
        url = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        host, _ = url.hostname, url.port  # a port that is none: it is no address, but `dns:NAME`
    except ValueError:
        return False
    if not host:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return re.fullmatch(r"[a-z][a-z0-9_-]*", host) is not None  # `localhost` among them


def _name_of(name: str, attributes: Mapping[str, AttributeValue]) -> str:
    operation = attributes.get("gen_ai.operation.name")
    is_framework_s = operation in _OPERATIONS and name.split(" ")[0] == operation
    return name if is_framework_s or name in _NAMES else UNNAMED


def _attributes_of(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    kept: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        if name in _SESSION_IDS:
            kept[name] = str(value)[:SESSION_ID_CHARS]
        elif name in _TOLD:
            kept[_TOLD[name]] = value
        elif name in _TEXTS or (_NUMBERS.fullmatch(name) and isinstance(value, int | float)):
            kept[name] = value
    return kept


def _exception_of(event: Event) -> Event:
    kind = (event.attributes or {}).get("exception.type")
    return Event("exception", {"exception.type": str(kind)}, event.timestamp)


def _status_of(status: trace.Status) -> trace.Status:
    known = status.description if status.description in _STATUSES else None
    return trace.Status(status.status_code, known)
