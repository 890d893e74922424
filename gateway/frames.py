"""Texts on their way to tabs, framed once for all of them (RFC 6455, section 5.2)."""

import struct
from collections.abc import Sequence
from functools import lru_cache

from shared.protocol import Frame, encode_frame

_FINAL_TEXT = 0x81
_SHORT, _TWO_BYTES, _EIGHT_BYTES = 125, 126, 127
_KNOWN_SIZES = 4096


class Frames:
    """One text or several in a row. Tabs that get the same ones share the framed bytes."""

    __slots__ = ("texts", "wire")

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = texts
        parts: list[bytes] = []
        for text in texts:
            parts += _header(len(text)), text
        self.wire = b"".join(parts)
        """The frames as a server sends them: unmasked, uncompressed, one a text."""

    @classmethod
    def of(cls, frame: Frame) -> "Frames":
        """A frame that is in no log, ready to be sent."""
        return cls([encode_frame(frame).encode()])


@lru_cache(_KNOWN_SIZES)
def _header(size: int) -> bytes:
    if size <= _SHORT:
        return struct.pack("!BB", _FINAL_TEXT, size)
    if size < 2**16:
        return struct.pack("!BBH", _FINAL_TEXT, _TWO_BYTES, size)
    return struct.pack("!BBQ", _FINAL_TEXT, _EIGHT_BYTES, size)
