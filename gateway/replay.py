"""Log entries as the frames that a tab gets for them. Pure.

Neighbouring deltas of one message become one frame, which is the last of them but for its content:
a tab that reads its way through a log is given text, not tokens.

A long answer is thousands of deltas, so they are not parsed: the content is the last field of a
text as `shared/protocol.py` encodes it, and the insides of JSON strings are joined as they are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.errors import NotALog
from shared.ids import Position
from shared.protocol import with_position
from shared.session_log import LogEntry

_DELTA_TYPES = ('{"type":"assistant",', '{"type":"reasoning",')
_CONTENT = ',"streaming":true,"content":"'
_END = '"}'
_is_inside_of_string = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*').fullmatch


@dataclass(slots=True)
class _Text:
    """Neighbouring deltas of one message."""

    message: tuple[str, str]
    position: Position
    front: str
    """What stands before the content in the last of them."""
    pieces: list[str]

    def frame(self) -> str:
        content = "".join(self.pieces)
        return with_position(self.position, f"{self.front}{_CONTENT}{content}{_END}")


def frames_of(entries: Sequence[LogEntry]) -> Iterable[str]:
    """The frames for `entries`, in order, neighbouring deltas of one message merged. Raises
    `NotALog` for a delta that no script of ours has written."""
    text: _Text | None = None
    for position, stored in entries:
        delta = _read_delta(position, stored)
        if text is not None and (delta is None or delta.message != text.message):
            yield text.frame()
            text = None
        if delta is None:
            yield with_position(position, stored)
        elif text is None:
            text = delta
        else:
            text.pieces += delta.pieces
            text.position, text.front = position, delta.front
    if text is not None:
        yield text.frame()


def _read_delta(position: Position, stored: str) -> _Text | None:
    if not stored.startswith(_DELTA_TYPES):
        return None
    front, content, rest = stored.partition(_CONTENT)
    if not content:
        return None  # a whole text
    piece = rest.removesuffix(_END)
    before, name, message_id = front.rpartition('"message_id":')
    if not name or piece is rest or not _is_inside_of_string(piece):
        raise NotALog("a piece of text that is not as it is written")
    kind = before[: len(_DELTA_TYPES[0])]
    return _Text((kind, message_id), position, front, [piece])
