"""The subscription: one connection for every channel, made again when it is lost. Its listener is
told: what was published meanwhile is gone, and only the log has it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared import rest
from shared.redis_client import connect_redis
from shared.subscription import Subscription
from shared.subscription_line import CHANNELS_PER_COMMAND, FEED_BYTES, Batch
from tests.support.eventually import eventually


class Told:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.batches: list[Batch] = []
        self.lost = 0
        self.restored = 0

    def on_batch(self, batch: Batch) -> None:
        self.batches.append(batch)
        for channel, payloads in batch.items():
            self.texts += [(channel.decode(), payload.decode()) for payload in payloads]

    def on_lost(self) -> None:
        self.lost += 1

    def on_restored(self) -> None:
        self.restored += 1


@asynccontextmanager
async def subscribed(
    url: str, told: Told, rest_seconds: float = 0
) -> AsyncGenerator[Subscription, None]:
    async with connect_redis(url) as client:
        subscription = Subscription(client, told, rest_seconds=rest_seconds)
        running = asyncio.create_task(subscription.run())
        try:
            yield subscription
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def server(own_server: EmbeddedRedis) -> Iterator[EmbeddedRedis]:
    """A server whose connections the test may cut."""
    own_server.start()
    yield own_server
    own_server.kill()


async def publish(server: EmbeddedRedis, channel: str, *texts: str) -> int:
    """Publish in one transaction; returns how many listened to the last."""
    async with connect_redis(server.url) as client:
        pipeline = client.pipeline()
        for text in texts:
            pipeline.publish(channel, text)
        return (await pipeline.execute())[-1]


async def cut_subscribers(server: EmbeddedRedis) -> None:
    async with connect_redis(server.url) as client:
        await client.client_kill_filter(_type="pubsub")


async def test_texts_of_every_size_arrive_whole_among_confirmations(
    redis_server: EmbeddedRedis,
) -> None:
    """They are cut anywhere: by reads, and by what is parsed of a read at once."""
    told = Told()
    async with subscribed(redis_server.url, told) as subscription:
        await subscription.subscribe("one:sizes")
        texts = [str(number) * (FEED_BYTES // 4 * number + number) for number in range(1, 80)]
        others = [subscription.subscribe(f"other:{number}") for number in range(500)]
        await asyncio.gather(publish(redis_server, "one:sizes", *texts), *others)
        await eventually(lambda: len(told.texts) == len(texts), "all texts have come")
    assert told.texts == [("one:sizes", text) for text in texts]


async def test_what_is_published_after_subscribing_arrives_in_order(
    redis_server: EmbeddedRedis,
) -> None:
    told = Told()
    async with subscribed(redis_server.url, told) as subscription:
        await subscription.subscribe("one:ordered")
        texts = [f"text {number}" for number in range(100)]
        assert await publish(redis_server, "one:ordered", *texts) == 1
        await eventually(lambda: len(told.texts) == 100, "all texts have come")
    assert told.texts == [("one:ordered", text) for text in texts]
    assert len(told.batches) < 100, "what one read brought comes as one batch"
    assert told.restored == 1


async def test_texts_that_come_one_by_one_soon_come_together(
    redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "monotonic", lambda: 1000.0)  # each read is soon after the last
    told = Told()
    async with subscribed(redis_server.url, told, rest_seconds=2) as subscription:
        await subscription.subscribe("one:busy")
        for text in ("first", "second"):  # neither of them waits: reading rests after the second
            await publish(redis_server, "one:busy", text)
            await eventually(lambda text=text: told.texts[-1:] == [("one:busy", text)], text)
        for text in ("third", "fourth", "fifth"):
            await publish(redis_server, "one:busy", text)
        await eventually(lambda: len(told.texts) == 5, "all texts have come")
    together = [b"third", b"fourth", b"fifth"]
    assert [batch[b"one:busy"] for batch in told.batches] == [[b"first"], [b"second"], together]


async def test_channels_are_kept_apart_and_an_unsubscribed_one_is_silent(
    redis_server: EmbeddedRedis,
) -> None:
    told = Told()
    async with subscribed(redis_server.url, told) as subscription:
        for name in ("apart:a", "apart:b", "apart:c"):
            await subscription.subscribe(name)
        subscription.unsubscribe("apart:b")
        subscription.unsubscribe("never subscribed")

        async def nobody_listens() -> bool:
            return await publish(redis_server, "apart:b", "to nobody") == 0

        await eventually(nobody_listens, "the channel is given up")
        told.texts.clear()
        await publish(redis_server, "apart:a", "to a")
        await publish(redis_server, "apart:b", "to b")
        await publish(redis_server, "apart:c", "to c")
        await eventually(lambda: len(told.texts) == 2, "two texts have come")
    assert told.texts == [("apart:a", "to a"), ("apart:c", "to c")]


async def test_a_channel_that_is_subscribed_again_is_heard_once(
    redis_server: EmbeddedRedis,
) -> None:
    told = Told()
    async with subscribed(redis_server.url, told) as subscription:
        await asyncio.gather(*(subscription.subscribe("again") for _ in range(3)))
        await subscription.subscribe("again")
        await publish(redis_server, "again", "once", "end")
        await eventually(lambda: ("again", "end") in told.texts, "the texts have come")
    assert told.texts == [("again", "once"), ("again", "end")]


async def test_a_lost_connection_is_told_and_made_again_with_every_channel(
    server: EmbeddedRedis,
) -> None:
    told = Told()
    async with subscribed(server.url, told) as subscription:
        await asyncio.gather(*(subscription.subscribe(name) for name in ("a", "b")))
        await cut_subscribers(server)
        await eventually(lambda: told.restored == 2, "it is restored")
        assert told.lost == 1
        assert subscription.is_connected
        await publish(server, "a", "to a")
        await publish(server, "b", "to b")
        await eventually(lambda: len(told.texts) == 2, "both channels are heard again")
    assert told.texts == [("a", "to a"), ("b", "to b")]


async def test_a_deaf_connection_can_be_given_up(server: EmbeddedRedis) -> None:
    told = Told()
    async with subscribed(server.url, told) as subscription:
        await subscription.subscribe("a")
        subscription.reconnect()
        await eventually(lambda: told.restored == 2, "it is restored")
        assert await publish(server, "a", "x") == 1
        await eventually(lambda: told.texts, "the text has come")


async def test_subscribing_while_redis_is_away_waits_until_it_is_back(
    own_server: EmbeddedRedis,
) -> None:
    """Also from the very start: a process that starts without Redis stays up."""
    told = Told()
    async with subscribed(own_server.url, told) as subscription:
        early = asyncio.create_task(subscription.subscribe("early"))
        given_up = asyncio.create_task(subscription.subscribe("given up"))
        await asyncio.sleep(0)  # both have asked
        assert not subscription.is_connected
        subscription.unsubscribe("given up")
        await asyncio.gather(given_up, return_exceptions=True)
        assert given_up.cancelled()
        own_server.start()
        try:
            await early
            assert subscription.is_connected
            assert await publish(own_server, "early", "here") == 1
            assert await publish(own_server, "given up", "here") == 0
            own_server.kill()
            await eventually(lambda: told.lost == 1, "the loss is told")
            again = asyncio.create_task(subscription.subscribe("early"))
            own_server.start()
            await again
            assert await publish(own_server, "early", "again") == 1
            await eventually(lambda: ("early", "again") in told.texts, "it is heard")
        finally:
            own_server.kill()


async def test_thousands_of_channels_are_subscribed_again(server: EmbeddedRedis) -> None:
    told = Told()
    names = [f"many:{number}" for number in range(2 * CHANNELS_PER_COMMAND + 1)]
    async with subscribed(server.url, told) as subscription:
        await asyncio.gather(*(subscription.subscribe(name) for name in names))
        await cut_subscribers(server)
        await eventually(lambda: told.restored == 2, "it is restored")
        for name in (names[0], names[CHANNELS_PER_COMMAND], names[-1]):
            assert await publish(server, name, "x") == 1


async def test_cancelling_a_wait_leaves_the_channel_to_be_unsubscribed(
    redis_server: EmbeddedRedis,
) -> None:
    told = Told()
    async with subscribed(redis_server.url, told) as subscription:
        await eventually(lambda: subscription.is_connected, "it is connected")
        waiting = asyncio.create_task(subscription.subscribe("waited for"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await subscription.subscribe("waited for")
        assert await publish(redis_server, "waited for", "x") == 1
