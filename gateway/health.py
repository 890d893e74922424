"""Whether this gateway can do its work: Redis answers *and* what is published arrives.

A pub/sub connection that is open but deaf keeps every other sign green. So the gateway publishes a
probe to itself through the real path; readiness hangs on its arrival, and silence on an open
connection makes the gateway connect anew. Each node of a cluster has a probe of its own.
"""

import asyncio
import logging
from collections.abc import Collection
from time import monotonic

from gateway.metrics import Metrics
from shared.errors import Unavailable
from shared.keys import retag
from shared.listeners import Listener, tell_part_lost, tell_part_restored
from shared.redis_client import Redis, ask
from shared.subscription import Subscription
from shared.subscription_line import Batch

_log = logging.getLogger(__name__)

PROBE_SECONDS = 0.5
DEAF_SECONDS = 2.0
"""Four probes lost: not ready, and tabs are told. A Redis that answers nobody for three seconds is
noticed before it is back."""

LONG_AGO = 1e6
"""Seconds that are told for a probe that has never come back."""
MARKS_AT_ONCE = 1000
"""Names that are tried in one round to find one in the slots of each node."""


class Echo:
    """What comes back of what is published on one channel."""

    def __init__(self, client: Redis, channel: str) -> None:
        self.channel = channel
        self.waiting_since = monotonic()
        """When the channel was last subscribed, or was to be."""
        self.held_up_seconds = 0.0
        """Of the silence since then or since the last came back: for so long this process did not
        run, and could not have heard it."""
        self._client = client
        self._last_arrival: float | None = None

    @property
    def age(self) -> float:
        """Seconds since something came back; infinite before the first."""
        return float("inf") if self._last_arrival is None else monotonic() - self._last_arrival

    async def run(self, subscription: Subscription) -> None:
        """Publish every half second what is to come back, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(subscription.subscribe(self.channel))
            try:
                await self._publish()
            finally:
                subscription.unsubscribe(self.channel)

    def wait_anew(self) -> None:
        """Its channel is subscribed, or is to be."""
        self.waiting_since = monotonic()
        self.held_up_seconds = 0.0

    def arrive(self) -> None:
        """It has come back."""
        self._last_arrival = monotonic()
        self.held_up_seconds = 0.0

    def heal(self, subscription: Subscription) -> None:
        """Have the connection made anew that should bring it, if that is open and deaf."""
        line = subscription.line_of(self.channel)
        if line is None:
            return  # it is looked for
        # One that went deaf before its channels were confirmed would wait for them for ever.
        silence = line.restoring_in_silence_seconds
        if line.is_connected:
            silence = min(self.age, monotonic() - self.waiting_since)
        if silence - self.held_up_seconds > DEAF_SECONDS:
            _log.warning("probe: the subscription is open but deaf; connecting anew")
            line.reconnect()

    async def _publish(self) -> None:
        said = ""
        while True:
            try:
                await ask(self._client, lambda: self._client.publish(self.channel, "probe"))
                said = ""
            except Unavailable as error:
                if str(error) != said:  # once: Redis may be away for hours
                    _log.warning("probe: Redis does not answer: %s", error)
                said = str(error)
            await asyncio.sleep(PROBE_SECONDS)


class Probe:
    """Stands between the subscription and its listener, and takes its own channels' texts."""

    def __init__(self, client: Redis, channel: str, listener: Listener, metrics: Metrics) -> None:
        self._client = client
        self._channel = channel
        self._next_mark = 0
        self._listener = listener
        self._echoes: dict[bytes, Echo] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self.draining = False
        # Looked at when they are scraped, so that they are never older than the scrape.
        metrics.ready.set_function(lambda: self.is_ready)
        metrics.probe_age.set_function(lambda: min(max(self._ages(), default=LONG_AGO), LONG_AGO))

    @property
    def is_ready(self) -> bool:
        """Whether most nodes are heard. If it had to be all, the loss of one of many would take
        every gateway out of service, for the sessions of all others too."""
        ages = self._ages()
        heard = sum(age < DEAF_SECONDS for age in ages)
        return not self.draining and 2 * heard > len(ages)

    async def run(self, subscription: Subscription) -> None:
        """Publish probes every half second, and judge what came back. Never ends."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._cover_nodes(subscription, group)
                began = monotonic()
                await asyncio.sleep(PROBE_SECONDS)
                late = monotonic() - began - PROBE_SECONDS
                for echo in self._echoes.values():
                    echo.held_up_seconds += late
                    echo.heal(subscription)

    def on_batch(self, batch: Batch) -> None:
        for name, echo in self._echoes.items():
            if batch.pop(name, None):
                echo.arrive()
        if batch:
            self._listener.on_batch(batch)

    def on_lost(self) -> None:
        self._listener.on_lost()

    def on_restored(self) -> None:
        self._wait_anew(self._echoes)
        self._listener.on_restored()

    def on_part_lost(self, channels: Collection[bytes]) -> None:
        self._wait_anew(channels)
        if others := [name for name in channels if name not in self._echoes]:
            tell_part_lost(self._listener, others)

    def on_part_restored(self, channels: Collection[bytes]) -> None:
        self._wait_anew(channels)
        if others := [name for name in channels if name not in self._echoes]:
            tell_part_restored(self._listener, others)

    def _wait_anew(self, channels: Collection[bytes]) -> None:
        for name in self._echoes.keys() & set(channels):
            self._echoes[name].wait_anew()

    def _cover_nodes(self, subscription: Subscription, group: asyncio.TaskGroup) -> None:
        """See that each node has one channel among its slots, wherever slots have moved to."""
        missing = set(self._client.nodes())
        for name in list(self._echoes):
            node = self._client.node_of(name)
            if node in missing:
                missing.remove(node)
            else:
                del self._echoes[name]
                self._tasks.pop(name).cancel()
        if not missing:
            return
        for mark in range(self._next_mark, self._next_mark + MARKS_AT_ONCE):
            channel = retag(self._channel, mark)
            node = self._client.node_of(channel)
            if node in missing:
                missing.remove(node)
                name = channel.encode()
                echo = self._echoes[name] = Echo(self._client, channel)
                self._tasks[name] = group.create_task(echo.run(subscription))
            if not missing:
                self._next_mark = mark + 1
                return
        self._next_mark += MARKS_AT_ONCE

    def _ages(self) -> list[float]:
        """Seconds since a probe came back from each node. A scrape asks from another thread: it is
        given a list of its own."""
        return [echo.age for echo in list(self._echoes.values())]
