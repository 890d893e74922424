"""The control channels: how a stop reaches the worker at once.

The durable half of a stop is a flag that every renewal sees; this half only makes it quick, so a
lost text costs a renewal's wait and nothing else.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from shared.ids import SessionId, TurnId
from shared.subscription import Subscription
from shared.subscription_line import Batch


class ControlChannels:
    """Listens to the control channels of the sessions that run here."""

    def __init__(self, control_of: Callable[[SessionId], str]) -> None:
        self._control_of = control_of
        self._stops: dict[bytes, tuple[TurnId, asyncio.Event]] = {}
        self._subscription: Subscription | None = None

    def attach(self, subscription: Subscription) -> None:
        """The one subscription of this process, which reports to this object."""
        self._subscription = subscription

    @asynccontextmanager
    async def listen(
        self, session_id: SessionId, turn_id: TurnId, stop: asyncio.Event
    ) -> AsyncGenerator[None, None]:
        """Within the block, `stop` is set when the turn is to stop or its session was deleted."""
        channel = self._control_of(session_id)
        self._stops[channel.encode()] = (turn_id, stop)
        assert self._subscription is not None
        subscribing = asyncio.create_task(self._subscription.subscribe(channel))
        try:
            yield
        finally:
            subscribing.cancel()
            del self._stops[channel.encode()]
            self._subscription.unsubscribe(channel)

    def on_batch(self, batch: Batch) -> None:
        for channel, texts in batch.items():
            waiting = self._stops.get(channel)
            if waiting is None:
                continue
            turn_id, stop = waiting
            if any(text in (f"cancel {turn_id}".encode(), b"deleted") for text in texts):
                stop.set()

    def on_lost(self) -> None:
        pass  # a stop that came meanwhile is seen at the next renewal

    def on_restored(self) -> None:
        pass
