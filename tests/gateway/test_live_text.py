"""What a gateway reads of live texts: whose they are, where they stand, and which follow which."""

import pytest

from gateway.live_text import read_runs
from shared.ids import Position


def text(seq: int, epoch: int = 7, session: str = "s1", content: str = "x") -> bytes:
    front = f'{{"id":"{epoch}-{seq}","type":"assistant","session_id":"{session}"'
    return f'{front},"content":"{content}"}}'.encode()


def test_texts_at_places_that_follow_one_another_are_one_run() -> None:
    (run,) = read_runs([text(3), text(4), text(5)], b"s1")
    assert (run.before, run.last) == (Position(7, 2), Position(7, 5))
    assert run.texts == [text(3), text(4), text(5)]


@pytest.mark.parametrize(
    "second", [text(5), text(3), text(2), text(4, epoch=8)], ids=["gap", "twice", "old", "epoch"]
)
def test_a_text_that_does_not_follow_begins_another_run(second: bytes) -> None:
    one, other = read_runs([text(3), second], b"s1")
    assert (one.texts, other.texts) == ([text(3)], [second])
    assert one.last == Position(7, 3)


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"hello",
        text(4, session="s2"),
        text(4, session="s11"),
        text(4)[:-1],
        text(4)[:-3] + b'\xff"}',
        text(4).replace(b'"7-4"', b'"4"'),
        text(4).replace(b'"type"', b'"kind"'),
        text(4).replace(b"7-4", b"7-12345678901234567"),
    ],
)
def test_what_is_not_an_event_of_the_session_is_in_no_run(foreign: bytes) -> None:
    (run,) = read_runs([text(3), foreign, text(4, content="wörter")], b"s1")
    assert run.texts == [text(3), text(4, content="wörter")]


def test_tabs_at_the_same_place_share_the_frames_after_it() -> None:
    (run,) = read_runs([text(3), text(4), text(5)], b"s1")
    assert run.after(Position(7, 2)) is run
    rest = run.after(Position(7, 4))
    assert rest.texts == [text(5)]
    assert run.after(Position(7, 4)) is rest
