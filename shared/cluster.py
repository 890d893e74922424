"""Redis Cluster behind the surface of one client: each command goes to the node that has its key.

A node that has it not says who has it (MOVED, ASK) or to come again (TRYAGAIN, while a slot moves):
then the command has not run, and is sent on without a word. Where a connection breaks or a node
does not answer, it may have run: that is told to the caller, as by one server.

redis-py's own cluster client is not used. It sends ASKING and the command that it is for over two
connections; it closes the connections of everybody's calls to every node when one node is down, or
five slots have moved; it starts a thread for each command of a transaction, and waits for it; and
it asks the server again and again where the key of an XREADGROUP is.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio.client import Pipeline
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.cluster_url import ClusterUrl
from shared.redis_server import Redis, connect_server
from shared.servers_url import Address
from shared.slot_map import SlotMap

Command = tuple[tuple[Any, ...], dict[str, Any]]
"""The words of a command, and what redis-py makes of its reply."""

MOST_TRIES = 16
TRY_AGAIN_SECONDS = 0.1
"""Together a little less than a command's time: most slots move in less."""

REPLICA_MS = 200
"""How long is waited for a replica to have what was written. One that is slower, or has just gone,
must not keep messages from being taken."""


def connect_cluster(url: ClusterUrl, timeout_seconds: float) -> "Cluster":
    """A client for the cluster that opens connections when they are needed."""
    scheme = "rediss" if url.is_tls else "redis"

    def connect(address: Address) -> Redis:
        host, port = address
        bracketed = f"[{host}]" if ":" in host else host
        place = f"{scheme}://{bracketed}:{port}/0?{url.options}"
        node = connect_server(place, timeout_seconds, username=url.username, password=url.password)
        node.is_sharded = True
        return node

    return Cluster(SlotMap(url.nodes, connect), timeout_seconds)


class Cluster(Redis):
    """The client of a whole cluster. Raises what the client of one server raises; all keys of one
    command have to be in one slot."""

    is_sharded = True

    def __init__(
        self, slots: SlotMap, timeout_seconds: float, pool: ConnectionPool | None = None
    ) -> None:
        super().__init__(connection_pool=pool)  # which leads nowhere and is never used
        self._slots = slots
        self.timeout_seconds = timeout_seconds

    def nodes(self) -> tuple[Redis, ...]:
        return tuple(self._slots.masters)

    def node_of(self, name: str | bytes) -> Redis | None:
        return self._slots.owner(name)

    async def look_again(self, first: Redis | None = None) -> None:
        await self._slots.read(first)

    def doubt(self) -> None:
        self._slots.read_soon()

    def pinned(self) -> "PinnedCluster":
        pool = self.connection_pool  # making one takes half a millisecond
        return PinnedCluster(self._slots, self.timeout_seconds, pool)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await self._slots.aclose()

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Many commands in one round trip to each node. Raises `ValueError` for a transaction:
        what has to happen together is a script."""
        if transaction:
            raise ValueError("a cluster's pipeline is no transaction")
        return ClusterPipeline(self)

    def publish(self, channel: Any, message: Any, **options: Any) -> Any:
        return self.execute_command("SPUBLISH", channel, message, **options)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        node = await self.find_node(args)
        for _ in range(MOST_TRIES):
            try:
                return await _execute(await self._over(node), args, options)
            except MovedError as moved:
                node = self._slots.learn(moved, node)
            except AskError as elsewhere:
                try:
                    return await self._ask_there(elsewhere, node, args, options)
                except (AskError, TryAgainError):  # not all is there yet, or it moves no more
                    await asyncio.sleep(TRY_AGAIN_SECONDS)
            except TryAgainError:
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            except (RedisConnectionError, ClusterDownError, OSError, asyncio.CancelledError):
                self.doubt()  # somebody else may have its slots by now
                raise
        raise RedisConnectionError("the cluster does not settle who has the key")

    async def find_node(self, words: tuple[Any, ...]) -> Redis:
        """Whom to send this command to. Raises `RedisConnectionError` when nobody says."""
        await self._slots.read_once()
        key = _key_of(words)
        node = random.choice(self._slots.masters) if key is None else self._slots.owner(key)
        if node is None:
            self.doubt()
            raise RedisConnectionError("no node of the cluster has the key's slot")
        return node

    async def send_share(self, node: Redis, commands: list[Command]) -> list[Any]:
        """Send commands to one node together; returns its replies, errors among them. Those that
        are to be sent elsewhere are, one by one."""
        pipeline = node.pipeline(transaction=False)
        for words, options in commands:
            pipeline.execute_command(*words, **options)
        try:
            replies = await pipeline.execute(raise_on_error=False)
        except (RedisConnectionError, OSError) as error:
            self.doubt()
            return [error] * len(commands)
        except asyncio.CancelledError:
            self.doubt()
            raise
        for number, (words, options) in enumerate(commands):
            if isinstance(replies[number], (AskError, TryAgainError)):  # MOVED is an ASK, too
                try:
                    replies[number] = await self.execute_command(*words, **options)
                except (RedisError, OSError) as error:
                    replies[number] = error
        return replies

    # inside

    async def _over(self, node: Redis) -> Redis:
        return node

    async def _ask_there(
        self, elsewhere: AskError, teller: Redis, words: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Send one command to the node that is taking its slot over. Both over one connection: the
        leave that ASKING gives is for the connection's next command."""
        host, port = cast(Address, elsewhere.node_addr)
        address = self._slots.address_of(host, port, teller)
        pinned = self._slots.client_at(address).pinned()
        try:
            await pinned.initialize()
            await _execute(pinned, ("ASKING",), {})
            return await _execute(pinned, words, options)
        finally:
            await pinned.aclose()


