"""A session without `async`, whose calls a test makes in other threads."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fake_gateway import QUICK, FakeGateway, FakeSocket
from fanline import Backoff, Token
from fanline.sync import Session, connect


@asynccontextmanager
async def opened(
    gateway: FakeGateway,
    last_event_id: str | None = None,
    *,
    token: Token | None = None,
    backoff: Backoff = QUICK,
) -> AsyncGenerator[tuple[Session, FakeSocket], None]:
    """A session whose calls the test makes in other threads, and its first socket."""
    opening = connect(gateway.url, "s", last_event_id=last_event_id, token=token, backoff=backoff)
    session = await asyncio.to_thread(opening.__enter__)
    try:
        yield session, await gateway.next_socket()
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)
        assert all(thread.name != "fanline" for thread in threading.enumerate())


async def take(session: Session, count: int) -> list[str]:
    """The positions of the next events; frames that are in no log are passed over."""

    def read() -> list[str]:
        places: list[str] = []
        while len(places) < count and (event := next(session, None)) is not None:
            if event.position is not None:
                places.append(str(event.position))
        return places

    return await asyncio.to_thread(read)
