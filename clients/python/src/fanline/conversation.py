"""A session's events reduced to a conversation, by the rules of the protocol. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fanline.errors import TurnFailed
from fanline.events import Event


@dataclass
class Text:
    """One text of an answer; `whole` once its last piece has come."""

    attempt: int
    content: str = ""
    whole: bool = False


@dataclass
class Turn:
    """One user message and everything that answers it."""

    turn_id: str
    question: str | None = None
    attempt: int = 0
    status: str | None = None
    """`None` until `turn_finished`."""
    error: dict[str, Any] | None = None
    texts: dict[str, Text] = field(default_factory=lambda: {})
    calls: dict[str, dict[str, Any]] = field(default_factory=lambda: {})
    """Tool and model calls by id: the first frame's fields, and under `end` the last one's."""

    @property
    def answer(self) -> str:
        """The turn's texts of its highest attempt, in order."""
        return "".join(text.content for text in self.texts.values() if text.attempt == self.attempt)

    def result(self) -> str:
        """The answer of a turn that is over. Raises `TurnFailed` when it has failed or was
        stopped."""
        if self.status == "completed":
            return self.answer
        error = self.error or {"code": self.status, "error": self.status}
        raise TurnFailed(error["code"], error["error"])


class Conversation:
    """What a tab shows. Apply every event once, in order."""

    def __init__(self) -> None:
        self.turns: dict[str, Turn] = {}

    def apply(self, event: Event) -> None:
        """Take one event into account; unknown types change nothing."""
        if event.is_reset:
            self.turns.clear()
        apply = _APPLY.get(event.type)
        turn_id = event.turn_id
        if apply is not None and turn_id is not None and event.position is not None:
            apply(self.turns.setdefault(turn_id, Turn(turn_id)), event)


def _apply_question(turn: Turn, event: Event) -> None:
    turn.question = event["content"]


def _apply_attempt(turn: Turn, event: Event) -> None:
    if event["attempt"] == turn.attempt:
        return
    turn.attempt = event["attempt"]
    _keep(turn, lambda text: text.attempt >= turn.attempt)


def _apply_text(turn: Turn, event: Event) -> None:
    attempt = event["attempt"]
    if attempt < turn.attempt:
        return
    _apply_attempt(turn, event)  # its `turn_started` may lie before the cursor we began from
    text = turn.texts.setdefault(event["message_id"], Text(attempt))
    if event["streaming"]:
        text.content += event["content"]
    else:
        text.content, text.whole = event["content"], True


def _apply_call(turn: Turn, event: Event) -> None:
    turn.calls[_call_id(event)] = dict(event.fields)


def _apply_end_of_call(turn: Turn, event: Event) -> None:
    turn.calls.setdefault(_call_id(event), {})["end"] = dict(event.fields)


def _apply_end(turn: Turn, event: Event) -> None:
    turn.status, turn.error = event["status"], event.get("error")
    _keep(turn, lambda text: text.whole)


def _keep(turn: Turn, wanted: Callable[[Text], bool]) -> None:
    turn.texts = {name: text for name, text in turn.texts.items() if wanted(text)}


def _call_id(event: Event) -> str:
    return str(event.get("tool_call_id") or event.get("call_id"))


_APPLY: dict[str, Callable[[Turn, Event], None]] = {
    "message": _apply_question,
    "turn_started": _apply_attempt,
    "assistant": _apply_text,
    "tool_call": _apply_call,
    "openai_call": _apply_call,
    "tool_result": _apply_end_of_call,
    "openai_response": _apply_end_of_call,
    "turn_finished": _apply_end,
}
