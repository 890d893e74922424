"""What a tab may say, and what it is told otherwise. Corner cases C1 to C8, C13 to C20."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client_frames import Refused, parse_client_frame
from shared.ids import SessionId
from shared.protocol import MAX_CONTENT_CODE_POINTS, CancelTurn, ErrorMessage, UserMessage

SESSION = SessionId("abc")
MESSAGE_ID = "7F1E0C52-8a3d-4d2e-9b1a-0123456789ab"


def a_message(**fields: object) -> str:
    return json.dumps({"type": "message", "session_id": "abc", "content": "hi", **fields})


def a_cancel(**fields: object) -> str:
    return json.dumps({"type": "cancel", "session_id": "abc", "turn_id": MESSAGE_ID, **fields})


def without(text: str, field: str) -> str:
    fields: dict[str, Any] = json.loads(text)
    del fields[field]
    return json.dumps(fields)


def refusal_of(text: str) -> ErrorMessage:
    """The frame that the tab is told, which must be one about this socket: it has no position."""
    with pytest.raises(Refused) as refused:
        parse_client_frame(text, SESSION)
    frame = refused.value.frame
    assert (frame.type, frame.session_id, frame.id) == ("error", "abc", "")
    assert frame.retryable is False
    return frame


def test_a_message_needs_its_type_its_session_and_its_content_and_nothing_else() -> None:
    """R1."""
    frame = parse_client_frame(a_message(), SESSION)
    assert frame == UserMessage(type="message", session_id="abc", content="hi", message_id=None)


def test_a_message_id_is_kept_as_written() -> None:
    frame = parse_client_frame(a_message(message_id=MESSAGE_ID), SESSION)
    assert isinstance(frame, UserMessage)
    assert frame.message_id == MESSAGE_ID


def test_a_cancel_names_its_turn() -> None:
    frame = parse_client_frame(a_cancel(), SESSION)
    assert frame == CancelTurn(type="cancel", session_id="abc", turn_id=MESSAGE_ID)


@pytest.mark.parametrize("text", ["", "hello", "{", '{"type":"message"', "{'type':'x'}", "\x00"])
def test_text_that_is_not_json_is_refused(text: str) -> None:
    """C1."""
    assert refusal_of(text).code == "bad_json"


def test_what_the_parser_says_is_not_echoed() -> None:
    """C1: it can quote the input, at any length."""
    sentence = refusal_of('{"secret": ' + "x" * 10_000).error
    assert "secret" not in sentence
    assert len(sentence) < 100


@pytest.mark.parametrize("text", ["[]", '["type"]', '"message"', "1", "1.5", "null", "true"])
def test_json_that_is_not_an_object_is_refused(text: str) -> None:
    """C2."""
    assert refusal_of(text).code == "bad_frame"


@pytest.mark.parametrize("text", [without(a_message(), "type"), a_message(type=None), "{}"])
def test_an_object_without_type_is_told_so(text: str) -> None:
    """C4."""
    frame = refusal_of(text)
    assert frame.code == "bad_frame"
    assert "`type`" in frame.error


@pytest.mark.parametrize("kind", ["zzz", "", "Message", "message ", 1, True, [], {}, ["message"]])
def test_an_unknown_type_is_refused(kind: object) -> None:
    """C5, R8."""
    assert refusal_of(a_message(type=kind)).code == "unknown_type"


@pytest.mark.parametrize(
    "kind",
    [
        "assistant", "connection", "custom", "error", "heartbeat", "openai_call", "openai_response",
        "reasoning", "tool_call", "tool_result", "turn_finished", "turn_started",
    ],
)  # fmt: skip
def test_what_only_a_server_says_is_refused(kind: str) -> None:
    """C6."""
    assert refusal_of(a_message(type=kind)).code == "unknown_type"


@pytest.mark.parametrize("other", ["abd", "ABC", "abc ", "", "abc\x00", "*", "{abc}"])
@pytest.mark.parametrize("build", [a_message, a_cancel])
def test_another_session_in_the_body_is_refused(build: Any, other: str) -> None:
    """C7."""
    assert refusal_of(build(session_id=other)).code == "wrong_session"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (without(a_message(), "session_id"), "session_id"),
        (without(a_cancel(), "session_id"), "session_id"),
        (without(a_message(), "content"), "content"),
        (without(a_cancel(), "turn_id"), "turn_id"),
        (a_message(session_id=None), "session_id"),
        (a_message(session_id=5), "session_id"),
        (a_message(message_id=5), "message_id"),
        (a_cancel(turn_id=None), "turn_id"),
    ],
)
def test_a_missing_or_wrong_field_is_named(text: str, field: str) -> None:
    """C8."""
    frame = refusal_of(text)
    assert frame.code == "bad_frame"
    assert f"`{field}`" in frame.error


@pytest.mark.parametrize("content", ["", " ", "\n\t\r ", "\u2003\u2028\u00a0"])
def test_blank_content_is_refused_and_the_message_named(content: str) -> None:
    """C13: the tab knows which of its messages was meant."""
    frame = refusal_of(a_message(content=content, message_id=MESSAGE_ID))
    assert (frame.code, frame.message_id) == ("bad_frame", MESSAGE_ID)


@pytest.mark.parametrize("content", [1, 1.5, None, True, [], ["hi"], {}, {"text": "hi"}])
def test_content_that_is_not_a_string_is_refused(content: object) -> None:
    """C14."""
    frame = refusal_of(a_message(content=content))
    assert frame.code == "bad_frame"
    assert "`content`" in frame.error


@pytest.mark.parametrize("character", ["x", "é", "\U0001f600"])
def test_content_is_limited_in_code_points(character: str) -> None:
    """C15: not in bytes, and not in UTF-16 units."""
    frame = parse_client_frame(a_message(content=character * MAX_CONTENT_CODE_POINTS), SESSION)
    assert isinstance(frame, UserMessage)
    assert len(frame.content) == 32_768
    over = a_message(content=character * 32_769, message_id=MESSAGE_ID)
    refused = refusal_of(over)
    assert (refused.code, refused.message_id) == ("too_long", MESSAGE_ID)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type":"message","session_id":"abc","content":"hi","x":'
        + "[" * 9_999
        + "]" * 9_999
        + "}",
        '{"type":"message","session_id":"abc","content":"hi","x":' + "9" * 5_000 + "}",
        '{"type":"message","session_id":"abc","content":"hi","x":NaN}',
        '{"type":"message","session_id":"abc","content":"hi","x":-Infinity}',
        '{"type":"message","session_id":"abc","session_id":"abd","content":"hi"}',
        '{"type":"message","session_id":"abc","content":"hi","x":{"y":1,"y":2}}',
    ],
    ids=["deep list", "deep object", "deep field", "integer", "nan", "infinity", "twice", "inner"],
)
def test_json_on_which_parsers_differ_or_break_is_refused(text: str) -> None:
    """C17."""
    assert refusal_of(text).code == "bad_json"


@pytest.mark.parametrize(
    "content",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u0645\u0631\u062d\u0628\u0627 \u202eabc",
        "e\u0301\u0323\u0328",
        "a\u2028b\u2029c",
        "a\x00b",
        "\ufeff\ufffd\uffff\U0010ffff",
        "<script>alert(1)</script>",
    ],
)
def test_any_text_passes_unchanged(content: str) -> None:
    """C18."""
    frame = parse_client_frame(a_message(content=content), SESSION)
    assert isinstance(frame, UserMessage)
    assert frame.content == content


@pytest.mark.parametrize("escape", [r"\ud800", r"a\udc00b", r"\udc00\ud800", r"\ud83d x \ude00"])
@pytest.mark.parametrize("field", ["content", "session_id", "message_id"])
def test_a_lone_surrogate_is_not_text(escape: str, field: str) -> None:
    """C18: no encoder can carry it."""
    text = a_message(**{"message_id": MESSAGE_ID, field: "@"}).replace("@", escape)
    assert refusal_of(text).code in ("bad_frame", "wrong_session")


def test_unknown_fields_are_ignored() -> None:
    """C20: an older gateway may meet a newer client."""
    frame = parse_client_frame(a_message(theme="dark", id="1-1", nested={"a": [1]}), SESSION)
    assert frame == parse_client_frame(a_message(), SESSION)


@pytest.mark.parametrize("bad", ["", "1", "hi", MESSAGE_ID + "0", MESSAGE_ID.replace("-", ""), "*"])
def test_ids_of_messages_and_turns_are_uuids(bad: str) -> None:
    assert refusal_of(a_message(message_id=bad)).code == "bad_frame"
    assert refusal_of(a_cancel(turn_id=bad)).code == "bad_frame"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["type", "session_id", "content", "message_id", "turn_id", "x"])
VALUES = st.sampled_from(["message", "cancel", "abc", MESSAGE_ID]) | JSON


@given(st.dictionaries(FIELDS, VALUES).map(json.dumps) | st.text() | JSON.map(json.dumps))
def test_whatever_comes_is_a_frame_or_a_refusal(text: str) -> None:
    """R17: nothing else is ever raised, and what passes is a frame of this session."""
    try:
        told = parse_client_frame(text, SESSION)
    except Refused as refused:
        told = refused.frame
    assert told.session_id == SESSION
