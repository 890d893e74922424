"""An emitter over a lease whose writes the test holds back or makes fail."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from agent_worker.metrics import Metrics
from agent_worker.story import TurnStory
from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.told_content import ToldContent
from shared.ids import Position, SessionId, TurnId
from shared.lease import Lease
from shared.protocol import AgentCustomEvent, AssistantMessage
from tests.support.eventually import eventually


@dataclass(frozen=True)
class Write:
    """One `append`, as the emitter made it."""

    batch: int
    events: tuple[str, ...]
    remove: tuple[Position, ...]

    def told(self) -> list[tuple[str, str | None]]:
        frames = [json.loads(event) for event in self.events]
        return [(frame["type"], frame.get("content")) for frame in frames]


class FakeLease:
    """Writes go into `log`, unless they are held back or made to fail."""

    session_id = SessionId("s")

    def __init__(self) -> None:
        self.asked: list[Write] = []
        self.log: dict[Position, dict[str, Any]] = {}
        self.open = asyncio.Event()
        self.failures: deque[Exception] = deque()
        self.renewals = 0
        self._numbers = 0
        self._head = 0

    def next_batch(self) -> int:
        self._numbers += 1
        return self._numbers

    async def renew(self, turn_id: TurnId) -> bool:
        self.renewals += 1
        return False

    async def append(
        self, batch: int, turn_id: TurnId, events: Sequence[str], remove: Sequence[Position]
    ) -> Position:
        self.asked.append(Write(batch, tuple(events), tuple(remove)))
        await self.open.wait()
        if self.failures:
            raise self.failures.popleft()
        for event in events:
            self._head += 1
            self.log[Position(1, self._head)] = json.loads(event)
        for place in remove:
            del self.log[place]
        return Position(1, self._head)


class Scene:
    """One emitter at work."""

    def __init__(self, max_bytes: int = 1_000_000) -> None:
        self.lease = FakeLease()
        self.story = TurnStory(SessionId("s"), TurnId("t"), 1, "trace")
        self.emitter = TelemetryEmitter(
            cast(Lease, self.lease),
            self.story,
            Metrics(),
            max_bytes=max_bytes,
            max_result_bytes=100,
        )
        self.emitter.content = ToldContent("full", 100)
        self.sending = asyncio.create_task(self.emitter.send())

    def piece(self, content: str, message_id: str = "m") -> None:
        self.emitter.emit(self.text(content, message_id, streaming=True))

    def whole(self, content: str, message_id: str = "m") -> None:
        self.emitter.emit(self.text(content, message_id, streaming=False))

    def text(self, content: str, message_id: str, *, streaming: bool) -> AssistantMessage:
        fields = {"message_id": message_id, "streaming": streaming, "content": content}
        return self.story.make(AssistantMessage, **fields)

    def custom(self, name: str = "x") -> None:
        self.emitter.emit(self.story.make(AgentCustomEvent, name=name, data={}))

    async def asked(self, count: int) -> Write:
        """The last write, when so many have been asked for."""
        await eventually(lambda: len(self.lease.asked) >= count, f"write {count} is asked for")
        assert len(self.lease.asked) == count
        return self.lease.asked[-1]

    async def written(self) -> list[dict[str, Any]]:
        """The log, when everything emitted so far is in it."""
        self.lease.open.set()
        async with asyncio.timeout(5):
            await self.emitter.drain()
        return list(self.lease.log.values())


@asynccontextmanager
async def a_scene(max_bytes: int = 1_000_000) -> AsyncGenerator[Scene, None]:
    """An emitter whose first write is held back until the test opens the lease."""
    scene = Scene(max_bytes)
    try:
        yield scene
    finally:
        scene.sending.cancel()
        await asyncio.gather(scene.sending, return_exceptions=True)
