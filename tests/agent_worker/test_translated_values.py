"""Arguments, results and data of an agent, whatever they are, as JSON that can be written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.story import TurnStory
from agent_worker.translate import cut_text, json_text, parse_arguments
from shared.ids import SessionId, TurnId
from shared.protocol import ToolCallEvent, encode_event

SURROGATE = "\ud83d"
STORY = TurnStory(SessionId("s"), TurnId("t"), 1, None)

# arguments

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=4).filter(bool))
def test_arguments_are_the_object_that_the_model_wrote(arguments: dict[str, Any]) -> None:
    finite = json.loads(json.dumps(arguments).replace("Infinity", "0"))
    assert parse_arguments(finite) == finite
    assert parse_arguments(json.dumps(finite)) == finite


@given(st.text() | st.just(SURROGATE) | st.binary() | json_values)
def test_arguments_are_an_object_that_can_be_written_whatever_the_model_wrote(
    arguments: object,
) -> None:
    parsed = parse_arguments(arguments)
    event = STORY.make(ToolCallEvent, tool_call_id="c", tool_name="t", arguments=parsed)
    assert json.loads(encode_event(event).encode())["arguments"] == parsed


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": ', {"raw": '{"a": '}),
        ("[1]", {"raw": "[1]"}),
        ("null", {"raw": "null"}),
        ('{"a": NaN}', {"a": None}),
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ("[" * 100_000, {"raw": "[" * 100_000}),
    ],
)
def test_what_is_no_object_is_kept_as_raw_text(arguments: object, parsed: object) -> None:
    assert parse_arguments(arguments) == parsed


@pytest.mark.parametrize("depth", [200, 253, 254, 255, 256, 300, 900, 3000])
def test_arguments_of_any_depth_can_be_written(depth: int) -> None:
    parsed = parse_arguments('{"a":' + "[" * depth + "]" * depth + "}")
    event = STORY.make(ToolCallEvent, tool_call_id="c", tool_name="t", arguments=parsed)
    assert json.loads(encode_event(event))["arguments"].keys() <= {"a", "raw"}


# results

characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé€😀")


@given(st.text(characters), st.integers(0, 40))
def test_a_result_is_cut_between_characters_and_the_cut_bytes_are_counted(
    text: str, most_bytes: int
) -> None:
    kept, cut = cut_text(text, most_bytes)
    assert text.startswith(kept)
    assert len(kept.encode()) <= most_bytes or cut is None
    assert len(kept.encode()) + (cut or 0) == len(text.encode())
    if cut is not None:
        assert len(text.encode()) > most_bytes
        following = text[len(kept)]
        assert len((kept + following).encode()) > most_bytes, "no more was cut off than needed"


def test_a_result_with_half_a_character_is_mended() -> None:
    assert cut_text(f"a{SURROGATE}", 10) == ("a\ufffd", None)


@given(st.binary() | json_values)
def test_any_value_is_json_text(value: object) -> None:
    json.loads(json_text(value).encode())
