"""Frames as they come: fields by name, and the position that orders them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

_POSITION = re.compile(r"([0-9]+)-([0-9]+)")


class Position(NamedTuple):
    """A place in a session's log. Compares as a pair of integers."""

    epoch: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that `text` writes as `<epoch>-<seq>`. Raises `ValueError`."""
        found = _POSITION.fullmatch(text)
        if found is None:
            raise ValueError(f"not a position: {text!r}")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class Event:
    """One frame from the gateway: its fields by the names that the protocol gives them. Unknown
    types and fields are kept: a newer gateway may send them."""

    type: str
    position: Position | None
    """`None` for a frame that is in no log: `connection`, `heartbeat`, an answer to this socket."""
    fields: Mapping[str, Any]

    @property
    def turn_id(self) -> str | None:
        """The turn that it belongs to: what `send` returned for the turn's message."""
        return self.fields.get("turn_id")

    @property
    def is_reset(self) -> bool:
        """Whether it says: drop every event that you have, the whole log follows."""
        return self.type == "connection" and bool(self.fields.get("reset"))

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
