"""Limits that hold over all gateways: how many tabs at once, how many requests in a minute.

Both are counted in Redis, and where Redis is away nobody is refused for them: a limit protects the
service, and must not be what stops it.
"""

import asyncio
import ipaddress
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from starlette.requests import HTTPConnection

from shared.errors import Unavailable
from shared.keys import Keys
from shared.logs import Seldom
from shared.redis_client import Redis, RefusedByRedis, ask

_log = logging.getLogger(__name__)
_log.addFilter(Seldom())

SEAT_SECONDS = 15
"""So long the tabs of a gateway that has died are counted."""
RENEW_SECONDS = 5
COUNT_SECONDS = 0.4
"""What Redis may take to count one who waits; so an answer still comes within five seconds."""
SEATS_PER_ROUND_TRIP = 500
MINUTE = 60

_COUNT = re.compile(rb"\d{1,9} \d{1,12}")

NOT_COUNTED = (Unavailable, RefusedByRedis, TimeoutError)

COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
"""
SEAT = """
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('HVALS', KEYS[1])
"""


class Rates:
    """Counts what somebody does in a minute, which begins when it is first done."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def wait_for(self, kind: str, name: str, limit: int) -> int:
        """Count one more; 0 when it is within `limit` (0: there is none), else the seconds that are
        left of the minute."""
        if limit == 0:
            return 0
        run = cast(Callable[..., Awaitable[list[int]]], self._client.eval)
        key = self._keys.rate(kind, name)
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                count, left = await ask(self._client, lambda: run(COUNT, 1, key, MINUTE))
        except NOT_COUNTED as error:
            _log.warning("not counted, and let through: %s", type(error).__name__)
            return 0
        return 0 if count <= limit else max(left, 1)


class Seats:
    """Counts open tabs by what they are tabs of. Each gateway keeps its own number in a hash, with
    the time until which it holds; clocks of gateways are taken to differ by seconds at most."""

    def __init__(self, client: Redis, keys: Keys, gateway_id: str) -> None:
        self._client = client
        self._keys = keys
        self._gateway_id = gateway_id
        self._taken: Counter[tuple[str, str]] = Counter()
        self._changed: set[tuple[str, str]] = set()

    async def take(self, kind: str, name: str, limit: int) -> bool:
        """Whether there is a seat within `limit`, which is then taken. Two that come at once for
        the last one may both be refused, and never both be let in."""
        seat = kind, name
        self._taken[seat] += 1
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                (counts,) = await self._write([seat])
        except NOT_COUNTED as error:
            _log.warning("not counted, and let through: %s", type(error).__name__)
            return True
        except BaseException:
            self.release(kind, name)
            raise
        if counts <= limit:
            return True
        self.release(kind, name)
        return False

    def release(self, kind: str, name: str) -> None:
        """Give a seat back. Others see it within a second."""
        seat = kind, name
        self._taken[seat] -= 1
        if self._taken[seat] <= 0:
            del self._taken[seat]
        self._changed.add(seat)

    async def renew(self) -> None:
        """Write what has changed every second, and everything every `RENEW_SECONDS`. Never
        ends."""
        renewed_at = time.monotonic()
        while True:
            await asyncio.sleep(1)
            seats = list(self._changed)
            self._changed.clear()
            if time.monotonic() - renewed_at >= RENEW_SECONDS:
                renewed_at = time.monotonic()
                seats = list({*seats, *self._taken})
            try:
                for start in range(0, len(seats), SEATS_PER_ROUND_TRIP):
                    await self._write(seats[start : start + SEATS_PER_ROUND_TRIP])
            except Unavailable as error:
                # What is taken is written again soon, and the rest ends by itself.
                _log.warning("tabs could not be counted: %s", error)
            except RefusedByRedis as error:  # there is something else under one of the keys
                _log.warning("some tabs could not be counted: %s", error)

    async def _write(self, seats: Sequence[tuple[str, str]]) -> list[int]:
        """Write our numbers; returns how many there are everywhere, for each. Raises
        `Unavailable`."""
        pipeline = self._client.pipeline(transaction=False)
        now = time.time()
        for kind, name in seats:
            count = self._taken[kind, name]
            ours = f"{count} {now + SEAT_SECONDS:.0f}" if count else ""
            pipeline.eval(
                SEAT, 1, self._keys.seats(kind, name), self._gateway_id, ours, SEAT_SECONDS
            )
        execute = cast(Callable[..., Awaitable[list[list[bytes]]]], pipeline.execute)
        replies = await ask(self._client, execute)
        return [sum(_valid_count(value, now) for value in values) for values in replies]


def _valid_count(value: bytes, now: float) -> int:
    count, until = map(int, value.split()) if _COUNT.fullmatch(value) else (0, 0)
    return count if until > now else 0


def address_of(connection: HTTPConnection) -> str:
    """What stands for the address of who is calling, as far as trusted proxies tell."""
    return network_of(connection.client.host if connection.client else "")


def network_of(host: str) -> str:
    """What stands for an address: itself, or the network of an IPv6 one, since a household has all
    of that; `-` for what is none (a Unix socket). Safe in a key."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "-"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(address), 64), strict=False).network_address)
    return str(address)
