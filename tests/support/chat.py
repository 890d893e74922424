"""A conversation as tests see it: tabs on gateways, what they were given, and what Redis holds."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast
from uuid import uuid4

from fanline import Backoff, Conversation, Event, Session, connect
from fanline.conversation import Turn

from shared.ids import SessionId
from shared.keys import SessionKeys
from tests.support.deployment import Deployment, Process
from tests.support.stub_model import StubModel

QUICK = Backoff(first_seconds=0.05, longest_seconds=0.5)
WAIT_SECONDS = 30.0


class Tab:
    """One tab: everything that it was given, and the conversation that it would show."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[Event] = []
        self.frames: list[Event] = []
        """Frames that are in no log."""
        self.conversation = Conversation()

    async def next(self) -> Event:
        """The next frame, taken into account."""
        async with asyncio.timeout(WAIT_SECONDS):
            event = await anext(self.session)
        if event.type == "connection" and event.get("reset"):
            self.events.clear()
        (self.frames if event.position is None else self.events).append(event)
        self.conversation.apply(event)
        return event

    async def until(self, kind: str, **fields: object) -> Event:
        """The next frame of this type with these fields; those before it are taken too."""
        while True:
            event = await self.next()
            if event.type == kind and all(event.get(k) == v for k, v in fields.items()):
                return event

    async def until_finished(self, turn_id: str) -> Turn:
        """The turn, when its `turn_finished` has come."""
        while (turn := self.conversation.turns.get(turn_id)) is None or turn.status is None:
            await self.next()
        return turn

    async def ask(self, content: str) -> Turn:
        """Send a message and wait for its turn's end."""
        return await self.until_finished(await self.session.send(content))

    def ids(self) -> list[str]:
        return [str(event.position) for event in self.events]

    def kinds(self) -> list[str]:
        return [event.type for event in self.events]


class Chat:
    """One session of a deployment."""

    def __init__(
        self, deployment: Deployment, stub: StubModel, session_id: str | None = None
    ) -> None:
        self.deployment = deployment
        self.stub = stub
        self.session_id = session_id or f"s-{uuid4()}"

    @property
    def gateways(self) -> list[Process]:
        return [process for process in self.deployment.processes if process.port]

    @property
    def keys(self) -> SessionKeys:
        return self.deployment.keys.session(SessionId(self.session_id))

    @asynccontextmanager
    async def tab(
        self, gateway: int = 0, *, last_event_id: str | None = None, connected: bool = True
    ) -> AsyncGenerator[Tab, None]:
        """A tab on the gateway of this number, open for the block."""
        url = self.gateways[gateway].url
        opening = connect(url, self.session_id, last_event_id=last_event_id, backoff=QUICK)
        async with opening as session:
            tab = Tab(session)
            if connected:
                await tab.until("connection", status="connected")
            yield tab

    async def fresh_load(self, gateway: int = 0) -> Tab:
        """What a tab that opens at this moment is given, up to the head that it is told."""
        async with self.tab(gateway) as tab:
            head = tab.frames[-1]["head"]
            while head is not None and tab.ids()[-1:] != [head]:
                await tab.next()
            return tab

    async def log(self) -> list[dict[str, object]]:
        """The session's log as `redis-cli XRANGE` shows it."""
        async with self.deployment.client() as client:
            rows = cast(list[tuple[str, dict[str, str]]], await client.xrange(self.keys.log))
        return [{"id": place, **json.loads(fields["event"])} for place, fields in rows]
