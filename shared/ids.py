"""Ids as types, so that swapping two of them is a type error and a bad one never becomes a key.

Parsing is strict: what a parser here returns is safe to put into a key, a channel or a frame.
"""

import re
import uuid
from typing import NamedTuple, NewType

SessionId = NewType("SessionId", str)
"""One conversation. Matches `SESSION_ID_PATTERN`; nothing else ever becomes part of a key."""

TurnId = NewType("TurnId", str)
"""A turn, which *is* the `message_id` of the user message that began it."""

EntryId = NewType("EntryId", str)
"""An entry of the work stream `turns`, as Redis numbers it: `<ms>-<n>`."""

SESSION_ID_PATTERN = r"^[A-Za-z0-9_-]{1,128}$"
EPOCH_LIMIT = 2**53  # both numbers of a position must be exact as a double: Lua, JavaScript

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_POSITION = re.compile(r"(0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})")


class Position(NamedTuple):
    """A place in a session's log: the Redis Stream entry id itself. Compares as a pair of
    integers."""

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    def is_next_after(self, other: "Position") -> bool:
        """Whether nothing can lie between `other` and this position (DESIGN section 2, *next*)."""
        return self.epoch == other.epoch and self.seq == other.seq + 1


def parse_position(text: str) -> Position:
    """The position that `text` writes in its one canonical form. Raises `ValueError` otherwise."""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise ValueError("not a position")
    position = Position(int(match[1]), int(match[2]))
    if max(position) >= EPOCH_LIMIT:
        raise ValueError("not a position: a number is 2^53 or above")
    return position


def parse_session_id(text: str) -> SessionId:
    """The session id, or `ValueError` when `text` may not become one."""
    if _SESSION_ID.fullmatch(text) is None:
        raise ValueError("session_id must be 1 to 128 of A-Z, a-z, 0-9, _ and -")
    return SessionId(text)


def parse_turn_id(text: str) -> TurnId:
    """A turn or message id: a UUID, kept as written. Raises `ValueError` otherwise."""
    if _UUID.fullmatch(text) is None:
        raise ValueError("message_id must be a UUID")
    return TurnId(text)


def make_turn_id() -> TurnId:
    """A fresh id for a message whose client sent none."""
    return TurnId(str(uuid.uuid4()))
