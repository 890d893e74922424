"""The conversation as the model sees it: the framework's own message history, capped. Pure."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    UserPromptPart,
)

from shared.ids import SessionId
from shared.inbox import InboxItem, decode_item
from shared.lease import Turn


def load_history(turn: Turn, session_id: SessionId) -> list[ModelMessage]:
    """What went before this turn, messages that were cancelled before any turn saw them
    included."""
    messages = list(ModelMessagesTypeAdapter.validate_json(turn.history or b"[]"))
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
    result is left without its call."""
    kept = list(messages[-most:])
    if len(kept) < len(messages):
        while kept and not _is_prompt(kept[0]):
            kept.pop(0)
    return ModelMessagesTypeAdapter.dump_json(kept)


def _is_prompt(message: ModelMessage) -> bool:
    return isinstance(message, ModelRequest) and any(
        isinstance(part, UserPromptPart) for part in message.parts
    )
