"""Frames as they come: fields by name, and the position that orders them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast


class Position(NamedTuple):
    """A place in a session's log. Compares as a pair of integers."""

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that `text` writes as `<epoch>-<seq>`. Raises `ValueError`."""
        epoch, _, seq = text.partition("-")
        return cls(int(epoch), int(seq))


@dataclass(frozen=True)
class Event:
    """One frame from the gateway. Unknown types and fields are kept: a newer gateway may send
    them."""

    type: str
    position: Position | None
    """`None` for a frame that is in no log: `connection`, `heartbeat`, an answer to this socket."""
    fields: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The field, or `default` where the frame has none."""
        return self.fields.get(name, default)


def parse_event(text: str | bytes) -> Event:
    """The frame in `text`. Raises `ValueError` for what is not a frame."""
    try:
        value: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("not a frame") from error
    if not isinstance(value, dict):
        raise ValueError("not a frame")
    fields = cast(dict[str, Any], value)
    kind, place = fields.get("type"), fields.get("id")
    if not isinstance(kind, str) or not isinstance(place, str | None):
        raise ValueError("not a frame")
    return Event(kind, Position.parse(place) if place else None, fields)
