"""The client of one server: every option of the Redis client is chosen here.

A cluster's client (`shared/cluster.py`) has the same surface: nothing else asks which it is.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import redis.asyncio as redis_asyncio
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from shared.servers_url import Address
from shared.tls import KeptContext, share_context

COMMAND_TIMEOUT_SECONDS = 2.0
"""A command that takes longer counts as unanswered; one repetition still ends within five
seconds."""

MOST_CONNECTIONS = 100
"""To one server, in one process, beside those of subscriptions and of a worker's scripts."""


class BoundedPool(ConnectionPool):
    """A pool in which one call more than there may be connections waits until one is free, which
    `ask` bounds. redis-py's own fails that call at once, and `BlockingConnectionPool` takes a
    connection back behind a lock: a call that was cut off there has lost it for ever.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._places = asyncio.Semaphore(self.max_connections)

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        await self._places.acquire()
        try:
            connection: Any = self.get_available_connection()
        except BaseException:
            self._places.release()
            raise
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: Any) -> None:
        try:
            await super().release(connection)
        finally:
            self._places.release()


class Redis(redis_asyncio.Redis):
    """The client, with the time that `ask` gives its calls.

    On one server every key and channel is at that server. What a cluster makes of the methods here
    is said by `shared/cluster.py`.
    """

    timeout_seconds: float = COMMAND_TIMEOUT_SECONDS
    address: Address = ("", 0)
    """Of a node of a cluster: where it is."""
    tls: KeptContext | None = None
    """Of a client of one server: what its connections have in common, where they are over TLS."""
    is_sharded: bool = False
    """Whether what is published reaches only the node that has the channel's slot (SPUBLISH)."""

    def nodes(self) -> Sequence["Redis"]:
        """The servers, as far as is known, that have keys and channels."""
        return (self,)

    def node_of(self, name: str | bytes) -> "Redis | None":
        """The server that has this key or channel; `None` where that is not known (yet)."""
        return self

    async def look_again(self, first: "Redis | None" = None) -> None:
        """Find out anew who has what; `first` is the server that may know best. Raises what the
        client raises for a Redis that cannot be asked."""

    def doubt(self) -> None:
        """Somebody was not what he was taken for: look again, soon, and not too often."""

    def pinned(self) -> "Redis":
        """A client whose calls all go over one connection of its own to each server."""
        pinned = cast(Redis, self.client())
        pinned.timeout_seconds = self.timeout_seconds
        return pinned

    async def hold(self) -> None:
        """On a pinned client: see that all it has written is held. One server forgets what it wrote
        last first of all, and a connection breaks when it does: there is nothing to see to."""


def client_options(timeout_seconds: float) -> dict[str, Any]:
    """What every connection to a server is made with, beside its address and login."""
    return {
        "protocol": 2,
        "max_connections": MOST_CONNECTIONS,
        # Whether a user may say what its client is called is one more right, which Redis 7.0 does
        # not even know.
        "driver_info": None,
        # `ask` limits the time instead. With a time-out of its own the client writes inside
        # `asyncio.wait_for`, which on Python 3.11 swallows a cancellation that comes together with
        # the end of the write: loops that were told to stop went on for ever.
        "socket_timeout": None,
        "socket_connect_timeout": timeout_seconds,
        # What goes wrong is told to the caller, who knows from where to begin again.
        "retry": Retry(NoBackoff(), 0),
    }


def connect_server(url: str, timeout_seconds: float, **login: str | None) -> Redis:
    """A client for one server that opens connections when they are needed. Raises `ValueError`,
    with a sentence that holds no secret, for a URL or options of it that mean nothing."""
    options: dict[str, Any] = {**client_options(timeout_seconds), **login}
    try:
        made: object = Redis.from_pool(BoundedPool.from_url(url, **options))
    except ValueError:  # whose text may hold the password
        raise ValueError(
            "REDIS_URL: not a URL of a server; what is special in a URL has to be written as %XX"
            " inside a user or a password"
        ) from None
    client = cast(Redis, made)
    try:
        client.tls = share_context(client.connection_pool)
    except (TypeError, RedisError):
        names = ", ".join(name for name, _ in parse_qsl(urlsplit(url).query))
        raise ValueError(f"REDIS_URL: not all of its options make sense: {names}") from None
    client.timeout_seconds = timeout_seconds
    return client


async def check_role(connection: Any) -> None:
    """Raises `RedisConnectionError` for a replica: it takes subscriptions, and may hear nothing."""
    await connection.send_command("ROLE")
    try:
        role = cast(list[Any], await connection.read_response())
    except ResponseError as error:  # who may not ask is told so, again and again
        raise RedisConnectionError(str(error)) from error
    if role[0] != b"master":
        raise RedisConnectionError("this node is no master")
