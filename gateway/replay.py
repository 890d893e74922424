"""Log entries as the frames that a tab gets for them. Pure.

Neighbouring deltas of one message become one frame, which is the last of them but for its content:
a tab that reads its way through a log is given text, not tokens.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from shared.errors import NotALog
from shared.protocol import with_position
from shared.session_log import LogEntry

_DELTA_TYPES = ('{"type":"assistant"', '{"type":"reasoning"')


def frames_of(entries: Sequence[LogEntry]) -> Iterable[str]:
    """The frames for `entries`, in order, neighbouring deltas of one message merged. Raises
    `NotALog` for entries that no script of ours has written."""
    pending: tuple[LogEntry, dict[str, Any], list[str]] | None = None
    for entry in entries:
        delta = _parse_delta(entry.stored)
        if pending is not None:
            if delta is not None and _same_message(delta, pending[1]):
                pending[2].append(delta["content"])
                pending = (entry, delta, pending[2])
                continue
            yield _merged(*pending)
            pending = None
        if delta is None:
            yield with_position(entry.position, entry.stored)
        else:
            pending = (entry, delta, [delta["content"]])
    if pending is not None:
        yield _merged(*pending)


def _parse_delta(stored: str) -> dict[str, Any] | None:
    if not stored.startswith(_DELTA_TYPES):
        return None
    try:
        event: dict[str, Any] = json.loads(stored)
    except ValueError as error:
        raise NotALog("an event that is not JSON") from error
    if not event.get("streaming"):
        return None
    if not isinstance(event.get("content"), str) or "message_id" not in event:
        raise NotALog("a piece of text without text")
    return event


def _same_message(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["type"], one["message_id"]) == (other["type"], other["message_id"])


def _merged(last: LogEntry, event: dict[str, Any], pieces: list[str]) -> str:
    if len(pieces) == 1:
        return with_position(last.position, last.stored)
    event["content"] = "".join(pieces)
    stored = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return with_position(last.position, stored)
