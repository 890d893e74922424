"""How a turn is told: builds its frames, with ids, attempt and time in every one. Pure but for the
clock it is given."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from shared.ids import SessionId, TurnId
from shared.protocol import (
    ErrorMessage,
    Event,
    Failure,
    TurnFinished,
    TurnStarted,
    TurnStatus,
    Usage,
)

E = TypeVar("E", bound=Event)


def now_text() -> str:
    """This moment, as `format_timestamp` writes it. Every token has one: what the moments of a
    second have in common is made once."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second_text(seconds)}.{nanoseconds // 1_000_000:03d}Z"


@lru_cache(maxsize=1)
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class TurnStory:
    """One attempt of one turn, as its frames name it."""

    session_id: SessionId
    turn_id: TurnId
    attempt: int
    trace_id: str | None
    clock: Callable[[], str] = now_text

    def make(self, kind: type[E], **fields: Any) -> E:
        """A frame of this attempt."""
        common: dict[str, Any] = {
            "session_id": self.session_id,
            "timestamp": self.clock(),
            "turn_id": self.turn_id,
            "attempt": self.attempt,
            "trace_id": self.trace_id,
        }
        return kind(**(common | fields))

    def started(self, worker: str) -> TurnStarted:
        return self.make(TurnStarted, worker=worker)

    def ended(
        self,
        status: TurnStatus,
        *,
        duration_ms: int | None = None,
        usage: Usage | None = None,
        failure: Failure | None = None,
    ) -> list[Event]:
        """The last frames of the turn: `turn_finished`, after an `error` with the same failure."""
        ending: list[Event] = []
        if failure is not None:
            ending.append(self.make(ErrorMessage, code=failure.code, error=failure.error))
        ending.append(
            self.make(
                TurnFinished, status=status, duration_ms=duration_ms, usage=usage, error=failure
            )
        )
        return ending
