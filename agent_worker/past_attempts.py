"""What dead attempts of a turn left in the log: calls that began and never ended, texts without an
end.

The worker that takes a turn over reads them, once, under its own lease: nobody else writes any
more.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.ids import Position, SessionId
from shared.protocol import (
    AssistantMessage,
    Event,
    OpenAIResponseEvent,
    ToolResultEvent,
)
from shared.session_log import LogEntry, SessionLog

PAGE_EVENTS = 256
LOST = "The worker was lost."


@dataclass
class PastAttempts:
    """The unfinished business of a turn's earlier attempts."""

    open_calls: dict[str, dict[str, Any]] = field(default_factory=lambda: {})
    deltas: list[Position] = field(default_factory=lambda: [])
    open_texts: dict[str, dict[str, Any]] = field(default_factory=lambda: {})

    def add(self, entry: LogEntry, turn_id: str) -> None:
        """Take one entry of the log into account."""
        event: dict[str, Any] = json.loads(entry.stored)
        if event.get("turn_id") != turn_id:
            return
        match event["type"]:
            case "tool_call":
                self.open_calls[event["tool_call_id"]] = event
            case "tool_result":
                self.open_calls.pop(event["tool_call_id"], None)
            case "openai_call":
                self.open_calls[event["call_id"]] = event
            case "openai_response":
                self.open_calls.pop(event["call_id"], None)
            case "assistant" | "reasoning":
                self._add_text(entry.position, event)
            case _:
                pass

    def closing_events(self, timestamp: str) -> list[Event]:
        """The ends of the open calls, with the ids and the attempt of their beginnings."""
        return [_closing_event(call, timestamp) for call in self.open_calls.values()]

    def said(self, timestamp: str) -> list[AssistantMessage]:
        """What the last attempt had said in texts without an end, each as its final event."""
        last = max((text["attempt"] for text in self.open_texts.values()), default=0)
        return [
            AssistantMessage.model_validate(text | {"streaming": False, "timestamp": timestamp})
            for text in self.open_texts.values()
            if text["attempt"] == last and text["type"] == "assistant"
        ]

    def _add_text(self, position: Position, event: dict[str, Any]) -> None:
        message_id = event["message_id"]
        if not event["streaming"]:
            self.open_texts.pop(message_id, None)
            return
        self.deltas.append(position)
        text = self.open_texts.setdefault(message_id, event | {"content": ""})
        text["content"] += event["content"]


async def read_past_attempts(
    log: SessionLog, session_id: SessionId, turn_id: str, first: Position
) -> PastAttempts:
    """Read what is left of the attempts since `first`, the turn's first event. Raises
    `Unavailable`."""
    past = PastAttempts()
    after: Position | None = Position(first.epoch, first.seq - 1)
    while True:
        page = await log.read_after(session_id, after, PAGE_EVENTS)
        for entry in page.entries:
            past.add(entry, turn_id)
            after = entry.position
        if page.is_last:
            return past


def _closing_event(call: dict[str, Any], timestamp: str) -> Event:
    # Nobody knows when the call ended with its worker: it is told as long as it was open. The two
    # clocks are two workers' and may differ.
    lasted = datetime.fromisoformat(timestamp) - datetime.fromisoformat(call["timestamp"])
    duration_ms = max(lasted // timedelta(milliseconds=1), 0)
    common = {
        name: call[name]
        for name in ("session_id", "turn_id", "attempt", "trace_id", "span_id", "parent_span_id")
        if name in call
    }
    if call["type"] == "tool_call":
        return ToolResultEvent(
            **common,
            timestamp=timestamp,
            tool_call_id=call["tool_call_id"],
            tool_name=call["tool_name"],
            duration_ms=duration_ms,
            is_error=True,
            result=LOST,
        )
    return OpenAIResponseEvent(
        **common,
        timestamp=timestamp,
        call_id=call["call_id"],
        model=call["model"],
        duration_ms=duration_ms,
        is_error=True,
    )
