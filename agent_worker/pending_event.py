"""An event that waits to be written. Deltas of one message grow in it, so waiting text costs its
own length. Pure.
"""

from shared.protocol import AssistantMessage, Event, ReasoningMessage, encode_event

EVENT_OVERHEAD_BYTES = 300
"""What an event costs beside its JSON."""

Text = AssistantMessage | ReasoningMessage


class PendingEvent:
    """One place in the queue."""

    __slots__ = ("_pieces", "event", "size")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.size = _size(event)
        self._pieces = [event.content] if isinstance(event, Text) and event.streaming else None

    def absorb(self, event: Event) -> bool:
        """Take in the next event if both are of one message: a delta joins a delta, a whole text
        stands for the delta before it. Whether it did."""
        if self._pieces is None or not isinstance(event, Text) or not self._is_before(event):
            return False
        self.event = event  # the merged frame is the last of them but for its content
        if event.streaming:
            self._pieces.append(event.content)
            self.size += len(event.content.encode())
        else:
            self._pieces = None
            self.size = _size(event)
        return True

    def encode(self) -> str:
        """As it goes into the log."""
        if self._pieces is not None and len(self._pieces) > 1:
            return encode_event(self.event.model_copy(update={"content": "".join(self._pieces)}))
        return encode_event(self.event)

    def _is_before(self, text: Text) -> bool:
        return (
            isinstance(self.event, Text)
            and self.event.type == text.type
            and self.event.message_id == text.message_id
        )


def _size(event: Event) -> int:
    return EVENT_OVERHEAD_BYTES + len(encode_event(event).encode())
