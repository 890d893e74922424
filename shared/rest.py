"""Reading many small texts in fewer wake-ups.

A process that is woken for each text spends most of its time on being woken. So where reads follow
one another, reading rests for a moment, and what comes meanwhile comes in one read. The kernel
keeps it, in order. A text that comes alone does not wait, nor does the first of several.
"""

import asyncio
from time import monotonic


class Rest:
    """For one connection at a time. To be told of every read."""

    __slots__ = ("_read_at", "_seconds")

    def __init__(self, seconds: float) -> None:
        """`seconds` is `REST_SECONDS` of the gateway; with 0 reading never rests."""
        self._seconds = seconds
        self._read_at = 0.0

    def after_read(self, transport: asyncio.Transport) -> None:
        """Rest, if the read before this one was less than so many seconds ago."""
        now = monotonic()
        if now - self._read_at < self._seconds and not transport.is_closing():
            transport.pause_reading()
            asyncio.get_running_loop().call_later(self._seconds, _read_on, transport)
        self._read_at = now


def _read_on(transport: asyncio.Transport) -> None:
    if not transport.is_closing():
        transport.resume_reading()
