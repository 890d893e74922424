"""Log entries as the frames that a tab gets for them. Pure.

Neighbouring deltas of one message become one frame, which is the last of them but for its content:
a tab that reads its way through a log is given text, not tokens.

A long answer is thousands of deltas, so they are not parsed: the content is the last field of a
text as `shared/protocol.py` encodes it, and the insides of JSON strings are joined as they are.
"""

import re
from collections.abc import Iterable, Sequence

from shared.errors import NotALog
from shared.ids import Position
from shared.protocol import with_position
from shared.session_log import LogEntry

_DELTA_TYPES = ('{"type":"assistant",', '{"type":"reasoning",')
_CONTENT = ',"streaming":true,"content":"'
_END = '"}'
_is_inside_of_string = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*').fullmatch


def frames_of(entries: Sequence[LogEntry]) -> Iterable[str]:
    """The frames for `entries`, in order, neighbouring deltas of one message merged. Raises
    `NotALog` for a delta that no script of ours has written."""
    pieces: list[str] = []  # of neighbouring deltas of `message`, the last of them at `last`
    message, front, last = ("", ""), "", Position(0, 0)
    for position, stored in entries:
        delta = _read_delta(stored)
        if pieces and (delta is None or delta[0] != message):
            yield _merge(last, front, pieces)
            pieces = []
        if delta is None:
            yield with_position(position, stored)
        else:
            message, front, piece = delta
            last = position
            pieces.append(piece)
    if pieces:
        yield _merge(last, front, pieces)


def _merge(last: Position, front: str, pieces: Sequence[str]) -> str:
    return with_position(last, f"{front}{_CONTENT}{''.join(pieces)}{_END}")


def _read_delta(stored: str) -> tuple[tuple[str, str], str, str] | None:
    """Of a delta: its type and message, what stands before its content, and the content."""
    if not stored.startswith(_DELTA_TYPES):
        return None
    front, content, rest = stored.partition(_CONTENT)
    if not content:
        return None  # a whole text
    piece = rest.removesuffix(_END)
    _, name, message_id = front.rpartition('"message_id":')
    if not name or piece is rest or not _is_inside_of_string(piece):
        raise NotALog("a piece of text that is not as it is written")
    return (front[: len(_DELTA_TYPES[0])], message_id), front, piece
