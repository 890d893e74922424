"""The cursor: how far a tab has come, and which events are new to it. Pure.

The position of the last event is the resume point and the only dedupe.
"""

from fanline.events import Event, Position


class Cursor:
    """Judges every frame, in the order in which they come."""

    def __init__(self, position: Position | None) -> None:
        self.position = position
        """Of the last event that was taken; `None` before the first and after a reset."""
        self._replay_until: Position | None = None

    def take(self, event: Event) -> bool:
        """Whether the frame is new; an event that is moves the cursor. Frames that are in no log
        always are."""
        if event.position is None:
            if event.type == "connection" and event["status"] == "connected":
                self._on_connected(event)
            return True
        if not self._is_new(event.position):
            return False
        self.position = event.position
        return True

    def _on_connected(self, event: Event) -> None:
        head = event.get("head")
        self._replay_until = Position.parse(head) if head else None
        if event.is_reset:
            self.position = None

    def _is_new(self, position: Position) -> bool:
        if self.position is None:
            return True
        if position.epoch == self.position.epoch:
            return position > self.position
        # A step of epoch is right in the replay that `connection` announced, and nowhere else.
        replayed = self._replay_until is not None and position <= self._replay_until
        return replayed and position > self.position
