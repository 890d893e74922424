"""Events to a conversation: pure, by the rules of the protocol."""

import json

import pytest
from fanline import Conversation, Event, Position, TurnFailed
from fanline.events import parse_event

TURN = "5b1c1c1e-8f1e-4a51-9d6d-0d4a40a1a000"


def event(seq: int, kind: str, **fields: object) -> Event:
    told = {"id": f"7-{seq}", "type": kind, "session_id": "s", "turn_id": TURN, "attempt": 1}
    return parse_event(json.dumps(told | fields))


def conversation_of(*events: Event) -> Conversation:
    conversation = Conversation()
    for one in events:
        conversation.apply(one)
    return conversation


def test_calls_are_paired_by_their_ids() -> None:
    conversation = conversation_of(
        event(1, "tool_call", tool_call_id="a", tool_name="find"),
        event(2, "openai_call", call_id="b", model="m"),
        event(3, "openai_response", call_id="b", total_tokens=7),
        event(4, "tool_result", tool_call_id="a", result="found"),
    )
    calls = conversation.turns[TURN].calls
    assert (calls["a"]["tool_name"], calls["a"]["end"]["result"]) == ("find", "found")
    assert (calls["b"]["model"], calls["b"]["end"]["total_tokens"]) == ("m", 7)


def test_pieces_without_a_whole_are_dropped_when_the_turn_ends() -> None:
    conversation = conversation_of(
        event(1, "assistant", message_id="1", streaming=False, content="kept"),
        event(2, "assistant", message_id="2", streaming=True, content="dropped"),
        event(3, "turn_finished", status="failed", error={"code": "internal", "error": "."}),
    )
    turn = conversation.turns[TURN]
    assert (turn.answer, turn.status) == ("kept", "failed")
    with pytest.raises(TurnFailed, match=r"^\.$") as failed:
        turn.result()
    assert failed.value.code == "internal"


def test_a_late_text_of_a_lost_attempt_changes_nothing() -> None:
    conversation = conversation_of(
        event(1, "message", message_id=TURN, content="why"),
        event(2, "turn_started", attempt=2),
        event(3, "assistant", message_id="1", streaming=True, content="late"),
    )
    turn = conversation.turns[TURN]
    assert (turn.question, turn.answer) == ("why", "")


def test_a_reset_empties_the_conversation_and_unknown_types_change_nothing() -> None:
    known = event(1, "message", message_id=TURN, content="why")
    assert list(conversation_of(known, event(2, "weather")).turns) == [TURN]
    reset = parse_event('{"type":"connection","session_id":"s","status":"connected","reset":true}')
    assert conversation_of(known, reset).turns == {}


@pytest.mark.parametrize("text", ["[]", "{}", '{"type":1}', "hello", '{"type":"x","id":"y"}'])
def test_what_is_not_a_frame_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_event(text)


@pytest.mark.parametrize("text", ["", "7", "7-", "-7", "7-1-1", "7--1", " 7-1", "7-1_0", "7-٣"])
def test_what_is_no_position_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a position: '"):
        Position.parse(text)
