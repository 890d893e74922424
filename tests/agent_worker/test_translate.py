"""Native events to frames, without any I/O: every text that starts gets an end, wherever a run is
cut off."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_ai.messages import (
    CustomEvent,
    FinalResultEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)

from agent_worker.story import TurnStory
from agent_worker.translate import TextTooLong, Translator
from shared.ids import SessionId, TurnId
from shared.protocol import (
    AgentCustomEvent,
    AssistantMessage,
    Event,
    ReasoningMessage,
    encode_event,
)

MAX_DATA_BYTES = 300
MAX_TEXT_BYTES = 10_000
SURROGATE = "\ud83d"
"""The first half of an emoji, as a provider's JSON may leave it."""


def a_story(attempt: int = 1) -> TurnStory:
    return TurnStory(SessionId("s"), TurnId("t"), attempt, "trace", lambda: "2026-01-01T00:00:00Z")


def a_translator(attempt: int = 1) -> Translator:
    return Translator(
        a_story(attempt), max_data_bytes=MAX_DATA_BYTES, max_text_bytes=MAX_TEXT_BYTES
    )


def translate(translator: Translator, events: Sequence[object]) -> list[Event]:
    return [frame for event in events for frame in translator.translate(event)]


def text_frames(frames: Sequence[Event]) -> list[AssistantMessage | ReasoningMessage]:
    return [frame for frame in frames if isinstance(frame, AssistantMessage | ReasoningMessage)]


@dataclass(kw_only=True)
class Progress(CustomEvent):
    """An agent's own event."""

    done: Any = 0
    note: Any = ""


def custom_data(event: CustomEvent) -> dict[str, Any]:
    (frame,) = a_translator().translate(event)
    assert isinstance(frame, AgentCustomEvent)
    return json.loads(encode_event(frame).encode())["data"]


# any sequence of native events, sensible or not

texts = st.text(max_size=6) | st.just(SURROGATE)
indexes = st.integers(0, 2)
parts = st.one_of(
    st.builds(TextPart, texts),
    st.builds(ThinkingPart, texts),
    st.builds(ToolCallPart, st.just("tool"), st.just("{}")),
)
deltas = st.one_of(
    st.builds(TextPartDelta, texts),
    st.builds(ThinkingPartDelta, content_delta=texts | st.none()),
    st.builds(ToolCallPartDelta, args_delta=st.just("{")),
)
native_events = st.lists(
    st.one_of(
        st.builds(PartStartEvent, index=indexes, part=parts),
        st.builds(PartDeltaEvent, index=indexes, delta=deltas),
        st.builds(PartEndEvent, index=indexes, part=parts),
        st.builds(Progress, done=st.integers() | st.floats(), note=texts),
        st.just(FinalResultEvent(tool_name=None, tool_call_id=None)),
        st.builds(object),
    ),
    max_size=30,
)


@given(native_events, native_events)
def test_every_text_that_starts_gets_one_end_wherever_the_run_is_cut_off(
    events: list[object], of_another_attempt: list[object]
) -> None:
    """The whole text is its pieces joined, comes after them, and its id is nobody else's."""
    translator = a_translator()
    frames = [*translate(translator, events), *translator.close()]
    pieces: dict[str, list[str]] = {}
    whole: dict[str, str] = {}
    kinds: dict[str, type] = {}
    for frame in text_frames(frames):
        assert frame.message_id not in whole, "nothing comes after the end of a text"
        assert kinds.setdefault(frame.message_id, type(frame)) is type(frame)
        if frame.streaming:
            assert frame.content
            pieces.setdefault(frame.message_id, []).append(frame.content)
        else:
            whole[frame.message_id] = frame.content
    assert whole == {name: "".join(content) for name, content in pieces.items()}
    assert translator.close() == []

    other = a_translator(attempt=2)
    others = [*translate(other, of_another_attempt), *other.close()]
    assert not {frame.message_id for frame in text_frames(others)} & set(whole)


