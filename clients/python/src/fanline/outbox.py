"""The outbox: what was said and has not been answered, to be said again on every new socket. Pure.

Saying it again is harmless: a message runs once by its id, and stopping a turn twice stops it once.
"""

from fanline.errors import FanlineError
from fanline.events import Event

MOST_MESSAGES = 100
"""Messages that may wait for their echo."""


class Outbox:
    """Frames by what answers them, in the order in which they were said."""

    def __init__(self) -> None:
        self._messages: dict[str, str] = {}
        self._cancels: dict[str, str] = {}

    def add_message(self, message_id: str, frame: str) -> None:
        """Keep a message until it is shown or refused. Raises `FanlineError` when too many wait."""
        if len(self._messages) >= MOST_MESSAGES and message_id not in self._messages:
            raise FanlineError(f"{MOST_MESSAGES} messages have not been shown yet")
        self._messages[message_id] = frame

    def add_cancel(self, turn_id: str, frame: str) -> None:
        """Keep a stop until its turn is over."""
        self._cancels[turn_id] = frame

    def frames(self) -> list[str]:
        """What a new socket has to be told."""
        return [*self._messages.values(), *self._cancels.values()]

    def settle(self, event: Event) -> None:
        """Forget what this frame answers. An `error` answers too, `retryable` or not: to say it
        again, with the same id, is then for the caller to decide."""
        match event.type:
            case "message":
                self._messages.pop(event["message_id"], None)
            case "turn_finished":
                self._cancels.pop(event["turn_id"], None)
            case "error" if event.position is None:
                self._messages.pop(event.get("message_id") or "", None)
                if event.get("code") == "unknown_turn":
                    self._cancels.pop(event.get("turn_id") or "", None)
            case _:
                pass

    def drop_largest(self) -> str | None:
        """Give up the one message that can have been too big for the gateway; returns its id."""
        if not self._messages:
            return None
        largest = max(self._messages, key=lambda message_id: len(self._messages[message_id]))
        del self._messages[largest]
        return largest
