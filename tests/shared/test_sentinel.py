"""Redis under Sentinel: the URL, and whom a client talks to before, during and after a failover."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.errors import Unavailable
from shared.redis_client import Redis, ask, connect_redis, one_connection
from shared.sentinel import Address, PrimaryPool, Sentinels, SentinelUrl, parse_sentinel_url
from shared.subscription import Subscription
from shared.subscription_line import Batch
from tests.support.eventually import eventually
from tests.support.sentinels import (
    OPTIONS,
    is_in_step,
    is_primary,
    replica_of,
    under_sentinels,
)
from tests.support.sentinels import Sentinels as RunningSentinels


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("a:1/main", SentinelUrl((("a", 1),), "main")),
        ("a,b:2/main/3", SentinelUrl((("a", 26379), ("b", 2)), "main", 3)),
        ("[::1]:7,10.0.0.1/m/", SentinelUrl((("::1", 7), ("10.0.0.1", 26379)), "m")),
        ("u%40x:p%2Fw@a/m", SentinelUrl((("a", 26379),), "m", 0, "u@x", "p/w")),
        (":secret@a/m", SentinelUrl((("a", 26379),), "m", 0, None, "secret")),
    ],
)
def test_the_parts_of_a_url(url: str, parts: SentinelUrl) -> None:
    assert parse_sentinel_url(f"redis+sentinel://{url}") == parts


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("a:1", "has no service"),
        ("a:1/", "has no service"),
        ("/main", "without a host"),
        ("a,/main", "without a host"),
        (":1/main", "without a host"),
        ("a:port/main", "no number"),
        ("a:70000/main", "no number"),
        ("a:1/main/zero", "database"),
        ("a:1/main/0/1", "database"),
        ("a:1/main?db=1", "no options"),
    ],
)
def test_a_url_that_is_wrong_is_refused_in_a_sentence_without_its_secret(
    rest: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"REDIS_URL: .*{sentence}") as caught:
        connect_redis(f"redis+sentinel://user:secret@{rest}")
    assert "secret" not in str(caught.value)


async def test_sentinels_that_are_not_there_are_unavailable() -> None:
    url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{free_port()}/main"
    async with connect_redis(url) as client:
        with pytest.raises(Unavailable, match="no primary of 'main'"):
            await ask(client, lambda: client.get("x"))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[EmbeddedRedis, EmbeddedRedis]]:
    """A primary and its replica."""
    primary = EmbeddedRedis(tmp_path / "primary", options=OPTIONS)
    primary.start()
    replica = EmbeddedRedis(tmp_path / "replica", options=replica_of(primary.port))
    replica.start()
    yield primary, replica
    primary.stop()
    replica.stop()


async def test_a_server_that_is_no_primary_is_not_spoken_to(
    pair: tuple[EmbeddedRedis, EmbeddedRedis],
) -> None:
    """A sentinel may name one that was demoted since."""
    _, replica = pair
    await eventually(lambda: is_in_step(replica), "the replica follows")

    class Mistaken(Sentinels):
        async def discover_master(self, service_name: str) -> Address:
            return "127.0.0.1", replica.port

    pool = PrimaryPool(SentinelUrl((), "main"), 1.0)
    pool.sentinel_manager = Mistaken(())
    async with Redis.from_pool(pool) as client:
        with pytest.raises(Unavailable, match="not the primary"):
            await ask(client, lambda: client.get("x"))  # pyright: ignore[reportArgumentType]


class Told:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.lost = 0
        self.restored = 0

    def on_batch(self, batch: Batch) -> None:
        self.texts += [text for texts in batch.values() for text in texts]

    def on_lost(self) -> None:
        self.lost += 1

    def on_restored(self) -> None:
        self.restored += 1


@asynccontextmanager
async def silent_server() -> AsyncGenerator[int, None]:
    """The port of one that takes connections and never answers."""
    hold: set[asyncio.StreamWriter] = set()
    server = await asyncio.start_server(lambda _, writer: hold.add(writer), "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        for writer in hold:
            writer.transport.abort()
        server.close()
        await server.wait_closed()


@pytest.mark.timeout(60)
async def test_a_primary_that_was_told_to_step_back_is_left_at_once(
    pair: tuple[EmbeddedRedis, EmbeddedRedis], tmp_path: Path
) -> None:
    """It believes for seconds more that it is one, and would take what the new one never has. The
    sentinel that is asked first is silent, and is passed over."""
    primary, replica = pair
    running = under_sentinels(tmp_path, primary, replica, count=1)
    sentinels = await asyncio.to_thread(running.__enter__)
    try:
        async with silent_server() as port:
            url = sentinels.url.replace("//", f"//127.0.0.1:{port},")
            async with connect_redis(url) as client:
                await _step_back(client, sentinels, primary, replica)
    finally:
        running.__exit__(None, None, None)


async def _step_back(
    client: Redis, sentinels: RunningSentinels, primary: EmbeddedRedis, replica: EmbeddedRedis
) -> None:
    told = Told()
    subscription = Subscription(client, told)
    listening = asyncio.create_task(subscription.run())
    await subscription.subscribe("news")
    assert await _server_of(client) == primary.port
    await asyncio.to_thread(sentinels.fail_over)
    await asyncio.to_thread(sentinels.until_primary_is, replica)

    async def is_followed() -> bool:
        try:
            return await _server_of(client) == replica.port
        except Unavailable:
            return False

    await eventually(is_followed, "commands go to the new primary", timeout=4)
    await eventually(lambda: told.restored == 2, "the subscription is there too", timeout=4)
    assert is_primary(primary), "it still believes that it is one"
    assert told.lost == 1
    async with connect_redis(replica.url) as other:
        await other.publish("news", "heard")
    await eventually(lambda: told.texts == [b"heard"], "what is published there arrives")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def _server_of(client: Redis) -> int:
    async with one_connection(client) as pinned:
        info = await ask(pinned, lambda: pinned.info("server"))
        return int(info["tcp_port"])
