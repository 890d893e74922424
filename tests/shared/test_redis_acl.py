"""The users of `deploy/redis-users.acl`: each may do all that it needs, and nothing else.

No right is listed here once more. Each right of the file is taken away or halved, one by one, and
then something that its process asks of Redis must be refused.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack
from typing import Any, cast
from uuid import uuid4

import pytest
import redis.asyncio as redis_asyncio
from redis.crc import key_slot
from redis.exceptions import NoPermissionError

from dev.embedded_redis import EmbeddedRedis
from shared.ids import SessionId, make_turn_id
from shared.inbox import Inbox
from shared.keys import Keys
from shared.redis_client import Redis, connect_redis
from shared.sentinel import PrimaryPool, Sentinels, SentinelUrl
from shared.servers_url import Address
from tests.shared.one_session import OneSession
from tests.support.clusters import RunningCluster
from tests.support.redis_exchanges import EXCHANGES, Exchange
from tests.support.redis_users import LOGIN, PASSWORD, Rules, read_rules, setting, with_less

KEYS = Keys(f"acl-{uuid4().hex[:8]}")
PROCESSES = [user for user in EXCHANGES if user != "observer"]
LOOK_SECONDS = 0.005
END_SECONDS = 0.2
FOR_CLUSTERS = (
    *("+role", "+wait", "+asking", "+cluster|slots", "+sunsubscribe"),
    *("(+spublish", "(+ssubscribe"),
)
"""Rights, and beginnings of selectors, that one server alone is not asked for."""
ELSEWHERE = ("+asking", "+role")
"""What tests of their own take away."""


class Guarded:
    """Servers where the users have the rights that a test gives them."""

    def __init__(
        self, url: str, ports: Sequence[int], admins: Sequence["redis_asyncio.Redis"]
    ) -> None:
        self.url = url
        self.ports = ports
        self._admins = admins

    def url_of(self, user: str) -> str:
        return self.url.replace("://", f"://{user}:{LOGIN}@", 1)

    async def ask(self, *words: str) -> list[Any]:
        """What each server answers."""
        return [await cast(Any, admin).execute_command(*words) for admin in self._admins]

    async def refused(self) -> list[Any]:
        """What was refused since the user was given its rights."""
        return [entry for log in await self.ask("ACL", "LOG") for entry in log]

    async def refusals(self, user: str, rules: Rules, exchanges: Sequence[Exchange]) -> list[Any]:
        """What is refused first when the user has just these rights; nothing, if it all works."""
        await self.ask(*setting(user, rules))
        await self.ask("ACL", "LOG", "RESET")
        running = asyncio.create_task(self._run(user, exchanges))
        while not running.done() and not await self.refused():
            await asyncio.wait((running,), timeout=LOOK_SECONDS)
        refused = await self.refused()
        if not refused:
            await running
        # It ends by that, but where it waits for a subscription.
        await asyncio.wait((running,), timeout=END_SECONDS)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return refused

    async def _run(self, user: str, exchanges: Sequence[Exchange]) -> None:
        async with connect_redis(self.url_of(user)) as own, connect_redis(self.url) as admin:
            for exchange in exchanges:
                session_id = f"s-{uuid4()}"
                mine = OneSession(own, KEYS, session_id, log_max_events=1)
                others = OneSession(admin, KEYS, session_id)
                await others.client.delete(KEYS.turns())
                try:
                    await exchange(mine, others)
                finally:
                    await others.inbox.delete_session(others.id)
                    await others.client.delete(KEYS.turns())


@pytest.fixture
async def server(redis_server: EmbeddedRedis) -> AsyncGenerator[Guarded, None]:
    async for guarded in _guard(redis_server.url, [redis_server.port]):
        yield guarded


@pytest.fixture
async def nodes(cluster: RunningCluster) -> AsyncGenerator[Guarded, None]:
    async for guarded in _guard(cluster.url, [node.port for node in cluster.nodes]):
        yield guarded


async def _guard(url: str, ports: Sequence[int]) -> AsyncGenerator[Guarded, None]:
    async with AsyncExitStack() as stack:
        clients = [redis_asyncio.Redis(port=port) for port in ports]
        for client in clients:
            await stack.enter_async_context(client)
        guarded = Guarded(url, ports, clients)
        yield guarded
        await guarded.ask("ACL", "DELUSER", *EXCHANGES)
        await guarded.ask("ACL", "LOG", "RESET")


def is_for_clusters(missing: str) -> bool:
    word, _, part = missing.partition(" in ")
    return word in FOR_CLUSTERS or part.startswith(FOR_CLUSTERS)


@pytest.mark.parametrize("user", EXCHANGES)
async def test_a_user_may_do_all_that_its_process_asks(server: Guarded, user: str) -> None:
    rules = read_rules(user, KEYS.namespace)
    assert await server.refusals(user, rules, EXCHANGES[user]) == []


@pytest.mark.parametrize("user", PROCESSES)
async def test_on_a_cluster_too(nodes: Guarded, user: str) -> None:
    rules = read_rules(user, KEYS.namespace)
    assert await nodes.refusals(user, rules, EXCHANGES[user]) == []


@pytest.mark.parametrize("user", EXCHANGES)
def test_each_part_of_the_rules_is_for_one_command_or_for_one_name(user: str) -> None:
    """So what is taken away below is a command for a name, and no pair of the two is left out."""
    for part in read_rules(user)[1:]:
        commands = [word for word in part if word.startswith("+")]
        assert 1 in (len(commands), len(part) - len(commands)), part


@pytest.mark.parametrize("user", EXCHANGES)
async def test_no_right_can_be_taken_away(server: Guarded, user: str) -> None:
    """Or halved, where a key may be both read and written."""
    unneeded: list[str] = []
    for missing, rules in with_less(read_rules(user, KEYS.namespace)):
        is_asked = user not in PROCESSES or not is_for_clusters(missing)
        if is_asked and not await server.refusals(user, rules, EXCHANGES[user]):
            unneeded.append(missing)
    assert unneeded == []


@pytest.mark.parametrize("user", PROCESSES)
async def test_nor_one_of_those_that_a_cluster_asks_for(nodes: Guarded, user: str) -> None:
    unneeded: list[str] = []
    for missing, rules in with_less(read_rules(user, KEYS.namespace)):
        is_asked = is_for_clusters(missing) and not missing.startswith(ELSEWHERE)
        if is_asked and not await nodes.refusals(user, rules, EXCHANGES[user]):
            unneeded.append(missing)
    assert unneeded == []


@pytest.mark.parametrize("user", PROCESSES)
async def test_asking_is_for_a_slot_that_moves(
    nodes: Guarded, cluster: RunningCluster, user: str
) -> None:
    root, *selectors = read_rules(user, KEYS.namespace)
    less = [[word for word in root if word != "+asking"], *selectors]
    channel = KEYS.channel(SessionId("moving"))
    source = await asyncio.to_thread(cluster.master_of, channel)
    target = next(node for node in cluster.masters() if node is not source)
    slot = key_slot(channel.encode())

    async def look(mine: OneSession, others: OneSession) -> None:
        moving = OneSession(mine.client, KEYS, "moving")
        assert await moving.inbox.admit(moving.id, make_turn_id()) == (False, 0)

    target.ask("CLUSTER SETSLOT", slot, "IMPORTING", source.id)
    source.ask("CLUSTER SETSLOT", slot, "MIGRATING", target.id)
    try:
        assert await nodes.refusals(user, [root, *selectors], [look]) == []
        assert await nodes.refusals(user, less, [look]) != []
    finally:
        for node in (target, source):
            node.ask("CLUSTER SETSLOT", slot, "STABLE")


@pytest.mark.parametrize("user", PROCESSES)
async def test_role_is_for_sentinel(server: Guarded, user: str) -> None:
    """Each connection asks its server whether it is the primary."""
    root, *selectors = read_rules(user, KEYS.namespace)
    less = [[word for word in root if word != "+role"], *selectors]

    class Certain(Sentinels):
        async def discover_master(self, service_name: str) -> Address:
            return "127.0.0.1", server.ports[0]

    async def look(mine: OneSession, others: OneSession) -> None:
        pool = PrimaryPool(SentinelUrl((), "main", username=user, password=PASSWORD), 1.0)
        pool.sentinel_manager = Certain(())
        async with Redis.from_pool(pool) as client:
            await Inbox(cast(Redis, client), KEYS, session_ttl=600, log_max_events=10).admit(
                mine.id, make_turn_id()
            )

    assert await server.refusals(user, [root, *selectors], [look]) == []
    assert await server.refusals(user, less, [look]) != []


SESSION = KEYS.session(SessionId("s-1"))
TO_NOBODY = [
    *("KEYS *", "FLUSHALL", "CONFIG GET *", "ACL LIST", "MONITOR", "SCRIPT FLUSH", "SHUTDOWN"),
    *("CLIENT LIST", "REPLICAOF NO ONE", "SELECT 1", "SWAPDB 0 1"),
    *("GET session:{s-1}:deleted", "XRANGE session:{s-1}:log - +", "XADD turns * a b"),
    "PUBLISH session:{s-1} x",
]
"""The last of them are in another deployment's namespace."""
TO_ONE = {
    "gateway": [f"GET {SESSION.history}", f"GET {SESSION.lease}", f"SET {SESSION.lease} 1"],
    "worker": [f"GETDEL {KEYS.ticket('x')}", f"BLPOP {KEYS.reply('x')} 1", "SCAN 0"],
    "operator": [f"GET {SESSION.history}", f"DEL {SESSION.log}", f"XRANGE {KEYS.turns()} - +"],
    "observer": [
        *(f"GET {SESSION.history}", f"LRANGE {SESSION.inbox} 0 -1", f"HGETALL {SESSION.meta}"),
        *(f"XRANGE {KEYS.turns()} - +", f"LRANGE {KEYS.reply('x')} 0 -1", "EVAL return 0"),
        *(f"GET {KEYS.ticket('x')}", f"XADD {SESSION.log} * a b", f"PUBLISH {SESSION.channel} x"),
    ],
}


@pytest.mark.parametrize("user", EXCHANGES)
async def test_what_is_none_of_its_business_is_refused(server: Guarded, user: str) -> None:
    """Everybody's sample: what is secret, what stops the server, what is another deployment's."""
    await server.ask(*setting(user, read_rules(user, KEYS.namespace)))
    async with redis_asyncio.from_url(server.url_of(user)) as client:
        for command in (*TO_NOBODY, *TO_ONE[user]):
            with pytest.raises(NoPermissionError):
                await cast(Any, client).execute_command(*command.split())
