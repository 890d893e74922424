"""A tab's socket that takes what the test says, and remembers what it was given."""

import json
from typing import Any

from gateway.frames import Frames


class FakeSocket:
    """Has room for `room` frames that are not taken yet."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.waiting = 0
        self.frames: list[dict[str, Any]] = []
        self.writes: list[Frames] = []
        self.closed: tuple[int, str] | None = None

    @property
    def has_room(self) -> bool:
        return self.waiting < self.room

    def write(self, frames: Frames) -> None:
        self.waiting += len(frames.texts)
        self.writes.append(frames)
        self.frames += [json.loads(text) for text in frames.texts]

    def has_stalled(self, now: float) -> bool:
        return False

    def close(self, code: int, reason: str = "") -> None:
        self.closed = (code, reason)

    def drain(self) -> None:
        """The peer has taken everything."""
        self.waiting = 0

    @property
    def statuses(self) -> list[str]:
        return [frame["status"] for frame in self.frames if frame["type"] == "connection"]

    @property
    def contents(self) -> list[str]:
        return [frame["content"] for frame in self.frames if frame["type"] == "message"]
