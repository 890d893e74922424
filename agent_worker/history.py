"""The conversation as the model sees it: the framework's own message history, capped."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    UserPromptPart,
)

from agent_worker.translate import clean_text
from shared.errors import NotALog
from shared.ids import SessionId
from shared.inbox import InboxItem, decode_item
from shared.lease import Turn

_log = logging.getLogger(__name__)


def load_history(turn: Turn, session_id: SessionId, most_bytes: int) -> list[ModelMessage]:
    """What went before this turn, messages that were cancelled before any turn saw them
    included. A history that cannot be read (another version of the framework has written it), or
    is longer than any that is stored, is given up, loudly: it would fail every turn of the session
    from here on, and reading it would hold up everybody else's."""
    messages: list[ModelMessage] = []
    try:
        if len(turn.history) > most_bytes:
            raise ValueError(f"{len(turn.history)} bytes")
        messages = list(ModelMessagesTypeAdapter.validate_json(turn.history or b"[]"))
    except ValueError as error:
        reason = error.title if isinstance(error, ValidationError) else error
        _log.warning("session %s: its history is given up: %s", session_id[:8], reason)
    for line in turn.unheard.splitlines():
        try:
            messages.append(prompt_message(decode_item(session_id, line)))
        except NotALog as error:  # this turn's fault alone: its session has a good inbox
            raise ValueError("a cancelled message that is none") from error
    return messages


def prompt_message(item: InboxItem) -> ModelMessage:
    """A user's message as the model sees it."""
    moment = datetime.fromisoformat(item.message.timestamp)
    return ModelRequest(parts=[UserPromptPart(content=item.message.content, timestamp=moment)])


def partial_answer(texts: Sequence[str]) -> list[ModelMessage]:
    """What a cancelled turn had said before it was stopped."""
    spoken = [TextPart(content=text) for text in texts if text]
    return [ModelResponse(parts=spoken, state="interrupted")] if spoken else []


def dump_history(messages: Sequence[ModelMessage], most: int, most_bytes: int) -> bytes:
    """The history to store: at most `most` messages of together `most_bytes`, cut where a user
    speaks, so that no tool result is left without its call. The last turn is whole, however many
    messages it has; empty when it alone has too many bytes."""
    turns = _turns(messages, most)
    kept: list[bytes] = []
    size = len(b"[]")
    for turn in reversed(turns):
        text = _dump(turn)
        size += len(text) + len(b",")
        if size > most_bytes:
            break
        kept.insert(0, text)
    return b"[" + b",".join(kept) + b"]" if kept or not turns else b""


def _dump(messages: list[ModelMessage]) -> bytes:
    """Their JSON, one after the other, without the brackets."""
    try:
        return ModelMessagesTypeAdapter.dump_json(messages)[1:-1]
    except ValueError:  # half a surrogate pair, from a provider or a tool
        plain = ModelMessagesTypeAdapter.dump_python(messages, mode="json")
        return clean_text(json.dumps(plain, ensure_ascii=False)).encode()[1:-1]


def _turns(messages: Sequence[ModelMessage], most: int) -> list[list[ModelMessage]]:
    """The last turns that have together at most `most` messages, and always the very last."""
    if not messages:
        return []
    begin = [index for index, message in enumerate(messages) if _is_prompt(message)]
    if len(messages) <= most:
        starts = sorted({0, *begin})
    else:
        starts = [i for i in begin if i >= len(messages) - most] or begin[-1:] or [0]
    ends = [*starts[1:], len(messages)]
    return [list(messages[start:end]) for start, end in zip(starts, ends, strict=True)]


def _is_prompt(message: ModelMessage) -> bool:
    """Whether a turn begins here. What a tool returned beside its result looks like a user's."""
    if not isinstance(message, ModelRequest):
        return False
    kinds = {part.part_kind for part in message.parts}
    return "user-prompt" in kinds and not kinds & {"tool-return", "retry-prompt"}
