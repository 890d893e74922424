"""What must be true of the sessions of the model, and the commands that are judged by it."""

from collections import Counter
from dataclasses import dataclass, field

from shared.ids import SessionId, TurnId
from shared.inbox import SubmittedMessage

MOST_ATTEMPTS = 2
SESSIONS = (SessionId("a"), SessionId("b"))
BOUNDS = (600, 10_000)
"""Session TTL, log limit: nothing is trimmed here."""
ANOTHER_LIFE = "0"


@dataclass(eq=False)
class Command:
    """One run of a script, which may be run again: by its writer, or as a late copy."""

    script: str
    session: SessionId
    arguments: tuple[str | int, ...]
    token: int | None = None
    turn: TurnId | None = None
    removes: tuple[str, ...] = ()


@dataclass
class Truth:
    """What must be true of one session, by what was done to it."""

    log: dict[str, str] = field(default_factory=lambda: {})
    newest: float = 0
    """A write under a token below this must be refused."""
    begun: Counter[str] = field(default_factory=lambda: Counter())
    handed_back: Counter[str] = field(default_factory=lambda: Counter())
    attempt_of: dict[str, int] = field(default_factory=lambda: {})
    """Turn to the token under which its newest attempt runs."""


@dataclass
class Snapshot:
    keys: dict[bytes, tuple[bytes, int]]
    truths: dict[SessionId, Truth]
    promised: set[SubmittedMessage]
