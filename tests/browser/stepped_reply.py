"""A reply of the stub model that goes on only when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from tests.support.stub_model import Reply


@dataclass
class SteppedReply(Reply):
    """Each of its chunks waits for its `send`, and its end comes right after the last."""

    was_asked_for: asyncio.Event = field(default_factory=asyncio.Event)
    _allowed: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    def send(self, count: int = 1) -> None:
        """Let so many more chunks go."""
        for _ in range(count):
            self._allowed.release()

    async def texts(self) -> AsyncIterator[str]:
        self.was_asked_for.set()
        for text in self.chunks:
            await self._allowed.acquire()
            yield text