@given(native_events)
def test_whatever_an_agent_says_can_be_written(events: list[object]) -> None:
    for frame in translate(a_translator(), events):
        assert json.loads(encode_event(frame).encode())["session_id"] == "s"


def test_a_text_is_told_piece_by_piece_and_then_whole() -> None:
    frames = translate(
        a_translator(),
        [
            PartStartEvent(index=0, part=TextPart("The ")),
            PartDeltaEvent(index=0, delta=TextPartDelta("answer")),
            PartEndEvent(index=0, part=TextPart("The answer")),
        ],
    )
    told = [(frame.streaming, frame.content) for frame in text_frames(frames)]
    assert told == [(True, "The "), (True, "answer"), (False, "The answer")]
    assert len({frame.message_id for frame in text_frames(frames)}) == 1


def test_a_text_without_content_is_not_told_at_all() -> None:
    """A model that only calls a tool begins with an empty text."""
    translator = a_translator()
    assert translator.translate(PartStartEvent(index=0, part=TextPart(""))) == []
    assert translator.translate(PartEndEvent(index=0, part=TextPart(""))) == []
    assert translator.close() == []


def test_an_output_that_was_streamed_is_not_told_again() -> None:
    """Nor when it came in several parts, with thoughts between them."""
    translator = a_translator()
    for index, part in enumerate([TextPart("one "), ThinkingPart("hm"), TextPart("two")]):
        translator.translate(PartStartEvent(index=index, part=part))
        translator.translate(PartEndEvent(index=index, part=part))
    assert translator.output("one two") == []
    assert translator.output("two") == []
    assert [frame.content for frame in text_frames(translator.output("wo"))] == ["wo"]


class Diagnosis(BaseModel):
    name: str
    certain: bool


@pytest.mark.parametrize(
    ("output", "content"),
    [
        (Diagnosis(name="Flu", certain=True), '{"name":"Flu","certain":true}'),
        ([1, 2], "[1,2]"),
        (f"made by a function {SURROGATE}", "made by a function \ufffd"),
        ({"odd": SURROGATE, "number": float("nan")}, '{"odd": "\ufffd", "number": null}'),
    ],
)
def test_a_structured_output_is_one_final_text(output: object, content: str) -> None:
    frames = a_translator().output(output)
    assert [(frame.streaming, frame.content) for frame in text_frames(frames)] == [(False, content)]


def test_a_custom_event_has_its_name_and_its_own_fields() -> None:
    (frame,) = a_translator().translate(
        Progress(done=3, note="half", tool_call_id="c", tool_name="t")
    )
    assert isinstance(frame, AgentCustomEvent)
    assert (frame.name, frame.data) == ("progress", {"done": 3, "note": "half"})


@pytest.mark.parametrize(
    "note", [SURROGATE, b"\xff", float("nan"), object(), {1: {2}}, ["x"] * 3, None]
)
def test_a_custom_event_may_carry_anything(note: object) -> None:
    assert set(custom_data(Progress(note=note))) == {"done", "note"}


def test_custom_data_is_bounded_in_bytes_of_its_json() -> None:
    """What is within the bound in UTF-8 is told, though its escapes would be longer."""
    assert custom_data(Progress(note="é" * 100)) == {"done": 0, "note": "é" * 100}
    assert custom_data(Progress(note="é" * 200)) == {"truncated": True}


def test_a_custom_event_that_contains_itself_is_told_as_raw_text() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert set(custom_data(Progress(note=circle))) == {"raw"}


def test_a_text_beyond_its_bound_cannot_be_told() -> None:
    """In pieces, counted in bytes, or as the run's output."""
    translator = a_translator()
    translate(translator, [PartStartEvent(index=0, part=TextPart(content="ü" * 4_999))])
    with pytest.raises(TextTooLong):
        translate(translator, [PartDeltaEvent(index=0, delta=TextPartDelta(content_delta="abc"))])
    with pytest.raises(TextTooLong):
        a_translator().output(["x" * 10_000])
