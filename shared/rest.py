"""Reading many small texts in fewer wake-ups.

A process that is woken for each text spends most of its time on being woken. So where reads follow
one another, reading rests for a moment, and what comes meanwhile comes in one read. The kernel
keeps it, in order. A text that comes alone does not wait, nor does the first of several.
"""

import asyncio
from time import monotonic

REST_SECONDS = 0.001


class Rest:
    """For one connection. To be told of every read."""

    __slots__ = ("_read_at", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._read_at = -REST_SECONDS

    def after_read(self) -> None:
        """Rest, if the read before this one was less than `REST_SECONDS` ago."""
        now = monotonic()
        if now - self._read_at < REST_SECONDS and not self._transport.is_closing():
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_SECONDS, self._read_on)
        self._read_at = now

    def _read_on(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
