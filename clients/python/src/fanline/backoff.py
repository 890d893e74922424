"""How long to wait before the next try."""

import random
from dataclasses import dataclass

DRAINING, TOKEN_EXPIRED = 1012, 4401
"""Close codes after which the wait is not the usual one."""


@dataclass(frozen=True)
class Backoff:
    """A random share, at least half, of a bound that doubles with every failure."""

    first_seconds: float = 1.0
    longest_seconds: float = 30.0
    stable_seconds: float = 5.0
    """A socket that was open for so long counts as a success."""

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures before this one."""
        bound = min(self.longest_seconds, self.first_seconds * 2 ** min(failures, 30))
        return bound * random.uniform(0.5, 1)


class Pauses:
    """When the next socket may be opened. Pure: it is told the time, in seconds of any clock."""

    def __init__(self, backoff: Backoff) -> None:
        self.not_before = 0.0
        self._backoff = backoff
        self._failures = 0
        self._opened_at = 0.0

    def on_opened(self, now: float) -> None:
        """A socket was opened."""
        self._opened_at = now

    def on_failed(self, now: float) -> None:
        """None could be opened."""
        self.not_before = now + self._backoff.delay(self._failures)
        self._failures += 1

    def on_lost(self, now: float, code: int | None, reason: str) -> None:
        """It was closed with this code, or broke. A gateway that drains names the wait."""
        if now - self._opened_at >= self._backoff.stable_seconds:
            self._failures = 0
        if code == DRAINING and reason.isdecimal():
            self.not_before = now + int(reason) / 1000
        elif code == TOKEN_EXPIRED and self._failures == 0:
            self._failures = 1  # at once with a fresh token, but not if that is over at once too
        else:
            self.on_failed(now)
