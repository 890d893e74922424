"""A session's log as the conversation that it tells, for whoever asks once.

The rules by which events become a conversation are those of every client (docs/protocol.md).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gateway.follower import Follower
from gateway.replay import frames_of
from gateway.settings import GatewaySettings
from shared.errors import NotALog
from shared.ids import Position, SessionId
from shared.session_log import LogEntry, SessionLog

MAX_CODE_POINTS = 16 * 1024 * 1024
"""Of what was said in one conversation. Of a longer one the oldest turns are left out."""

Json = dict[str, Any]


class Turn(BaseModel):
    """A user message and its answer."""

    model_config = ConfigDict(validate_assignment=True)  # the log may have strange events

    turn_id: str
    trace_id: str | None = None
    timestamp: str | None = None
    """When the message was accepted; `null`, as `content`, where the log no longer has it."""
    content: str | None = None
    status: Literal["waiting", "running", "completed", "failed", "cancelled"] = "waiting"
    attempt: int = 0
    """0 until a worker has begun."""
    answer: str = ""
    """The texts of its newest attempt, in order; while it runs, as far as they have come."""
    duration_ms: int | None = None
    usage: Json | None = None
    error: Json | None = None
    """As `turn_finished` has them, from a worker of whichever version."""


class Conversation(BaseModel):
    """What was said in a session, up to `head`: what comes after it is to be had as events."""

    session_id: str
    head: str | None
    """`null` where nothing was ever said."""
    truncated: bool
    """Whether the beginning is missing: the log no longer has it, or it was too much."""
    turns: list[Turn]


@dataclass
class _Text:
    attempt: int
    content: str = ""
    is_whole: bool = False


@dataclass
class _Told:
    turn: Turn
    texts: dict[str, _Text] = field(default_factory=lambda: {})
    size: int = 0
    """How much was said in it, in code points, as far as it is kept."""

    def say(self, text: _Text, content: str) -> None:
        self.size += len(content) - len(text.content)
        text.content = content

    def keep(self, is_wanted: Callable[[_Text], bool]) -> None:
        self.size -= sum(len(text.content) for text in self.texts.values() if not is_wanted(text))
        self.texts = {name: text for name, text in self.texts.items() if is_wanted(text)}


class Story:
    """Reduces events to turns. Apply every event once, in order."""

    def __init__(self, max_code_points: int = MAX_CODE_POINTS) -> None:
        self._told: dict[str, _Told] = {}
        self._left_out: set[str] = set()
        self._size = 0
        self._max_size = max_code_points

    @property
    def is_cut(self) -> bool:
        """Whether turns were left out."""
        return bool(self._left_out)

    def turns(self) -> list[Turn]:
        """The turns so far, in the order of their messages."""
        for told in self._told.values():
            told.turn.answer = "".join(text.content for text in told.texts.values())
        return [told.turn for told in self._told.values()]

    def apply(self, event: Json) -> None:
        """Take one event into account; of most types nothing is told here."""
        apply = _APPLY.get(event["type"])
        turn_id = event.get("turn_id")
        if apply is None or turn_id is None or turn_id in self._left_out:
            return
        told = self._told.setdefault(turn_id, _Told(Turn(turn_id=turn_id)))
        before = told.size
        apply(told, event)
        self._size += told.size - before
        while self._size > self._max_size and len(self._told) > 1:
            oldest = next(iter(self._told))
            self._size -= self._told.pop(oldest).size
            self._left_out.add(oldest)


async def read_conversation(
    log: SessionLog, session_id: SessionId, settings: GatewaySettings
) -> Conversation:
    """The conversation so far, read by the follower's rule like everybody's first load. Raises
    `Unavailable`, and `NotALog` where somebody put something else there."""
    follower, story, head, truncated = Follower(None), Story(), None, False
    while follower.reading:
        after: Position | None = follower.cursor
        page = await log.read_after(session_id, after, settings.page_events, settings.page_bytes)
        outcome = follower.on_page(page, after)
        if outcome.reset:
            story = Story()
        _tell(story, outcome.entries)
        head, truncated = page.head, page.trimmed is not None
    return Conversation(
        session_id=session_id,
        head=None if head is None else str(head),
        truncated=truncated or story.is_cut,
        turns=story.turns(),
    )


def _tell(story: Story, entries: Sequence[LogEntry]) -> None:
    told = [entry for entry in entries if entry.stored.startswith(_TOLD)]
    try:
        for text in frames_of(told):
            story.apply(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NotALog("an event that no script of ours has written") from error


def _apply_message(told: _Told, event: Json) -> None:
    told.turn.content = event["content"]
    told.size += len(event["content"])
    told.turn.timestamp = event["timestamp"]
    told.turn.trace_id = event.get("trace_id")


def _apply_start(told: _Told, event: Json) -> None:
    _begin_attempt(told, event["attempt"])


def _apply_text(told: _Told, event: Json) -> None:
    if event["attempt"] < told.turn.attempt:
        return
    _begin_attempt(told, event["attempt"])  # its `turn_started` may have been trimmed away
    text = told.texts.setdefault(event["message_id"], _Text(event["attempt"]))
    if not event["streaming"]:
        told.say(text, event["content"])
        text.is_whole = True
    elif not text.is_whole:
        told.say(text, text.content + event["content"])


def _apply_end(told: _Told, event: Json) -> None:
    told.turn.status = event["status"]
    told.turn.duration_ms = event.get("duration_ms")
    told.turn.usage, told.turn.error = event.get("usage"), event.get("error")
    told.keep(lambda text: text.is_whole)


def _begin_attempt(told: _Told, attempt: int) -> None:
    if attempt == told.turn.attempt:
        return
    told.turn.attempt = attempt
    if told.turn.status == "waiting":
        told.turn.status = "running"
    told.keep(lambda text: text.attempt >= attempt)


_APPLY: dict[str, Callable[[_Told, Json], None]] = {
    "message": _apply_message,
    "turn_started": _apply_start,
    "assistant": _apply_text,
    "turn_finished": _apply_end,
}
_TOLD = tuple(f'{{"type":"{kind}",' for kind in _APPLY)
"""How events begin that are told. The others, which may be big, are not parsed."""
