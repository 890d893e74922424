"""Frames on the wire are those that another implementation writes."""

import pytest
from websockets.frames import Frame, Opcode

from gateway.frames import Frames

SIZES = [0, 1, 125, 126, 65_535, 65_536, 200_000]


def as_others_write(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=False)


@pytest.mark.parametrize("size", SIZES)
def test_a_text_of_any_size_is_one_frame(size: int) -> None:
    assert Frames([b"x" * size]).wire == as_others_write(b"x" * size)


def test_several_texts_are_as_many_frames_in_a_row() -> None:
    texts = [b"x" * size for size in SIZES]
    assert Frames(texts).wire == b"".join(map(as_others_write, texts))
