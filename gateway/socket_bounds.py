"""What one tab's socket may hold, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SocketBounds:
    """From the settings; the same for every socket of a gateway."""

    max_buffer_bytes: int
    """Written and not yet taken; above it the tab is *behind*."""
    stall_seconds: float
    """For so long a socket may take nothing."""
    close_seconds: float
    """For so long a peer may leave a close unanswered."""
