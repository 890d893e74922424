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
from shared.ids import SessionId
from shared.inbox import InboxItem, decode_item
from shared.lease import Turn

_log = logging.getLogger(__name__)


def load_history(turn: Turn, session_id: SessionId) -> list[ModelMessage]:
    """What went before this turn, messages that were cancelled before any turn saw them
    included. A history that cannot be read (another version of the framework has written it) is
    given up, loudly: it would fail every turn of the session from here on."""
    try:
        messages = list(ModelMessagesTypeAdapter.validate_json(turn.history or b"[]"))
    except ValidationError as error:
        _log.warning("session %s: its history is given up: %s", session_id[:8], error.title)
        messages = []
    for line in turn.unheard.splitlines():
        messages.append(prompt_message(decode_item(session_id, line)))
    return messages


def prompt_message(item: InboxItem) -> ModelMessage:
    """A user's message as the model sees it."""
    moment = datetime.fromisoformat(item.message.timestamp)
    return ModelRequest(parts=[UserPromptPart(content=item.message.content, timestamp=moment)])


def partial_answer(texts: Sequence[str]) -> list[ModelMessage]:
    """What a cancelled turn had said before it was stopped."""
    spoken = [TextPart(content=text) for text in texts if text]
    return [ModelResponse(parts=spoken, state="interrupted")] if spoken else []


def dump_history(messages: Sequence[ModelMessage], most: int) -> bytes:
    """The history to store: at most `most` messages, cut where a user speaks, so that no tool
    result is left without its call. The last turn is kept whole however long it is."""
    kept = list(messages[_cut(messages, most) :])
    try:
        return ModelMessagesTypeAdapter.dump_json(kept)
    except ValueError:  # half a surrogate pair, from a provider or a tool
        plain = ModelMessagesTypeAdapter.dump_python(kept, mode="json")
        return clean_text(json.dumps(plain, ensure_ascii=False)).encode()


def _cut(messages: Sequence[ModelMessage], most: int) -> int:
    if len(messages) <= most:
        return 0
    turns = [index for index, message in enumerate(messages) if _is_prompt(message)]
    fitting = [index for index in turns if index >= len(messages) - most]
    return (fitting[:1] or turns[-1:] or [0])[0]


def _is_prompt(message: ModelMessage) -> bool:
    """Whether a turn begins here. What a tool returned beside its result looks like a user's."""
    if not isinstance(message, ModelRequest):
        return False
    kinds = {part.part_kind for part in message.parts}
    return "user-prompt" in kinds and not kinds & {"tool-return", "retry-prompt"}
