"""Whether a peer takes what it is sent."""


class StallCheck:
    """For one socket. To be asked again and again: what was taken since the last time counts as
    life."""

    __slots__ = ("_seconds", "_taken_at", "taken")

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self.taken = 0
        """Bytes, when it was last asked."""
        self._taken_at = now

    def has_stalled(self, now: float, written: int, waiting: int) -> bool:
        """Whether nothing was taken for so many seconds, of all the bytes that were `written`, of
        which `waiting` are not taken yet."""
        taken = written - waiting
        if waiting == 0 or taken > self.taken:
            self.taken, self._taken_at = taken, now
        return waiting > 0 and now - self._taken_at >= self._seconds
