"""Ids: what a parser returns is safe to put into a key, a channel or a frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import (
    EPOCH_LIMIT,
    Position,
    make_turn_id,
    parse_position,
    parse_session_id,
    parse_turn_id,
)

numbers = st.integers(0, EPOCH_LIMIT - 1)
positions = st.builds(Position, numbers, numbers)


@given(positions)
def test_a_position_is_read_back_as_it_was_written(position: Position) -> None:
    assert parse_position(str(position)) == position


@given(positions, positions)
def test_positions_compare_as_pairs_of_integers(one: Position, other: Position) -> None:
    """Not as text: 9-2 is before 10-1, and 1-9 before 1-10."""
    assert (one < other) == ((one.epoch, one.seq) < (other.epoch, other.seq))


@given(positions)
def test_next_is_one_more_in_the_same_epoch_and_nothing_else(position: Position) -> None:
    following = Position(position.epoch, position.seq + 1)
    assert following.is_next_after(position)
    assert not position.is_next_after(position)
    assert not position.is_next_after(following)
    assert not Position(position.epoch + 1, position.seq + 1).is_next_after(position)
    assert not Position(position.epoch, position.seq + 2).is_next_after(position)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "-",
            "1",
            "1-",
            "-1",
            "1-2-3",
            "1--2",
            "+1-2",
            "1-+2",
            "01-2",
            "1-02",
            " 1-2",
            "1-2 ",
        ),
        *(" 1-2", "1-2 ", "1-2\n", "1_0-2", "a-b", "1.0-2", "٣-٤", "$", "1-*", "0x1-2"),
        *(f"{EPOCH_LIMIT}-1", f"1-{EPOCH_LIMIT}", f"{10**30}-1"),
    ],
)
def test_only_the_canonical_form_is_a_position(text: str) -> None:
    with pytest.raises(ValueError, match="not a position"):
        parse_position(text)


@given(st.text(max_size=20))
def test_what_is_no_position_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        position = parse_position(text)
    except ValueError:
        return
    assert str(position) == text


@pytest.mark.parametrize("text", ["a", "test-123", "A_b-9", "x" * 128])
def test_a_session_id_is_kept_as_written(text: str) -> None:
    assert parse_session_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 129,
        "a b",
        "a:b",
        "a/b",
        "{a}",
        "a*",
        "a?",
        "[a]",
        "ä",
        "a\n",
        "a\r\n",
        "a\0",
        "..",
    ],
)
def test_anything_else_never_becomes_a_session_id(text: str) -> None:
    with pytest.raises(ValueError, match="session_id must be"):
        parse_session_id(text)


@pytest.mark.parametrize(
    "text", ["0d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10", "0D9B1E3A-6B2F-4F0E-9A60-2B6A3C1F9D10"]
)
def test_a_turn_id_is_a_uuid_kept_as_written(text: str) -> None:
    assert parse_turn_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0d9b1e3a6b2f4f0e9a602b6a3c1f9d10",
        "{0d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10}",
        "0d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d10\n",
        "0d9b1e3g-6b2f-4f0e-9a60-2b6a3c1f9d10",
        "0d9b1e3a-6b2f-4f0e-9a60-2b6a3c1f9d1",
    ],
)
def test_anything_else_is_no_turn_id(text: str) -> None:
    with pytest.raises(ValueError, match="must be a UUID"):
        parse_turn_id(text)


def test_a_made_turn_id_is_one_and_is_made_once() -> None:
    made = {make_turn_id() for _ in range(100)}
    assert len(made) == 100
    assert all(parse_turn_id(turn_id) == turn_id for turn_id in made)