class PinnedCluster(Cluster):
    """The same cluster over one connection to each node that is asked, for a few calls."""

    def __init__(self, slots: SlotMap, timeout_seconds: float, pool: ConnectionPool) -> None:
        super().__init__(slots, timeout_seconds, pool)
        self._pinned: dict[Redis, Redis] = {}

    async def hold(self) -> None:
        """See that no connection has broken since it was made, and that a replica, where there is
        one, has what was written over it: nodes forget one by one, and a step at one node may be
        built on a step at another. Raises `RedisConnectionError` for a broken one."""
        for node, pinned in self._pinned.items():
            try:
                await pinned.execute_command("WAIT", int(self._slots.has_replica(node)), REPLICA_MS)
            except ResponseError as error:  # it is a replica itself by now
                raise RedisConnectionError(str(error)) from error

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        for pinned in self._pinned.values():
            await pinned.aclose()

    async def _over(self, node: Redis) -> Redis:
        pinned = self._pinned.get(node)
        if pinned is None:
            pinned = self._pinned[node] = node.pinned()
            await pinned.initialize()
        return pinned


class ClusterPipeline(Pipeline):
    """Commands for any nodes, sent to all of them at the same time."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster.connection_pool, cluster.response_callbacks, False, None)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The replies in the order of the commands. A node that cannot be asked is an error in the
        place of each of its replies, which is raised or returned as every other."""
        commands, self.command_stack = cast(list[Command], self.command_stack), []
        shares: dict[Redis, list[int]] = {}
        for number, (words, _) in enumerate(commands):
            shares.setdefault(await self._cluster.find_node(words), []).append(number)
        replies: dict[int, Any] = {}

        async def send(node: Redis, numbers: list[int]) -> None:
            answers = await self._cluster.send_share(node, [commands[n] for n in numbers])
            replies.update(zip(numbers, answers, strict=True))

        await asyncio.gather(*(send(node, numbers) for node, numbers in shares.items()))
        in_order = [replies[number] for number in range(len(commands))]
        for reply in in_order:
            if raise_on_error and isinstance(reply, Exception):
                raise reply
        return in_order


async def _execute(node: Redis, words: tuple[Any, ...], options: dict[str, Any]) -> Any:
    execute = cast(Callable[..., Awaitable[Any]], node.execute_command)
    return await execute(*words, **options)


def _key_of(words: tuple[Any, ...]) -> str | bytes | None:
    """The key that says where a command belongs; `None` for one that any node can answer."""
    match words[0]:
        case "EVAL" | "EVALSHA":
            return cast(str, words[3])
        case "XREADGROUP":
            return cast(str, words[words.index(b"STREAMS") + 1])
        case _:
            return cast(str, words[1]) if len(words) > 1 else None
