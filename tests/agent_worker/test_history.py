"""The conversation as the model sees it: stored whole, capped where a user speaks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from agent_worker.history import dump_history, load_history, partial_answer, prompt_message
from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import InboxItem, SubmittedMessage
from shared.lease import Turn

SESSION = SessionId("s")
MOST_BYTES = 1_048_576


def an_item(content: str) -> InboxItem:
    message = SubmittedMessage(SESSION, TurnId("t"), content, "2026-01-01T00:00:00.000Z", "")
    return InboxItem(message, EntryId("1-0"))


def a_turn(history: bytes = b"", unheard: bytes = b"") -> Turn:
    return Turn(
        item=an_item("now"),
        attempts_begun=0,
        attempts_lost=0,
        first_position=None,
        history=history,
        unheard=unheard,
        unheard_end=len(unheard),
    )


def exchange(calls: int, *, with_pictures: bool = False) -> list[ModelMessage]:
    """A user's question, so many tool calls one after the other, and the answer. A tool that shows
    a picture adds what looks like a user's words."""
    messages: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart("question")])]
    for number in range(calls):
        returned = ToolReturnPart("tool", "result", tool_call_id=f"c{number}")
        shown = [UserPromptPart("picture")] if with_pictures else []
        messages += [
            ModelResponse(parts=[ToolCallPart("tool", {}, tool_call_id=f"c{number}")]),
            ModelRequest(parts=[returned, *shown]),
        ]
    return [*messages, ModelResponse(parts=[TextPart("answer")])]


def stored(
    messages: list[ModelMessage], most: int, most_bytes: int = MOST_BYTES
) -> list[ModelMessage]:
    return load_history(a_turn(dump_history(messages, most, most_bytes)), SESSION, MOST_BYTES)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6), st.integers(2, 20))
def test_a_long_history_loses_its_oldest_turns_and_never_half_a_call(
    turns: list[tuple[int, bool]], most: int
) -> None:
    exchanges = [exchange(calls, with_pictures=pictures) for calls, pictures in turns]
    messages = [message for one in exchanges for message in one]
    kept = stored(messages, most)
    assert kept == messages[len(messages) - len(kept) :]
    assert len(kept) <= max(most, len(exchanges[-1]) if exchanges else 0)
    tails = [[m for one in exchanges[start:] for m in one] for start in range(len(exchanges) + 1)]
    assert kept in tails, "only whole turns are kept"
    if exchanges:
        assert kept[-len(exchanges[-1]) :] == exchanges[-1], "the last turn is always kept"


def test_a_conversation_begins_with_nothing() -> None:
    assert load_history(a_turn(), SESSION, MOST_BYTES) == []


def test_messages_that_were_cancelled_before_any_turn_saw_them_are_in_the_history() -> None:
    lines = [
        {
            "message_id": f"m{number}",
            "entry": "1-0",
            "content": f"line one\nand {number}",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "traceparent": "",
        }
        for number in range(2)
    ]
    unheard = "".join(json.dumps(line) + "\n" for line in lines).encode()
    before = dump_history(exchange(0), 100, MOST_BYTES)
    history = load_history(a_turn(before, unheard), SESSION, MOST_BYTES)
    said = [
        part.content
        for message in history[2:]
        for part in message.parts
        if isinstance(part, UserPromptPart)
    ]
    assert said == ["line one\nand 0", "line one\nand 1"]


def test_what_a_stopped_turn_had_said_is_an_interrupted_answer() -> None:
    (answer,) = partial_answer(["half", "", " said"])
    assert isinstance(answer, ModelResponse)
    assert (answer.text, answer.state) == ("half said", "interrupted")
    assert partial_answer([""]) == []


def test_a_history_with_half_a_surrogate_pair_can_be_stored() -> None:
    """A provider's JSON may hold one; the store holds UTF-8."""
    messages = [prompt_message(an_item("q")), ModelResponse(parts=[TextPart("half \ud83d")])]
    (_, answer) = stored(messages, 100)
    assert isinstance(answer, ModelResponse)
    assert answer.text == "half \ufffd"


def test_a_history_is_the_framework_s_own_format() -> None:
    messages = exchange(2)
    assert (
        ModelMessagesTypeAdapter.validate_json(dump_history(messages, 100, MOST_BYTES)) == messages
    )


def test_a_history_is_bounded_in_bytes_too() -> None:
    """The oldest turns go; one that is too big by itself is not stored, and what was stays."""
    big = [ModelRequest(parts=[UserPromptPart("x" * 10_000)]), *exchange(0)[1:]]
    small = exchange(2)
    assert stored([*big, *small, *small], 100, 8_000) == [*small, *small]
    assert stored([*small, *big], 100, 12_000) == big
    assert dump_history([*small, *big], 100, 8_000) == b""


def test_a_history_that_is_longer_than_any_that_is_stored_is_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody put it there. Reading it would hold up every turn of the worker."""
    messages = exchange(10)
    history = dump_history(messages, 100, MOST_BYTES)
    assert load_history(a_turn(history), SESSION, len(history)) == messages
    assert load_history(a_turn(history), SESSION, len(history) - 1) == []
    assert f"its history is given up: {len(history)} bytes" in caplog.text
