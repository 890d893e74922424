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
from pydantic_core import to_json, to_jsonable_python

from agent_worker.story import TurnStory
from shared.protocol import AgentCustomEvent, AssistantMessage, Event, ReasoningMessage

TextFrame = type[AssistantMessage] | type[ReasoningMessage]


class TextTooLong(Exception):
    """One text of an answer takes more than `MAX_TEXT_BYTES`: the turn cannot go on."""


@dataclass
class _OpenText:
    """A text that has started and not ended."""

    kind: TextFrame
    message_id: str
    pieces: list[str] = field(default_factory=lambda: [])
    size: int = 0
    """In bytes."""


class Translator:
    """Translates one attempt. Message ids name turn, attempt and text, so no other attempt uses
    one."""

    def __init__(self, story: TurnStory, *, max_data_bytes: int, max_text_bytes: int) -> None:
        self._story = story
        self._max_data_bytes = max_data_bytes
        self._max_text_bytes = max_text_bytes
        self._open: dict[int, _OpenText] = {}
        self._texts_begun = 0
        self._said: list[str] = []

    def translate(self, event: object) -> list[Event]:
        """The frames for one native event: none, one, or the end of one text and the start of
        another. Raises `TextTooLong`."""
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
        """The frames for what the run returned: none for what its last texts have said, else one
        final text; a structured output is its JSON. Raises `TextTooLong`."""
        if isinstance(output, str) and self._has_said(output):
            return []
        text = clean_text(output) if isinstance(output, str) else json_text(output)
        if len(text.encode()) > self._max_text_bytes:
            raise TextTooLong
        return [*self._start(-1, AssistantMessage, ""), *self._whole(-1, text)]

    def close(self) -> list[Event]:
        """Ends for the texts that the run was cut off in: what had been said stays said."""
        return [frame for index in sorted(self._open) for frame in self._end(index)]

    def _has_said(self, output: str) -> bool:
        joined, whole = "", clean_text(output)
        for text in reversed(self._said):  # an answer can have several parts, thoughts between them
            joined = text + joined
            if len(joined) >= len(whole):
                return joined == whole
        return False

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
        content = clean_text(content)
        text.size += len(content.encode())
        if text.size > self._max_text_bytes:
            raise TextTooLong
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
            self._said.append(content)
        return [self._frame(text, content, streaming=False)]

    def _frame(self, text: _OpenText, content: str, *, streaming: bool) -> Event:
        return self._story.make(
            text.kind, message_id=text.message_id, streaming=streaming, content=content
        )

    def _custom(self, event: CustomEvent) -> list[Event]:
        data = bound_object(_custom_data(event), self._max_data_bytes)
        return [self._story.make(AgentCustomEvent, name=_custom_name(event), data=data)]


def _custom_name(event: CustomEvent) -> str:
    return clean_text(event.name or type(event).__name__)


def _custom_data(event: CustomEvent) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(json_text(event))
    for known in ("event_kind", "name", "tool_call_id", "tool_name"):
        fields.pop(known, None)
    return fields


def parse_arguments(arguments: object) -> dict[str, Any]:
    """A tool call's arguments as an object; what cannot be parsed as `{"raw": text}`."""
    if not arguments:
        return {}
    parsed = cast(Any, arguments)
    if isinstance(arguments, str):
        try:
            parsed = json.loads(arguments)
        except (ValueError, RecursionError):
            parsed = None
    if not isinstance(parsed, dict):
        return {"raw": clean_text(str(arguments))}
    return json.loads(json_text(cast(dict[str, Any], parsed)))


def result_text(result: Any) -> str:
    """What a tool returned, as the text that is told of it."""
    value = getattr(result, "return_value", result)  # a ToolReturn wraps what the model gets
    return value if isinstance(value, str) else json_text(value)


def bound_object(value: dict[str, Any], most_bytes: int) -> dict[str, Any]:
    """`value`, or a mark in its place where its JSON takes more than `most_bytes`."""
    return value if len(json_text(value).encode()) <= most_bytes else {"truncated": True}


def json_text(value: object) -> str:
    """Any value as JSON text. What JSON or UTF-8 cannot hold is replaced: telling the story of a
    turn must not be what ends it."""
    try:
        return to_json(value, **_AS_JSON).decode()
    except ValueError:
        pass
    try:
        return clean_text(json.dumps(to_jsonable_python(value, **_AS_JSON), ensure_ascii=False))
    except (ValueError, RecursionError):  # it contains itself, or is too deep
        return json.dumps({"raw": repr(value)})


_AS_JSON: Any = {"fallback": str, "bytes_mode": "base64", "inf_nan_mode": "null"}


def clean_text(text: str) -> str:
    """`text` as UTF-8 can hold it. Providers escape characters as surrogate pairs and may cut a
    pair in two: a half becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def cut_text(text: str, most_bytes: int) -> tuple[str, int | None]:
    """`text` within `most_bytes` of UTF-8, never in the middle of a character, and how many bytes
    were cut off (`None` for none)."""
    text = clean_text(text)
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text, None
    kept = encoded[:most_bytes].decode(errors="ignore")
    return kept, len(encoded) - len(kept.encode())
