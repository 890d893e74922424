"""Native agent events to protocol events. Pure: no clock but the story's, no Redis, no socket.

Every text that starts gets an end: `part_end`, or `close` when the run was cut off. Model and tool
calls are not told here but by the hooks inside their spans (`call_frames.py`), so that frame and
span carry the same ids; calls that never got as far as a span are told here. Unknown kinds are
passed over.
"""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic_ai.messages import (
    CustomEvent,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)
from pydantic_core import to_json

from agent_worker.story import TurnStory
from shared.protocol import AgentCustomEvent, AssistantMessage, Event, ReasoningMessage

TextFrame = type[AssistantMessage] | type[ReasoningMessage]


@dataclass
class _OpenText:
    """A text that has started and not ended."""

    kind: TextFrame
    message_id: str
    pieces: list[str] = field(default_factory=lambda: [])


class Translator:
    """Translates one attempt. Message ids name turn, attempt and text, so no other attempt uses
    one."""

    def __init__(self, story: TurnStory, max_data_bytes: int) -> None:
        self._story = story
        self._max_data_bytes = max_data_bytes
        self._open: dict[int, _OpenText] = {}
        self._texts_begun = 0
        self._last_text = ""

    def translate(self, event: object) -> list[Event]:
        """The frames for one native event: none, one, or the end of one text and the start of
        another."""
        match event:
            case PartStartEvent(index=index, part=TextPart(content=content)):
                return self._start(index, AssistantMessage, content)
            case PartStartEvent(index=index, part=ThinkingPart(content=content)):
                return self._start(index, ReasoningMessage, content)
            case PartDeltaEvent(index=index, delta=TextPartDelta(content_delta=content)):
                return self._continue(index, content)
            case PartDeltaEvent(index=index, delta=ThinkingPartDelta(content_delta=content)):
                return self._continue(index, content or "")
            case PartEndEvent(index=index):
                return self._end(index)
            case CustomEvent():
                return self._custom(event)
            case _:
                return []

    def output(self, output: object) -> list[Event]:
        """The frames for what the run returned: a structured output is one final text, its JSON."""
        if isinstance(output, str) and output == self._last_text:
            return []
        text = output if isinstance(output, str) else to_json(output).decode()
        return [*self._start(-1, AssistantMessage, ""), *self._whole(-1, text)]

    def close(self) -> list[Event]:
        """Ends for the texts that the run was cut off in: what had been said stays said."""
        return [frame for index in sorted(self._open) for frame in self._end(index)]

    def _start(self, index: int, kind: TextFrame, content: str) -> list[Event]:
        ended = self._end(index) if index in self._open else []
        self._texts_begun += 1
        message_id = f"{self._story.turn_id}.{self._story.attempt}.{self._texts_begun}"
        self._open[index] = _OpenText(kind, message_id)
        return [*ended, *self._continue(index, content)]

    def _continue(self, index: int, content: str) -> list[Event]:
        text = self._open.get(index)
        if text is None or not content:
            return []
        text.pieces.append(content)
        return [self._frame(text, content, streaming=True)]

    def _end(self, index: int) -> list[Event]:
        text = self._open.get(index)
        return [] if text is None else self._whole(index, "".join(text.pieces))

    def _whole(self, index: int, content: str) -> list[Event]:
        text = self._open.pop(index)
        if not content:
            return []
        if text.kind is AssistantMessage:
            self._last_text = content
        return [self._frame(text, content, streaming=False)]

    def _frame(self, text: _OpenText, content: str, *, streaming: bool) -> Event:
        return self._story.make(
            text.kind, message_id=text.message_id, streaming=streaming, content=content
        )

    def _custom(self, event: CustomEvent) -> list[Event]:
        data = _custom_data(event)
        if len(json.dumps(data)) > self._max_data_bytes:
            data = {"truncated": True}
        return [self._story.make(AgentCustomEvent, name=_custom_name(event), data=data)]


def _custom_name(event: CustomEvent) -> str:
    return event.name or type(event).__name__


def _custom_data(event: CustomEvent) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(to_json(event, fallback=str))
    for known in ("event_kind", "name", "tool_call_id", "tool_name"):
        fields.pop(known, None)
    return fields


def parse_arguments(arguments: object) -> dict[str, Any]:
    """A tool call's arguments as an object; what cannot be parsed as `{"raw": text}`."""
    if isinstance(arguments, dict):
        return json.loads(to_json(arguments, fallback=str))
    if not arguments:
        return {}
    try:
        value = json.loads(str(arguments))
    except ValueError:
        return {"raw": str(arguments)}
    if not isinstance(value, dict):
        return {"raw": str(arguments)}
    return cast(dict[str, Any], value)


def cut_text(text: str, most_bytes: int) -> tuple[str, int | None]:
    """`text` within `most_bytes` of UTF-8, never in the middle of a character, and how many bytes
    were cut off (`None` for none)."""
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text, None
    kept = encoded[:most_bytes].decode(errors="ignore")
    return kept, len(encoded) - len(kept.encode())
