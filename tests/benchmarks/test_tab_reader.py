"""The tabs that take the time: what they make of what comes, and what they find wrong with it."""

import struct
from time import monotonic_ns
from typing import Any

from benchmarks.paced_model import token_at
from benchmarks.tab_reader import Tab, Watch

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
CONNECTED = b'{"type":"connection","session_id":"s","status":"connected"}'


def frame(text: bytes) -> bytes:
    if len(text) < 126:
        return struct.pack("!BB", 0x81, len(text)) + text
    return struct.pack("!BBH", 0x81, 126, len(text)) + text


def told(seq: int, content: str, *, streaming: bool = True) -> bytes:
    front = f'{{"id":"7-{seq}","type":"assistant","session_id":"s","turn_id":"t","message_id":"m",'
    return frame(f'{front}"streaming":{str(streaming).lower()},"content":"{content}"}}'.encode())


def watch_of(*pieces: bytes) -> Watch:
    """What a tab saw that was given these, one read after the other."""
    watch = Watch()
    tab = Tab("s", watch)
    for piece in pieces:
        tab.data_received(piece)
    return watch


def test_every_token_of_a_merged_frame_has_its_own_time() -> None:
    early, late = token_at(monotonic_ns() - 3_000_000), token_at(monotonic_ns() - 1_000_000)
    watch = watch_of(HEAD, frame(CONNECTED), told(1, early + late), told(2, late))
    assert (watch.frames, watch.out_of_place) == (2, 0)
    assert [lag // 1_000_000 >= least for lag, least in zip(watch.lags_ns, (3, 1, 1), strict=True)]
    assert watch.first_lags_ns == watch.lags_ns[:1]


def test_frames_may_come_in_any_pieces() -> None:
    everything = HEAD + frame(CONNECTED) + told(1, "1 ") + told(2, "2 " * 100)
    watch = watch_of(*(everything[n : n + 1] for n in range(len(everything))))
    assert (watch.frames, len(watch.lags_ns)) == (2, 101)


def test_a_hole_and_a_repetition_are_out_of_place() -> None:
    watch = watch_of(HEAD, told(1, "1 "), told(3, "1 "), told(3, "1 "), told(4, "1 "))
    assert watch.out_of_place == 2


def test_pieces_that_were_merged_are_in_their_place() -> None:
    """As a page of the log brings them: the place of the last, and the tokens of all."""
    assert watch_of(HEAD, told(1, "1 "), told(4, "1 2 3 "), told(5, "1 ")).out_of_place == 0
    assert watch_of(HEAD, told(1, "1 "), told(5, "1 2 3 ")).out_of_place == 1


def test_a_whole_text_that_is_not_its_pieces_is_wrong() -> None:
    pieces = told(1, "1 "), told(2, "2 ")
    assert watch_of(HEAD, *pieces, told(3, "1 2 ", streaming=False)).wrong_texts == 0
    assert watch_of(HEAD, *pieces, told(3, "1 ", streaming=False)).wrong_texts == 1


def test_what_tells_a_call_is_kept_with_its_ids() -> None:
    call = b'{"id":"7-1","type":"tool_call","session_id":"s","trace_id":"1f","span_id":"2e","x":1}'
    calls: list[Any] = watch_of(HEAD, frame(call)).calls
    assert [call[:3] for call in calls] == [("tool_call", "1f", "2e")]
