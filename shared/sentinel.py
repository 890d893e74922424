"""Redis under Sentinel: a pool whose connections lead to whoever is the primary at that moment.

Each new connection asks a sentinel for the primary, and the server itself for its role, so that one
which was demoted is neither written to nor listened to. When the primary changes, the connections
to the old one are broken, as in a restart; nothing else in the system knows of Sentinel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakSet

import redis.asyncio as redis_asyncio
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    MasterNotFoundError,
    SentinelConnectionPool,
    SentinelManagedConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from shared.redis_server import MOST_CONNECTIONS, BoundedPool
from shared.servers_url import Address, parse_servers_url

SENTINEL_SCHEME = "redis+sentinel://"
SENTINEL_PORT = 26379
ANSWER_SECONDS = 0.5
"""A sentinel that takes longer is passed over: three that are silent still leave time for a
fourth within one command's time."""

WATCH_SECONDS = 0.5
"""How often it is looked whether the primary is another."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SentinelUrl:
    """What `redis+sentinel://[user:password@]host[:port][,host[:port]...]/SERVICE[/DB]` says. User
    and password are Redis' own; the sentinels are asked without."""

    sentinels: tuple[Address, ...]
    service: str
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_sentinel_url(url: str) -> SentinelUrl:
    """The parts of the URL. Raises `ValueError` with a sentence that holds no secret."""
    parts = parse_servers_url(url, kind="sentinel", default_port=SENTINEL_PORT)
    if parts.query:
        raise ValueError("REDIS_URL: a redis+sentinel:// URL takes no options")
    service, _, database = parts.path.partition("/")
    if not service:
        raise ValueError("REDIS_URL: redis+sentinel://host:port/SERVICE has no service")
    if database and not database.isdecimal():
        raise ValueError("REDIS_URL: the database after the service is no number")
    return SentinelUrl(
        sentinels=parts.addresses,
        service=service,
        database=int(database or 0),
        username=parts.username,
        password=parts.password,
    )


class Sentinels:
    """The sentinels of one service, asked one after the other."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self._addresses = list(addresses)

    async def discover_master(self, service_name: str) -> Address:
        """Where the primary is, as the first that answers says. Raises `MasterNotFoundError`, which
        is a connection error, also while the primary is known to be down."""
        reasons: list[str] = []
        for address in list(self._addresses):
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await _ask(address, service_name)
            except (RedisError, OSError, ValueError) as error:
                reasons.append(f"{address[0]}:{address[1]}: {str(error) or type(error).__name__}")
                self._addresses.remove(address)  # to the end: the next time others come first
                self._addresses.append(address)
        raise MasterNotFoundError(f"no primary of {service_name!r}: {'; '.join(reasons)}")


async def _ask(address: Address, service: str) -> Address:
    sentinel = redis_asyncio.Redis(
        host=address[0], port=address[1], protocol=2, socket_timeout=None, retry=_no_retry()
    )
    find = cast(Callable[[str], Awaitable[dict[str, Any]]], sentinel.sentinel_master)
    async with sentinel:
        state = await find(service)
    if state["is_sdown"] or state["is_odown"]:
        raise RedisConnectionError("the primary is down")
    return str(state["ip"]), int(state["port"])


class PrimaryConnection(SentinelManagedConnection):
    """A connection to the primary, or none."""

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """Also ask the server what it is: a sentinel may not know yet that it was demoted."""
        await super().on_connect_check_health(check_health)
        await self.send_command("ROLE")
        role = cast(list[Any], await self.read_response())
        if role[0] not in (b"master", "master"):
            raise RedisConnectionError("this server is not the primary any more")


class PrimaryPool(BoundedPool, SentinelConnectionPool):
    """The connections of one process to the primary; none outlives its being the primary.

    A primary that was told to step back stays one, with its connections, until Sentinel has seen to
    it: ten seconds, in which it takes what the new primary will never have.
    """

    def __init__(self, url: SentinelUrl, connect_seconds: float) -> None:
        super().__init__(
            url.service,
            Sentinels(url.sentinels),
            connection_class=PrimaryConnection,
            max_connections=MOST_CONNECTIONS,
            db=url.database,
            username=url.username,
            password=url.password,
            protocol=2,
            driver_info=None,  # as for every server: see `client_options`
            socket_timeout=None,
            socket_connect_timeout=connect_seconds,
            retry=_no_retry(),
        )
        self._made: WeakSet[Any] = WeakSet()
        self._watching: asyncio.Task[None] | None = None

    def make_connection(self) -> Any:
        connection = super().make_connection()
        self._made.add(connection)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="watch the primary")
        return connection

    async def aclose(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))
            self._watching = None
        await super().aclose()

    async def _watch(self) -> None:
        known: Address | None = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                address = cast(Address, await self.get_master_address())
            except (RedisError, OSError) as error:
                _log.debug("sentinel: %s", error)
                continue  # nobody knows of another
            if address != known:
                _log.info("sentinel: the primary is %s:%d", *address)
            known = address
            for connection in list(self._made):
                if connection.is_connected and (connection.host, connection.port) != address:
                    connection._writer.transport.abort()  # whoever waits on it finds it broken


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)
