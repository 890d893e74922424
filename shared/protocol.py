"""Every frame on the wire: one Pydantic model each, one discriminated union each way.

These models are the only definition (DESIGN section 5). An *event* has an `id`, its position in the
session's log; a frame without one concerns one socket only. Field order is part of the format:
readers look at the front of a text, so `id` and `type` come first and content last.
"""

# Frames are frozen: a subclass may narrow `type` to its own tag.
# pyright: reportIncompatibleVariableOverride=false

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.ids import Position

PROTOCOL_VERSION = 1
MAX_CONTENT_CODE_POINTS = 32_768

ErrorCode = Literal[
    "bad_json",
    "bad_frame",
    "unknown_type",
    "wrong_session",
    "too_long",
    "too_many",
    "unavailable",
    "unknown_turn",
    "unauthorized",
    "model_error",
    "model_timeout",
    "turn_timeout",
    "tool_error",
    "worker_lost",
    "unsupported_output",
    "internal",
]
TurnStatus = Literal["completed", "failed", "cancelled"]
ConnectionState = Literal["connected", "reconnecting", "disconnected"]


def _is_none(value: Any) -> bool:
    return value is None


def _is_empty(value: Any) -> bool:
    return value == ""


def _omitted() -> Any:
    """A field that is absent from the wire when it is `None` (others are written as `null`)."""
    return Field(default=None, exclude_if=_is_none)


class Frame(BaseModel):
    """One JSON object on the wire; `type` tells which."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )

    type: str
    session_id: str


class Event(Frame):
    """An immutable fact in a session's log. `id` is given by the log, empty until then."""

    id: str = ""
    timestamp: str
    turn_id: str | None = _omitted()
    attempt: int | None = _omitted()
    trace_id: str | None = _omitted()


class TelemetryEvent(Event):
    """An event that has a span: the frame and the span carry the same ids."""

    span_id: str | None = _omitted()
    parent_span_id: str | None = _omitted()


class UserMessageEvent(Event):
    """What a user said, shown in every tab."""

    type: Literal["message"] = "message"
    message_id: str
    content: str


class TurnStarted(Event):
    """A worker has begun an attempt: tabs drop assistant and reasoning text of lower attempts."""

    type: Literal["turn_started"] = "turn_started"
    worker: str


class AssistantMessage(Event):
    """A piece of the answer (`streaming`), or the whole text that replaces the pieces."""

    type: Literal["assistant"] = "assistant"
    message_id: str
    streaming: bool = False
    content: str


class ReasoningMessage(Event):
    """As `assistant`, for what a model shows of its thinking."""

    type: Literal["reasoning"] = "reasoning"
    message_id: str
    streaming: bool = False
    content: str


class ToolCallEvent(TelemetryEvent):
    """A tool is about to run. `tool_call_id` is unique in the session."""

    type: Literal["tool_call"] = "tool_call"
    tool_call_id: str
    tool_name: str
    arguments: dict[str, JsonValue]


class ToolResultEvent(TelemetryEvent):
    """The end of a tool call, also when it failed, was cancelled or its worker died."""

    type: Literal["tool_result"] = "tool_result"
    tool_call_id: str
    tool_name: str
    duration_ms: int
    is_error: bool = False
    truncated_bytes: int | None = _omitted()
    result: str


class OpenAIEvent(TelemetryEvent):
    """A model call begins. `model` is as configured, without the prefix."""

    type: Literal["openai_call"] = "openai_call"
    call_id: str
    provider: str
    model: str


class OpenAIResponseEvent(TelemetryEvent):
    """The end of a model call; token counts are `null` when the provider gave none."""

    type: Literal["openai_response"] = "openai_response"
    call_id: str
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    duration_ms: int
    time_to_first_token_ms: int | None = None
    finish_reason: str | None = None
    is_error: bool = False


class AgentCustomEvent(Event):
    """What an agent emits of its own; `data` is at most `MAX_RESULT_BYTES` as JSON."""

    type: Literal["custom"] = "custom"
    name: str
    data: dict[str, JsonValue]


class Usage(BaseModel):
    """Tokens and model requests of a turn; `null` when unknown."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    requests: int | None = None


class Failure(BaseModel):
    """Why a turn failed: a stable code, and a sentence for a person."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    code: ErrorCode
    error: str


class TurnFinished(Event):
    """The one end of a turn. On it tabs drop pieces of that turn that got no final."""

    type: Literal["turn_finished"] = "turn_finished"
    status: TurnStatus
    duration_ms: int | None = None
    usage: Usage | None = None
    error: Failure | None = _omitted()


class ErrorMessage(Event):
    """Something went wrong. With an `id` it is an event of the session, without one it concerns
    what this socket sent."""

    type: Literal["error"] = "error"
    id: str = Field(default="", exclude_if=_is_empty)
    timestamp: str | None = _omitted()
    code: ErrorCode
    retryable: bool = False
    message_id: str | None = _omitted()
    error: str


class ConnectionStatus(Frame):
    """The state of one socket; the first frame on each. On `connected` all fields are given."""

    type: Literal["connection"] = "connection"
    status: ConnectionState
    protocol: int | None = _omitted()
    resumed: bool | None = _omitted()
    reset: bool | None = _omitted()
    truncated: bool | None = _omitted()
    heartbeat_seconds: float | None = _omitted()
    server_time: str | None = _omitted()
    head: str | None = None


class Heartbeat(Frame):
    """Sent on an otherwise silent socket; a tab whose cursor is not `head` knows it is behind."""

    type: Literal["heartbeat"] = "heartbeat"
    head: str | None = None


LogEvent = (
    UserMessageEvent
    | TurnStarted
    | AssistantMessage
    | ReasoningMessage
    | ToolCallEvent
    | ToolResultEvent
    | OpenAIEvent
    | OpenAIResponseEvent
    | AgentCustomEvent
    | TurnFinished
    | ErrorMessage
)
ServerFrame = Annotated[LogEvent | ConnectionStatus | Heartbeat, Field(discriminator="type")]
"""Everything a gateway sends."""


class ClientFrame(BaseModel):
    """What a tab sends. Unknown fields are ignored: an older gateway may meet a newer client."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    session_id: str


class UserMessage(ClientFrame):
    """A user's message. `message_id` makes sending it twice harmless."""

    type: Literal["message"]
    content: str
    message_id: str | None = None


class CancelTurn(ClientFrame):
    """Stop a turn, waiting or running."""

    type: Literal["cancel"]
    turn_id: str


ClientMessage = Annotated[UserMessage | CancelTurn, Field(discriminator="type")]
"""Everything a tab sends."""


def encode_event(event: Event) -> str:
    """The event as the log stores it: JSON without the `id`."""
    return event.model_dump_json(exclude={"id"})


def encode_frame(frame: Frame) -> str:
    """A frame that is in no log, as it goes on the wire."""
    return frame.model_dump_json(exclude={"id"})


def with_position(position: Position | str, stored: str) -> str:
    """A stored event as it goes on the wire: the position goes before its other fields."""
    return f'{{"id":"{position}",{stored[1:]}'


def format_timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, in milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
