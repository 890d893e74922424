"""The judge sees what is lost, doubled and reordered: each case here is a clean story, spoiled."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.faults.judge import judge_session
from tests.faults.row import Row
from tests.faults.script import Answer, write_answer
from tests.faults.view import Frame, Kind, View

EPOCH = 7
Story = list[Frame]


def a_story(answer: Answer) -> Story:
    """The frames of an undisturbed turn, as the protocol has them."""
    turn: Frame = {"turn_id": answer.message_id, "attempt": 1}
    message = {"type": "message", "turn_id": answer.message_id, "message_id": answer.message_id}
    frames: Story = [message | {"content": answer.content}, turn | {"type": "turn_started"}]
    for number in range(answer.model_calls):
        frames.append(turn | {"type": "openai_call", "call_id": f"{answer.message_id}-{number}"})
    for call in sorted(answer.calls):
        frames.append(turn | {"type": "tool_call", "tool_call_id": f"{call}.a1"})
        frames.append(turn | {"type": "tool_result", "tool_call_id": f"{call}.a1"})
    text = turn | {"type": "assistant", "message_id": f"{answer.message_id}-t"}
    for piece in (answer.text[:5], answer.text[5:9]):
        frames.append(text | {"streaming": True, "content": piece})
    for number in range(answer.model_calls):
        frames.append(
            turn | {"type": "openai_response", "call_id": f"{answer.message_id}-{number}"}
        )
    frames.append(text | {"streaming": False, "content": answer.text})
    frames.append(turn | {"type": "turn_finished", "status": "completed"})
    return frames


def connected(**fields: Any) -> Frame:
    common = {"type": "connection", "status": "connected", "head": None, "resumed": False}
    return common | {"reset": False} | fields


def a_view(frames: Story) -> View:
    """A tab that was given these frames, numbered as they stand unless they have an `id`."""
    view = View()
    view.opened(None)
    view.take(connected())
    for seq, frame in enumerate(frames, 1):
        view.take({"id": f"{EPOCH}-{seq}"} | frame)
    return view


def two_answers() -> list[Answer]:
    random = Random(1)
    return [write_answer(random, name, shape=lambda _: (9, 1)) for name in ("first", "second")]


def kinds_of(answers: list[Answer], *views: View) -> set[str]:
    return {breach.kind for breach in judge_session(answers, views)}


def test_an_undisturbed_story_has_no_breach() -> None:
    answers = two_answers()
    frames = [frame for answer in answers for frame in a_story(answer)]
    assert judge_session(answers, [a_view(frames), a_view(frames)]) == []


Spoil = Callable[[Story], Story]


def without(kind: str) -> Spoil:
    return lambda story: [frame for frame in story if frame["type"] != kind]


def with_two(kind: str) -> Spoil:
    return lambda story: [
        copy for frame in story for copy in [frame] * (2 if frame["type"] == kind else 1)
    ]


def changed(kind: str, **fields: Any) -> Spoil:
    return lambda story: [frame | fields if frame["type"] == kind else frame for frame in story]


SPOILS: list[tuple[Spoil, Kind]] = [
    (without("message"), "lost"),
    (without("turn_finished"), "lost"),
    (without("tool_call"), "lost"),
    (without("tool_result"), "lost"),
    (without("openai_call"), "lost"),
    (without("openai_response"), "lost"),
    (lambda story: [f for f in story if f.get("streaming") is not False], "lost"),
    (changed("turn_finished", status="failed"), "lost"),
    (with_two("message"), "doubled"),
    (with_two("turn_finished"), "doubled"),
    (with_two("turn_started"), "doubled"),
    (with_two("tool_call"), "doubled"),
    (with_two("openai_response"), "doubled"),
    (lambda story: [*story, story[4]], "reordered"),
    (lambda story: [*story[:2], *reversed(story[2:-3]), *story[-3:]], "reordered"),
    (changed("turn_started", attempt=5), "lost"),
    (changed("tool_result", is_error=True), "lost"),
    (lambda story: [*story[:-1], {**story[1], "type": "error"}, story[-1]], "doubled"),
    (lambda story: [*story[:-1], story[-5], story[-1]], "reordered"),
    (lambda story: [story[1], story[0], *story[2:]], "reordered"),
    (lambda story: [*story[:2], story[1] | {"attempt": 2}, *story[2:]], "reordered"),
]


@pytest.mark.parametrize(("spoil", "kind"), SPOILS)
def test_a_spoiled_turn_is_seen(spoil: Spoil, kind: Kind) -> None:
    first, second = two_answers()
    assert kind in kinds_of([first, second], a_view([*spoil(a_story(first)), *a_story(second)]))


def test_a_piece_that_is_missing_inside_a_text_is_seen() -> None:
    answers = two_answers()[:1]
    story = a_story(answers[0])
    pieces = [number for number, frame in enumerate(story) if frame.get("streaming")]
    assert kinds_of(answers, a_view(story[: pieces[0]] + story[pieces[1] :])) == {"lost"}
    assert kinds_of(answers, a_view(story[: pieces[0]] + story[pieces[1] + 1 :])) == set()


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_what_an_unfinished_turn_has_said_is_the_beginning_of_the_script(status: str) -> None:
    answer = two_answers()[0]
    answer.statuses = frozenset({status})
    turn = {"turn_id": answer.message_id, "attempt": 1}
    text = turn | {"type": "assistant", "message_id": "t", "streaming": False}
    end = turn | {"type": "turn_finished", "status": status}
    begun = a_story(answer)[:2]
    right = text | {"content": answer.text[:7]}
    assert kinds_of([answer], a_view([*begun, right, end])) == set()
    assert kinds_of([answer], a_view([*begun, right | {"content": "rubbish"}, end])) == {"lost"}
    shown = right | {"streaming": True}
    lost = {"lost"} if status == "cancelled" else set[str]()
    assert kinds_of([answer], a_view([*begun, shown, end])) == lost, "a stopped turn keeps its text"


def test_messages_are_shown_in_the_order_in_which_a_tab_has_sent_them() -> None:
    first, second = two_answers()
    view = a_view([*a_story(second), *a_story(first)])
    sent = [first.message_id, second.message_id]
    assert judge_session([first, second], [view]) == []
    assert [b.kind for b in judge_session([first, second], [view], [sent])] == ["reordered"]


def test_turns_that_overlap_or_overtake_are_seen() -> None:
    first, second = two_answers()
    one, other = a_story(first), a_story(second)
    assert "reordered" in kinds_of([first, second], a_view([*one[:4], *other, *one[4:]]))
    overtaken = [one[0], *other, *one[1:]]
    assert "reordered" in kinds_of([first, second], a_view(overtaken))


def test_a_turn_of_nobody_s_message_is_seen() -> None:
    first, second = two_answers()
    assert kinds_of([first], a_view([*a_story(first), *a_story(second)])) == {"doubled"}


def test_tabs_that_differ_are_seen() -> None:
    answers = two_answers()[:1]
    story = a_story(answers[0])
    more = [*story, {"type": "custom", "name": "x"}]
    assert kinds_of(answers, a_view(more), a_view(story)) == {"lost"}
    other = [frame | {"worker": "another"} for frame in story]
    assert kinds_of(answers, a_view(story), a_view(other)) == {"lost"}


def test_a_frame_of_another_session_is_seen() -> None:
    view = View("ours")
    view.take(connected(session_id="ours"))
    view.take({"id": "7-1", "type": "custom", "session_id": "theirs"})
    assert [breach.kind for breach in view.breaches] == ["doubled"]


def test_a_forgotten_turn_is_gone_as_a_whole_or_not_at_all() -> None:
    first, second = two_answers()
    first.may_be_forgotten = True
    assert kinds_of([first, second], a_view(a_story(second))) == set()
    half = a_story(first)[:5]
    assert "lost" in kinds_of([first, second], a_view([*half, *a_story(second)]))


def test_positions_are_checked_one_by_one() -> None:
    view = a_view([{"type": "custom"}, {"type": "custom"}])
    view.take({"id": f"{EPOCH}-2", "type": "custom"})
    assert [breach.kind for breach in view.breaches] == ["doubled"]
    view.take({"id": f"{EPOCH}-9", "type": "custom"})
    view.take({"id": f"{EPOCH}-5", "type": "custom"})
    assert [breach.kind for breach in view.breaches] == ["doubled", "reordered"]


def test_a_later_epoch_comes_in_a_replay_or_after_a_reset_and_nowhere_else() -> None:
    later = {"id": f"{EPOCH + 1}-1", "type": "custom"}
    replay = a_view([{"type": "custom"}])
    replay.take(connected(head=f"{EPOCH + 1}-1"))
    replay.take(later)
    afresh = a_view([{"type": "custom"}])
    afresh.take(connected(reset=True))
    afresh.take(later)
    live = a_view([{"type": "custom"}])
    live.take(later)
    assert [len(view.breaches) for view in (replay, afresh, live)] == [0, 0, 1]
    assert (afresh.resets, len(afresh.events)) == (1, 1)


def test_a_cursor_must_be_honoured_or_refused() -> None:
    def breaches(cursor: str | None, **fields: Any) -> int:
        view = View()
        view.opened(cursor)
        view.take(connected(head=f"{EPOCH}-3", **fields))
        return len(view.breaches)

    assert breaches(f"{EPOCH}-3") == 1, "neither"
    assert breaches(f"{EPOCH}-3", resumed=True) == 0
    assert breaches(f"{EPOCH}-3", resumed=True, reset=True) == 1, "both"
    assert breaches(None, resumed=True) == 1, "there was none"


def test_holes_are_counted() -> None:
    view = a_view([{"type": "custom"}])
    view.take({"id": f"{EPOCH}-4", "type": "custom"})
    assert (view.holes, view.breaches) == (2, [])


def test_a_row_is_red_for_every_reason_alone() -> None:
    def a_row(**fields: Any) -> Row:
        row = Row("r", sessions=20, tabs=60, accepted=5, finished_once=5, told_in_pieces=5)
        row.happened("a fault")
        for name, value in fields.items():
            setattr(row, name, value)
        return row

    assert not a_row().is_red
    spoiled = a_row()
    spoiled.expect("another fault")
    assert spoiled.is_red, "a fault that never happened"
    assert a_row(sessions=19).is_red
    assert a_row(tabs=59).is_red
    assert a_row(finished_once=4).is_red
    assert a_row(accepted=0, finished_once=0).is_red
    assert a_row(told_in_pieces=0).is_red
    assert a_row(problems=["an error in a log"]).is_red
    assert a_row(breaches=a_view([{"type": "x", "id": "7-1"}] * 2).breaches).is_red
