"""Connections to a server are bounded: who needs one more waits, and no longer than a command may
take."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, cast
from uuid import uuid4

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.errors import Unavailable
from shared.redis_client import Redis, ask, connect_redis, one_connection
from shared.redis_server import MOST_CONNECTIONS
from tests.support.eventually import eventually

FEW = 3


@pytest.fixture
async def client(redis_server: EmbeddedRedis) -> AsyncGenerator[Redis, None]:
    """A client that has few connections."""
    own = connect_redis(f"{redis_server.url}?max_connections={FEW}", timeout_seconds=0.5)
    async with own:
        yield own


def nothing_comes(client: Redis, key: str, seconds: float) -> Awaitable[Any]:
    """A call that holds a connection for so long, or until something is pushed."""
    wait = cast(Any, client.blpop)
    return ask(client, lambda: wait([key], timeout=seconds), blocks_seconds=seconds)


def ping(client: Redis) -> Awaitable[bool]:
    return ask(client, lambda: client.ping())


async def connections(client: Redis) -> int:
    """How many the server has, of everybody."""
    told = await ask(client, lambda: cast(Awaitable[dict[str, int]], client.info("clients")))
    return told["connected_clients"]


async def test_any_number_of_calls_at_once_are_answered(redis_server: EmbeddedRedis) -> None:
    """More than there are connections: each waits for its turn, and none is told that Redis is
    away."""
    async with connect_redis(redis_server.url) as client:
        assert all(await asyncio.gather(*(ping(client) for _ in range(5 * MOST_CONNECTIONS))))


async def test_no_more_connections_are_made_than_there_may_be(client: Redis) -> None:
    before = await connections(client)
    await asyncio.gather(*(ping(client) for _ in range(20 * FEW)))
    assert await connections(client) <= before + FEW - 1


async def test_who_has_waited_as_long_as_a_command_may_take_is_told(client: Redis) -> None:
    """`Unavailable`; when a connection is free again, the next call has it."""
    key = f"k{uuid4().hex}"
    held = [asyncio.ensure_future(nothing_comes(client, key, 60)) for _ in range(FEW)]
    with pytest.raises(Unavailable):
        await _until_refused(client)
    for call in held:
        call.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert await ping(client)


async def test_calls_that_are_cut_off_lose_no_connection(client: Redis) -> None:
    """While they wait for one, while it is made, while they have it: whenever it is."""
    key = f"k{uuid4().hex}"
    for rounds in range(60):
        calls = [asyncio.ensure_future(nothing_comes(client, key, 60)) for _ in range(2 * FEW)]
        for _ in range(rounds):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    async with one_connection(client) as first, one_connection(client) as second:
        assert await asyncio.gather(*(ping(one) for one in (first, second, client)))


async def _until_refused(client: Redis) -> None:
    async def is_answered() -> bool:
        return not await ping(client)

    await eventually(is_answered, "every connection is held")
