"""Golden event sequences: what a tab is given, and the conversation that it has to show.

The frames are made by the models and encoded as the log and the gateway encode them; what each adds
up to is written by hand. `python -m dev.write_golden` writes them to tests/golden, where pytest and
vitest read them: a diff there is a change of the protocol and needs a line in docs/protocol.md.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.protocol import (
    ConnectionStatus,
    Event,
    Frame,
    encode_event,
    encode_frame,
    format_timestamp,
    with_position,
)

SESSION = "golden"
TRACE = "51d9e5b587ef14f844c2fd21a4384826"
BEGIN = datetime(2026, 1, 31, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Expected:
    """A turn as it has to be shown."""

    turn_id: str
    question: str | None
    status: str | None
    """`None` until the turn is finished."""
    attempt: int
    answer: str
    calls: dict[str, str]
    """By id: `open`, `ended` or `failed`."""


@dataclass
class Script:
    """The frames of one tab, one after the other; every event takes the next position."""

    epoch: int = 1_769_850_000_000_000
    texts: list[str] = field(default_factory=lambda: [])
    _seq: int = 0
    _made: int = 0

    def add(self, event: type[Event], **fields: Any) -> None:
        """The next event, 10 ms after the one before."""
        self._seq += 1
        self._made += 1
        at = BEGIN + timedelta(milliseconds=10 * self._made)
        made = event(session_id=SESSION, timestamp=format_timestamp(at), trace_id=TRACE, **fields)
        self.texts.append(with_position(self.head, encode_event(made)))

    def say(self, frame: Frame) -> None:
        """A frame that is in no log."""
        self.texts.append(encode_frame(frame))

    def connect(self, head: str | None, **fields: Any) -> None:
        """The first frame of a socket."""
        flags: dict[str, Any] = {"resumed": False, "reset": False, "truncated": False} | fields
        self.say(
            ConnectionStatus(
                session_id=SESSION,
                status="connected",
                protocol=1,
                head=head,
                heartbeat_seconds=15,
                server_time=format_timestamp(BEGIN),
                **flags,
            )
        )

    def add_from_the_future(self, kind: str, **fields: Any) -> None:
        """An event that a newer worker writes: no model of ours knows its type."""
        self._seq += 1
        self._made += 1
        self.texts.append(
            json.dumps({"id": self.head, "type": kind, "session_id": SESSION} | fields)
        )

    def begin_epoch(self) -> None:
        """Another life of the log: numbers begin at 1 again."""
        self.epoch += 1_000_000
        self._seq = 0

    def pass_over(self, count: int) -> None:
        """Positions that have left the log."""
        self._seq += count

    @property
    def head(self) -> str:
        return f"{self.epoch}-{self._seq}"


@dataclass(frozen=True)
class Golden:
    """One sequence: what it shows, its frames, and what they add up to."""

    name: str
    shows: str
    frames: list[str]
    conversation: list[Expected]


def golden(
    name: str, shows: str, play: Callable[[Script], None], *conversation: Expected
) -> Golden:
    """The sequence that `play` writes."""
    script = Script()
    play(script)
    return Golden(name, shows, script.texts, list(conversation))
