"""Whether this gateway can do its work: Redis answers *and* what is published arrives.

A pub/sub connection that is open but deaf keeps every other sign green. So the gateway publishes a
probe to itself through the real path; readiness hangs on its arrival, and silence on an open
connection makes the gateway connect anew.
"""

import asyncio
import logging

from gateway.metrics import Metrics
from shared.errors import Unavailable
from shared.redis_client import Redis, ask
from shared.subscription import Batch, Listener, Subscription

_log = logging.getLogger(__name__)

PROBE_SECONDS = 0.5
DEAF_SECONDS = 2.0
"""Four probes lost: not ready, and tabs are told. A Redis that answers nobody for three seconds is
noticed before it is back."""


class Probe:
    """Stands between the subscription and its listener, and takes its own channel's texts."""

    def __init__(self, client: Redis, channel: str, listener: Listener, metrics: Metrics) -> None:
        self._client = client
        self._channel = channel
        self._listener = listener
        self._last_arrival: float | None = None
        self._reconnected_at = 0.0
        self.draining = False
        # Looked at when they are scraped, so that they are never older than the scrape.
        metrics.ready.set_function(lambda: self.is_ready)
        metrics.probe_age.set_function(lambda: min(self._age(), 1e6))

    @property
    def is_ready(self) -> bool:
        return not self.draining and self._age() < DEAF_SECONDS

    async def run(self, subscription: Subscription) -> None:
        """Publish a probe every half second, and judge what came back. Never ends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(subscription.subscribe(self._channel))
            # Apart: a Redis that does not answer holds the next probe up, not the judgement.
            group.create_task(self._publish())
            while True:
                began = self._now()
                await asyncio.sleep(PROBE_SECONDS)
                # This process was held up: what came meanwhile is read after this, not before.
                if self._now() - began < 2 * PROBE_SECONDS:
                    self._heal(subscription)

    def on_batch(self, batch: Batch) -> None:
        if batch.pop(self._channel.encode(), None):
            self._last_arrival = self._now()
        if batch:
            self._listener.on_batch(batch)

    def on_lost(self) -> None:
        self._listener.on_lost()

    def on_restored(self) -> None:
        self._reconnected_at = self._now()
        self._listener.on_restored()

    async def _publish(self) -> None:
        while True:
            try:
                await ask(self._client, lambda: self._client.publish(self._channel, "probe"))
            except Unavailable as error:
                _log.warning("probe: Redis does not answer: %s", error)
            await asyncio.sleep(PROBE_SECONDS)

    def _heal(self, subscription: Subscription) -> None:
        # One that went deaf before its channels were confirmed would wait for them for ever.
        silence = subscription.restoring_in_silence_seconds
        if subscription.is_connected:
            silence = min(self._age(), self._now() - self._reconnected_at)
        if silence > DEAF_SECONDS:
            _log.warning("probe: the subscription is open but deaf; connecting anew")
            subscription.reconnect()

    def _age(self) -> float:
        """Seconds since a probe came back; infinite before the first."""
        return float("inf") if self._last_arrival is None else self._now() - self._last_arrival

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
