"""What the probe notices, and what it does about it."""

import asyncio
import time

from dev.embedded_redis import EmbeddedRedis
from gateway.health import DEAF_SECONDS, PROBE_SECONDS, Probe
from gateway.metrics import Metrics
from shared.background import run_in_background
from shared.redis_client import connect_redis
from shared.subscription import Subscription
from shared.subscription_line import Batch
from tests.support.eventually import eventually
from tests.support.proxy import PIECE, Link, Proxy, serving


class Told:
    """A listener that counts."""

    def __init__(self) -> None:
        self.lost = 0
        self.restored = 0

    def on_batch(self, batch: Batch) -> None: ...

    def on_lost(self) -> None:
        self.lost += 1

    def on_restored(self) -> None:
        self.restored += 1


class DeafAtFirst(Proxy):
    """The first connection that subscribes is not even told that it has."""

    first: Link | None = None

    async def _pass_answers(self, link: Link, server: asyncio.StreamReader) -> None:
        while piece := await server.read(PIECE):
            if link.subscribes:
                self.first = self.first or link
            if link is self.first:
                self.swallowed_bytes += len(piece)
            else:
                link.writer.write(piece)
        link.writer.transport.abort()


async def test_a_subscription_that_is_deaf_before_it_is_confirmed_is_made_anew(
    redis_server: EmbeddedRedis,
) -> None:
    """It is open, its channels are not confirmed, and never would be."""
    async with (
        serving(proxy := DeafAtFirst(redis_server.port)),
        connect_redis(proxy.url) as client,
    ):
        told = Told()
        probe = Probe(client, "probe:test", told, Metrics())
        subscription = Subscription(client, probe)
        wanted = asyncio.create_task(subscription.subscribe("news"))
        await asyncio.sleep(0)  # wanted before there is a connection, as after a loss
        async with (
            run_in_background(subscription.run()),
            run_in_background(probe.run(subscription)),
        ):
            await wanted
            await eventually(lambda: probe.is_ready, "it is ready")
        assert proxy.swallowed_bytes > 0
        assert (told.lost, told.restored) == (2, 1)  # the second loss is the end of this test


async def hold_up() -> None:
    """The process gets the processor by fits and starts: a moment for its work, and long none."""
    while True:
        time.sleep(2 * PROBE_SECONDS)  # noqa: ASYNC251  nothing of this process runs meanwhile
        await asyncio.sleep(PROBE_SECONDS / 10)


async def test_a_process_that_is_held_up_is_not_deaf_and_notices_when_it_is(
    redis_server: EmbeddedRedis,
) -> None:
    """The time in which it could not have heard anything is no silence."""
    async with (
        serving(proxy := Proxy(redis_server.port)),
        connect_redis(proxy.url) as client,
    ):
        told = Told()
        probe = Probe(client, "probe:test", told, Metrics())
        subscription = Subscription(client, probe)
        async with (
            run_in_background(subscription.run()),
            run_in_background(probe.run(subscription)),
        ):
            await eventually(lambda: probe.is_ready, "it is ready")
            time.sleep(2 * DEAF_SECONDS)  # noqa: ASYNC251  as if it had been frozen
            await eventually(lambda: probe.is_ready, "it is ready again")
            assert told.lost == 0
            proxy.swallow(True)
            async with run_in_background(hold_up()):
                await eventually(lambda: told.lost == 1, "it has noticed", timeout=30)
            proxy.swallow(False)


def test_a_redis_that_is_silent_for_three_seconds_is_noticed() -> None:
    """At the worst the last probe arrived just before, and is judged just before the bound."""
    assert DEAF_SECONDS + PROBE_SECONDS < 3
