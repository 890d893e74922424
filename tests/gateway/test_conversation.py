"""A session's events as one conversation: what `GET /sessions/{ID}` tells."""

from typing import Any

from gateway.conversation import Story

MESSAGE = {"type": "message", "timestamp": "2026-01-31T12:00:00.000Z", "trace_id": "ab" * 16}


def a_story(*events: dict[str, Any], most: int = 1000) -> Story:
    story = Story(most)
    for event in events:
        story.apply(event)
    return story


def said(turn_id: str, content: str) -> dict[str, Any]:
    return MESSAGE | {"turn_id": turn_id, "content": content}


def started(turn_id: str, attempt: int) -> dict[str, Any]:
    return {"type": "turn_started", "turn_id": turn_id, "attempt": attempt, "worker": "w"}


def text(
    turn_id: str, name: str, content: str, *, attempt: int = 1, streaming: bool = False
) -> dict[str, Any]:
    return {
        "type": "assistant", "turn_id": turn_id, "message_id": name, "attempt": attempt,
        "content": content, "streaming": streaming,
    }  # fmt: skip


def finished(turn_id: str, status: str = "completed", **fields: object) -> dict[str, Any]:
    return {"type": "turn_finished", "turn_id": turn_id, "status": status, **fields}


def test_a_turn_is_told_from_its_message_to_its_end() -> None:
    """With the texts of its steps in order, whole ones in the place of their pieces."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "requests": 1}
    (turn,) = a_story(
        said("t", "How many?"),
        started("t", 1),
        text("t", "a", "Let", streaming=True),
        text("t", "a", "Let me look. "),
        {"type": "tool_call", "turn_id": "t", "attempt": 1, "tool_call_id": "c"},
        text("t", "b", "Th", streaming=True),
        text("t", "b", "Three."),
        finished("t", duration_ms=12, usage=usage),
    ).turns()
    assert (turn.content, turn.timestamp, turn.trace_id) == (
        "How many?", MESSAGE["timestamp"], MESSAGE["trace_id"],
    )  # fmt: skip
    assert (turn.status, turn.attempt, turn.answer) == ("completed", 1, "Let me look. Three.")
    assert turn.duration_ms == 12
    assert turn.usage == usage


def test_what_has_come_of_a_running_turn_is_told() -> None:
    waiting, running = a_story(
        said("first", "Hello"), said("second", "And?"), started("second", 1),
        text("second", "a", "Wel", streaming=True), text("second", "a", "come", streaming=True),
    ).turns()  # fmt: skip
    assert (waiting.status, waiting.attempt, waiting.answer) == ("waiting", 0, "")
    assert (running.status, running.answer) == ("running", "Welcome")


def test_a_new_attempt_drops_what_the_one_before_said() -> None:
    """Also what that one still says."""
    (turn,) = a_story(
        said("t", "How many?"), started("t", 1), text("t", "a", "Two", streaming=True),
        started("t", 2), text("t", "a", " or", streaming=True), text("t", "b", "Three.", attempt=2),
    ).turns()  # fmt: skip
    assert (turn.attempt, turn.answer) == (2, "Three.")


def test_pieces_without_an_end_go_with_their_turn() -> None:
    error = {"code": "a code of a newer worker", "error": "It has failed."}
    (turn,) = a_story(
        said("t", "How many?"), started("t", 1), text("t", "a", "Th", streaming=True),
        finished("t", "failed", error=error),
    ).turns()  # fmt: skip
    assert (turn.status, turn.answer) == ("failed", "")
    assert turn.error == error


def test_a_turn_whose_beginning_was_trimmed_is_running() -> None:
    """And what replaces pieces, or a dropped attempt, does not count as said."""
    story = a_story(
        text("t", "a", "x" * 60, streaming=True), text("t", "a", "x" * 60),
        text("t", "a", "more", streaming=True), text("t", "b", "y" * 30, attempt=2),
        said("u", "z" * 60), most=100,
    )  # fmt: skip
    first, second = story.turns()
    assert (first.status, first.attempt, first.answer) == ("running", 2, "y" * 30)
    assert (second.status, second.content) == ("waiting", "z" * 60)
    assert not story.is_cut


def test_of_too_long_a_conversation_the_oldest_turns_are_left_out() -> None:
    """And stay out, whatever comes of them."""
    story = a_story(
        said("first", "x" * 60), said("second", "y" * 30), said("third", "z" * 30),
        text("first", "a", "late"), finished("first"), most=100,
    )  # fmt: skip
    assert [turn.turn_id for turn in story.turns()] == ["second", "third"]
    assert story.is_cut
    assert not a_story(said("only", "x" * 200), most=100).is_cut
