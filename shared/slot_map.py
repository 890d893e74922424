"""Who has which slot of a cluster, as its nodes say.

The map is a guess that is good nearly always: a node that is asked for what it does not have says
who has it. It is read anew whenever a node was not what it was taken for.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError, RedisError

from shared.redis_server import Redis
from shared.servers_url import Address

SLOTS = 16384
ANSWER_SECONDS = 0.5
"""A node that takes longer is passed over: three that are silent still leave time for a fourth
within one command's time."""

PAUSE_SECONDS = 0.25
"""Between two readings in the background, when many calls find at once that the map is wrong."""

_log = logging.getLogger(__name__)


class SlotMap:
    """The masters of a cluster, and a client for each."""

    def __init__(self, seeds: Sequence[Address], connect: Callable[[Address], Redis]) -> None:
        self._seeds = seeds
        self._connect = connect
        self._clients: dict[Address, Redis] = {}
        self._known: list[Address] = []
        """Every node that the last answer named, replicas too."""
        self._owners: list[Redis | None] = [None] * SLOTS
        self._replicated: set[Redis] = set()
        self._reading = asyncio.Lock()
        self._in_background: asyncio.Task[None] | None = None
        self._masters: Sequence[Redis] | None = ()

    @property
    def masters(self) -> Sequence[Redis]:
        """Those that have slots; none before the map was read."""
        if self._masters is None:
            owners = dict.fromkeys(self._owners)
            self._masters = tuple(owner for owner in owners if owner is not None)
        return self._masters

    def owner(self, name: str | bytes) -> Redis | None:
        """The master of the slot of this key or channel, as far as is known."""
        return self._owners[key_slot(name.encode() if isinstance(name, str) else name)]

    def has_replica(self, master: Redis) -> bool:
        """Whether somebody was there to take over from it when the map was read."""
        return master in self._replicated

    async def read_once(self) -> None:
        """Read the map if that was never done. Raises what `read` does."""
        if not self._known:
            async with self._reading:
                if not self._known:  # else somebody else has read it meanwhile
                    await self._read(None)

    async def read(self, first: Redis | None) -> None:
        """Read the map anew, from `first` if it answers. Raises `RedisConnectionError` when no
        node says."""
        async with self._reading:
            await self._read(first)
        await self._close_others()  # apart: one that is frozen takes its time

    def read_soon(self, first: Redis | None = None) -> None:
        """As `read`, in the background, and not too often."""
        if self._in_background is None or self._in_background.done():
            self._in_background = asyncio.create_task(
                self._read_and_pause(first), name="read the slot map"
            )

    def learn(self, moved: MovedError, teller: Redis) -> Redis:
        """The node that has a slot, as one that has it not has answered."""
        host, port = cast(Address, moved.node_addr)
        owner = self.client_at(self.address_of(host, port, teller))
        self._owners[moved.slot_id] = owner
        self._masters = None
        self.read_soon(teller)
        return owner

    def address_of(self, host: str, port: int, teller: Redis) -> Address:
        """Where a node is that another has named. One that names no host means its own."""
        return host if host not in ("", "?") else teller.address[0], port

    def client_at(self, address: Address) -> Redis:
        """The client of the node there."""
        client = self._clients.get(address)
        if client is None:
            client = self._clients[address] = self._connect(address)
            client.address = address
        return client

    async def aclose(self) -> None:
        """Close every connection."""
        if self._in_background is not None:
            self._in_background.cancel()
            await asyncio.wait((self._in_background,))
        for client in list(self._clients.values()):
            await client.aclose()

    # inside

    async def _read_and_pause(self, first: Redis | None) -> None:
        try:
            await self.read(first)
        except RedisConnectionError as error:
            _log.warning("%s", error)
        await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, first: Redis | None) -> None:
        reasons: list[str] = []
        for address in self._candidates(first):
            client = self.client_at(address)
            ask = cast(Callable[[str], Awaitable[list[list[Any]]]], client.execute_command)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    rows = await ask("CLUSTER SLOTS")
                self._believe(client, rows)
                return
            except (RedisError, OSError) as error:
                reasons.append(f"{address[0]}:{address[1]}: {str(error) or type(error).__name__}")
        raise RedisConnectionError(
            f"no node of the cluster says who has what: {'; '.join(reasons)}"
        )

    def _candidates(self, first: Redis | None) -> list[Address]:
        """Whom to ask, in turn: not always the same, which may be frozen or know nothing new."""
        known = random.sample(self._known, len(self._known))
        asked_first = () if first is None else (first.address,)
        return list(dict.fromkeys((*asked_first, *known, *self._seeds)))

    def _believe(self, teller: Redis, rows: list[list[Any]]) -> None:
        """Take an answer for true: rows of first slot, last slot, master, replicas. A slot that it
        does not name stays with whom it was."""
        if not rows:
            raise RedisConnectionError("it knows of no slots")
        owners, replicated, known = list(self._owners), set[Redis](), dict[Address, None]()
        for first, last, *nodes in rows:
            places = [self._address_in(node, teller) for node in nodes]
            master = self.client_at(places[0])
            owners[first : last + 1] = [master] * (last + 1 - first)
            if len(places) > 1:
                replicated.add(master)
            known.update(dict.fromkeys(places))
        self._owners, self._replicated, self._known = owners, replicated, list(known)
        self._masters = None

    def _address_in(self, node: list[Any], teller: Redis) -> Address:
        host = cast(bytes | None, node[0]) or b""
        return self.address_of(host.decode(), int(node[1]), teller)

    async def _close_others(self) -> None:
        """End the connections to whoever is no master any more: it would say so, if it could. Their
        clients stay, one to each place that was ever named: somebody may be connecting over one
        just now, and at the end whatever is open must be found."""
        for client in list(self._clients.values()):
            if client not in self.masters:  # asked each time: it may become one meanwhile
                await client.aclose()
