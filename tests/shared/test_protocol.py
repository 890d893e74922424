"""Frames: one model each, read back as written, with the front of the text where readers look."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared import protocol
from shared.ids import Position
from shared.protocol import (
    AssistantMessage,
    CancelTurn,
    ClientMessage,
    ConnectionStatus,
    ErrorMessage,
    Event,
    Failure,
    Heartbeat,
    LogEvent,
    ServerFrame,
    ToolCallEvent,
    ToolResultEvent,
    TurnFinished,
    Usage,
    UserMessage,
    encode_event,
    encode_frame,
    format_timestamp,
    with_position,
)

server_frames: TypeAdapter[Any] = TypeAdapter(ServerFrame)
client_messages: TypeAdapter[Any] = TypeAdapter(ClientMessage)
EVENT_TYPES: tuple[type[Event], ...] = get_args(LogEvent)
POSITION = Position(7, 9)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def an_event(kind: type[Event]) -> Event:
    """An event of this type with every field that it must have."""
    fields: dict[str, Any] = {"session_id": "s", "timestamp": "t"}
    for name, field in kind.model_fields.items():
        if field.is_required() and name not in fields:
            sample: dict[Any, Any] = {str: "x", int: 1, dict[str, Any]: {}}
            fields[name] = sample.get(field.annotation or str, {})  # pyright: ignore
    if kind is TurnFinished:
        fields["status"] = "completed"
    if kind is ErrorMessage:
        fields["code"] = "internal"
    return kind.model_validate(fields)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_an_event_on_the_wire_is_read_back_as_it_was(kind: type[Event]) -> None:
    """Its `type` picks its model; its position goes in front, before `type`."""
    event = an_event(kind)
    text = with_position(POSITION, encode_event(event))
    assert text.startswith(f'{{"id":"7-9","type":"{event.type}","session_id":"s",')
    assert server_frames.validate_json(text) == event.model_copy(update={"id": "7-9"})


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_the_log_stores_no_id(kind: type[Event]) -> None:
    stored = encode_event(an_event(kind).model_copy(update={"id": "1-1"}))
    assert "id" not in json.loads(stored)
    assert stored.startswith('{"type":"')


def test_every_type_is_there_once_and_a_frame_has_one() -> None:
    tags = [kind.model_fields["type"].default for kind in EVENT_TYPES]
    assert sorted(tags) == [
        *("assistant", "custom", "error", "message", "openai_call", "openai_response"),
        *("reasoning", "tool_call", "tool_result", "turn_finished", "turn_started"),
    ]
    assert not {"connection", "heartbeat"} & set(tags), "those are in no log"


@given(texts, st.dictionaries(texts, json_values, max_size=3))
def test_any_text_and_any_arguments_survive_the_wire(
    content: str, arguments: dict[str, Any]
) -> None:
    said = AssistantMessage(session_id="s", timestamp="t", message_id="m", content=content)
    call = ToolCallEvent(
        session_id="s", timestamp="t", tool_call_id="c", tool_name="n", arguments=arguments
    )
    for event in (said, call):
        text = with_position(POSITION, encode_event(event))
        assert "\n" not in text, "one line an event"
        assert server_frames.validate_json(text) == event.model_copy(update={"id": "7-9"})


def test_the_content_comes_last() -> None:
    """Readers look at the front of a text; whoever cuts it short still has the rest."""
    said = AssistantMessage(session_id="s", timestamp="t", message_id="m", content="c")
    result = ToolResultEvent(
        session_id="s",
        timestamp="t",
        tool_call_id="c",
        tool_name="n",
        duration_ms=1,
        truncated_bytes=3,
        result="r",
    )
    assert list(json.loads(encode_event(said)))[-1] == "content"
    assert list(json.loads(encode_event(result)))[-1] == "result"


def test_some_fields_are_absent_when_there_is_nothing_to_say_and_others_null() -> None:
    finished = TurnFinished(session_id="s", timestamp="t", status="completed")
    assert json.loads(encode_event(finished)) == {
        "type": "turn_finished",
        "session_id": "s",
        "timestamp": "t",
        "status": "completed",
        "duration_ms": None,
        "usage": None,
    }
    failed = TurnFinished(
        session_id="s",
        timestamp="t",
        status="failed",
        usage=Usage(),
        error=Failure(code="internal", error="Something went wrong."),
    )
    fields = json.loads(encode_event(failed))
    assert fields["error"] == {"code": "internal", "error": "Something went wrong."}
    assert set(fields["usage"].values()) == {None}


def test_frames_that_are_in_no_log_have_no_id() -> None:
    connected = ConnectionStatus(session_id="s", status="connected", reset=False, head="1-2")
    assert json.loads(encode_frame(connected)) == {
        "type": "connection",
        "session_id": "s",
        "status": "connected",
        "reset": False,
        "head": "1-2",
    }
    heartbeat = Heartbeat(session_id="s")
    assert json.loads(encode_frame(heartbeat))["head"] is None
    refused = ErrorMessage(session_id="s", code="bad_json", error="No JSON.")
    assert not {"id", "timestamp"} & set(json.loads(encode_frame(refused)))


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"shout","session_id":"s"}',
        '{"session_id":"s"}',
        '{"type":"heartbeat"}',
        '{"type":"heartbeat","session_id":"s","more":1}',
        "[]",
        "null",
    ],
)
def test_a_server_frame_is_one_of_ours_or_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        server_frames.validate_json(text)


def test_what_a_tab_sends_may_hold_more_than_is_known_here() -> None:
    sent = client_messages.validate_json(
        '{"type":"message","session_id":"s","content":"hi","mood":"fine"}'
    )
    assert sent == UserMessage(type="message", session_id="s", content="hi")
    stop = client_messages.validate_json('{"type":"cancel","session_id":"s","turn_id":"t"}')
    assert stop == CancelTurn(type="cancel", session_id="s", turn_id="t")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "message", "session_id": "s"},
        {"type": "message", "content": "hi"},
        {"type": "message", "session_id": "s", "content": 1},
        {"type": "message", "session_id": "s", "content": None},
        {"type": "message", "session_id": 7, "content": "hi"},
        {"type": "message", "session_id": "s", "content": "hi", "message_id": 1},
        {"type": "cancel", "session_id": "s"},
        {"type": "assistant", "session_id": "s", "content": "hi"},
    ],
)
def test_what_a_tab_sends_is_strictly_of_the_right_types(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        client_messages.validate_json(json.dumps(fields))


def test_frames_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Heartbeat(session_id="s").head = "1-1"


def test_a_timestamp_is_utc_in_milliseconds_with_z() -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, 89_999, tzinfo=UTC)
    assert format_timestamp(moment) == "2026-03-04T05:06:07.089Z"
    east = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert format_timestamp(east) == "2026-03-04T05:06:07.089Z"
    assert format_timestamp(datetime(2026, 1, 1, tzinfo=UTC)).endswith("00.000Z")


def test_the_protocol_has_a_number_and_a_bound() -> None:
    assert protocol.PROTOCOL_VERSION == 1
    assert protocol.MAX_CONTENT_CODE_POINTS == 32_768
