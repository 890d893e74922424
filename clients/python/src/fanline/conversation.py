"""A session's events reduced to a conversation, by the rules of the protocol. Pure."""

from dataclasses import dataclass, field
from typing import Any

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


class Conversation:
    """What a tab shows. Apply every event once, in order."""

    def __init__(self) -> None:
        self.turns: dict[str, Turn] = {}

    def apply(self, event: Event) -> None:
        """Take one event into account; unknown types change nothing."""
        if event.type == "connection" and event.get("reset"):
            self.turns.clear()
        turn_id = event.get("turn_id")
        if turn_id is None or event.position is None:
            return
        turn = self.turns.setdefault(turn_id, Turn(turn_id))
        match event.type:
            case "message":
                turn.question = event["content"]
            case "turn_started":
                turn.attempt = event["attempt"]
                lower = [name for name, text in turn.texts.items() if text.attempt < turn.attempt]
                for name in lower:
                    del turn.texts[name]
            case "assistant":
                _apply_text(turn, event)
            case "tool_call" | "openai_call":
                turn.calls[_call_id(event)] = dict(event.fields)
            case "tool_result" | "openai_response":
                turn.calls.setdefault(_call_id(event), {})["end"] = dict(event.fields)
            case "turn_finished":
                turn.status, turn.error = event["status"], event.get("error")
                for name in [name for name, text in turn.texts.items() if not text.whole]:
                    del turn.texts[name]
            case _:
                pass


def _apply_text(turn: Turn, event: Event) -> None:
    attempt = event["attempt"]
    if attempt < turn.attempt:
        return
    text = turn.texts.setdefault(event["message_id"], Text(attempt))
    if event["streaming"]:
        text.content += event["content"]
    else:
        text.content, text.whole = event["content"], True


def _call_id(event: Event) -> str:
    return str(event.get("tool_call_id") or event.get("call_id"))
