"""Last attempts: of the turns that have one attempt left, one at a time runs in this process.

A turn that kills its worker takes along whatever runs there. What was taken along is claimed
together with it, and was killed together with it again until all of them had used up their
attempts. Kept apart for the last one, the turn that kills ends as failed and the others are
answered.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent_worker.insist import insist
from shared.lease import Lease, Turn


class LastAttempts:
    """Keeps them apart. `renew_seconds`: how often the lease of one that waits is renewed."""

    def __init__(self, max_attempts: int, renew_seconds: float) -> None:
        self._max_attempts = max_attempts
        self._renew_seconds = renew_seconds
        self._free = asyncio.Lock()

    @asynccontextmanager
    async def apart(
        self, lease: Lease, turn: Turn, hand_back: asyncio.Event
    ) -> AsyncGenerator[None, None]:
        """Enter the block when `turn` may run, or does not run anyway: `hand_back` is set, or it
        is to be cancelled. Raises `Fenced` or `TurnOver`."""
        if turn.attempts_lost == 0 or turn.attempts_lost != self._max_attempts - 1:
            yield
            return
        entering = asyncio.create_task(self._free.acquire())
        handing_back = asyncio.create_task(hand_back.wait())
        try:
            await self._wait(lease, turn, entering, handing_back)
            yield
        finally:
            handing_back.cancel()
            if not entering.cancel() and entering.result():
                self._free.release()

    async def _wait(
        self,
        lease: Lease,
        turn: Turn,
        entering: "asyncio.Task[bool]",
        handing_back: "asyncio.Task[bool]",
    ) -> None:
        turn_id = turn.item.message.message_id
        while True:
            done, _ = await asyncio.wait(
                (entering, handing_back),
                timeout=self._renew_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if done or await insist(lease, turn_id, lambda: lease.renew(turn_id)):
                return
