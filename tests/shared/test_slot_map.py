"""The map of a cluster, read by many at once: nothing that was opened for it is forgotten."""

import asyncio
from contextlib import suppress
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError

from shared.redis_server import Redis, connect_server
from shared.servers_url import Address
from shared.slot_map import SlotMap
from tests.support.clusters import Node, RunningCluster
from tests.support.eventually import eventually


def connect(address: Address) -> Redis:
    return connect_server(f"redis://{address[0]}:{address[1]}", timeout_seconds=2.0)


async def clients_of(node: Node) -> set[str]:
    """Who is connected to a node, but for who asks and the other nodes."""
    rows: str = await asyncio.to_thread(node.ask, "CLIENT", "LIST", "TYPE", "NORMAL")
    return {row.split()[0] for row in rows.splitlines() if "cmd=client" not in row}


async def test_no_connection_outlives_the_map(cluster: RunningCluster) -> None:
    """Those to a node that is no master are ended whenever the map is read; also one that is only
    just being made."""
    master = await asyncio.to_thread(lambda: cluster.masters()[0])
    replica = await asyncio.to_thread(cluster.replica_of, master)
    before = await clients_of(replica)
    slots = SlotMap([("127.0.0.1", master.port)], connect)
    await slots.read_once()
    for _ in range(20):
        asked: Any = slots.client_at(("127.0.0.1", replica.port))
        (teller,) = [one for one in slots.masters if one.address[1] == master.port]
        with suppress(RedisConnectionError):  # it may be ended while it is made
            await asyncio.gather(asked.ping(), slots.read(first=teller))
    await slots.aclose()

    async def all_are_gone() -> bool:
        return await clients_of(replica) <= before

    await eventually(all_are_gone, "every connection has ended")
