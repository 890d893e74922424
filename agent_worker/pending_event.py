"""An event that waits to be written. Deltas of one message grow in it, so waiting text costs its
own length. Pure.
"""

from shared.protocol import AssistantMessage, Event, ReasoningMessage, encode_event

EVENT_OVERHEAD_BYTES = 300
"""What an event costs beside its JSON."""
DELTA_JSON_BYTES = 200
"""About what a delta's JSON has beside its text. It is encoded when it is written, and not before:
most of what a model says is deltas, and many are merged by then."""

Text = AssistantMessage | ReasoningMessage


class PendingEvent:
    """One place in the queue."""

    __slots__ = ("_encoded", "_pieces", "event", "size")

    def __init__(self, event: Event) -> None:
        self._put(event)

    def absorb(self, event: Event) -> bool:
        """Take in the next event if both are of one message: a delta joins a delta, a whole text
        stands for the delta before it. Whether it did."""
        if self._pieces is None or not isinstance(event, Text) or not self._is_before(event):
            return False
        if event.streaming:
            self.event = event  # the merged frame is the last of them but for its content
            self._pieces.append(event.content)
            self.size += len(event.content.encode())
        else:
            self._put(event)
        return True

    def encode(self) -> str:
        """As it goes into the log."""
        if self._pieces is None:
            return self._encoded
        if len(self._pieces) > 1:
            return encode_event(self.event.model_copy(update={"content": "".join(self._pieces)}))
        return encode_event(self.event)

    def _put(self, event: Event) -> None:
        self.event = event
        if isinstance(event, Text) and event.streaming:
            self._pieces = [event.content]
            self._encoded = ""
            self.size = EVENT_OVERHEAD_BYTES + DELTA_JSON_BYTES + len(event.content.encode())
        else:
            self._pieces = None
            self._encoded = encode_event(event)
            self.size = EVENT_OVERHEAD_BYTES + len(self._encoded.encode())

    def _is_before(self, text: Text) -> bool:
        return (
            isinstance(self.event, Text)
            and self.event.type == text.type
            and self.event.message_id == text.message_id
        )
