"""Reading merges neighbouring deltas of one message; nothing else is touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.replay import frames_of
from shared.errors import NotALog
from shared.ids import Position
from shared.protocol import AssistantMessage, ReasoningMessage, ToolCallEvent, encode_event
from shared.session_log import LogEntry


def entries(*events: AssistantMessage | ReasoningMessage | ToolCallEvent) -> list[LogEntry]:
    return [LogEntry(Position(7, n), encode_event(event)) for n, event in enumerate(events, 1)]


def piece(message_id: str, content: str, *, streaming: bool = True) -> AssistantMessage:
    return AssistantMessage(
        session_id="s", timestamp="t", message_id=message_id, content=content, streaming=streaming
    )


def tool_call() -> ToolCallEvent:
    return ToolCallEvent(
        session_id="s", timestamp="t", tool_call_id="c", tool_name="n", arguments={"a": [1]}
    )


def test_neighbouring_deltas_become_the_last_of_them_but_for_the_content() -> None:
    (frame,) = [json.loads(text) for text in frames_of(entries(piece("m", "a"), piece("m", "é\n")))]
    assert frame["id"] == "7-2"
    assert frame["content"] == "aé\n"
    assert frame["streaming"] is True
    assert list(frame)[:3] == ["id", "type", "session_id"]


def test_other_messages_kinds_and_events_are_not_merged() -> None:
    thought = ReasoningMessage(
        session_id="s", timestamp="t", message_id="m", streaming=True, content="hm"
    )
    log = entries(
        piece("m", "a"), thought, piece("m", "b"), tool_call(), piece("m", "c"), piece("n", "d")
    )
    assert [json.loads(text)["id"] for text in frames_of(log)] == [f"7-{n}" for n in range(1, 7)]


def test_a_final_text_is_passed_as_it_was_stored() -> None:
    log = entries(piece("m", "a"), piece("m", "ab", streaming=False))
    frames = list(frames_of(log))
    assert frames[1] == f'{{"id":"7-2",{log[1].stored[1:]}'


@pytest.mark.parametrize(
    "content", ['"', "\\", '\\"', "\n", "\u2028é😀", '","streaming":true,"content":"', '"}', ""]
)
def test_whatever_a_piece_says_it_is_joined_as_it_is(content: str) -> None:
    log = entries(piece("m", "a"), piece("m", content), piece("m", "z"))
    (frame,) = [json.loads(text) for text in frames_of(log)]
    assert frame == json.loads(encode_event(piece("m", f"a{content}z"))) | {"id": "7-3"}


@pytest.mark.parametrize(
    "stored",
    [
        '{"type":"assistant","message_id":"m","streaming":true,"content":"a"b"}',
        '{"type":"assistant","message_id":"m","streaming":true,"content":"a\\"}',
        '{"type":"assistant","message_id":"m","streaming":true,"content":"a","more":1}',
        '{"type":"reasoning","session_id":"s","streaming":true,"content":"a"}',
    ],
)
def test_a_piece_that_is_not_as_we_write_it_is_in_no_log_of_ours(stored: str) -> None:
    with pytest.raises(NotALog):
        list(frames_of([LogEntry(Position(7, 1), stored)]))


@given(st.lists(st.tuples(st.sampled_from("mn"), st.text(max_size=5), st.booleans()), max_size=30))
def test_merging_loses_no_text_and_keeps_the_order(said: list[tuple[str, str, bool]]) -> None:
    log = entries(*(piece(who, what, streaming=flows) for who, what, flows in said))
    frames = [json.loads(text) for text in frames_of(log)]
    for who in "mn":
        before = "".join(what for name, what, flows in said if name == who and flows)
        after = "".join(f["content"] for f in frames if f["message_id"] == who and f["streaming"])
        assert before == after
    numbers = [int(frame["id"].split("-")[1]) for frame in frames]
    assert numbers == sorted(numbers)
    assert [f["content"] for f in frames if not f["streaming"]] == [w for _, w, s in said if not s]
