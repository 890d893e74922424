"""How long to wait before the next try."""

import random
from dataclasses import dataclass


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
