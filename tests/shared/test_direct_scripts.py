"""Scripts called past the client library: the same answers and errors, and every call its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from shared.direct_scripts import DirectScripts
from shared.errors import Unavailable
from shared.ids import SessionId
from shared.keys import Keys, SessionKeys
from shared.redis_client import Redis, RefusedByRedis, connect_redis
from tests.shared.one_session import OneSession, a_namespace
from tests.support.clusters import RunningCluster
from tests.support.eventually import eventually
from tests.support.proxy import Proxy, proxy_before

SESSION = SessionId("s")
QUICK_TIMEOUT_SECONDS = 0.25


@pytest.fixture
async def scripts(client: Redis) -> AsyncGenerator[DirectScripts, None]:
    with closing(DirectScripts(client)) as own:
        yield own


@pytest.fixture
def keys() -> SessionKeys:
    return a_namespace().session(SESSION)


@asynccontextmanager
async def behind_a_proxy(
    server: EmbeddedRedis,
) -> AsyncGenerator[tuple[Proxy, DirectScripts], None]:
    async with (
        proxy_before(server.port) as proxy,
        connect_redis(proxy.url, timeout_seconds=QUICK_TIMEOUT_SECONDS) as client,
    ):
        with closing(DirectScripts(client)) as scripts:
            yield proxy, scripts


async def release(scripts: DirectScripts, keys: SessionKeys, token: int = 1) -> list[str]:
    """A call that changes nothing: there is no such lease."""
    return await scripts.run_for_word("release", keys, token)


async def begin(scripts: DirectScripts, keys: SessionKeys) -> None:
    """The first call sends the script, the second one opens a connection for it."""
    for _ in range(2):
        assert await release(scripts, keys) == ["fenced"]


async def connections(client: Any) -> set[str]:
    """Who is connected to the server, but for the client that asks."""
    own = await client.client_id()
    return {row["id"] for row in await client.client_list() if int(row["id"]) != own}


async def test_a_script_that_the_server_does_not_have_is_sent(
    scripts: DirectScripts, client: Redis, keys: SessionKeys
) -> None:
    """At first, and when the server has forgotten it."""
    await begin(scripts, keys)
    any_client: Any = client
    await any_client.script_flush()
    assert await release(scripts, keys) == ["fenced"]


async def test_one_connection_carries_call_after_call(
    scripts: DirectScripts, client: Redis, keys: SessionKeys
) -> None:
    await begin(scripts, keys)
    before = await connections(client)
    for _ in range(20):
        await release(scripts, keys)
    assert await connections(client) == before


async def test_calls_at_the_same_time_each_get_their_own_reply(
    scripts: DirectScripts, client: Redis
) -> None:
    """Sessions that have messages are told so, and the others not."""
    deployment = a_namespace()
    sessions = [OneSession(client, deployment, f"s-{number}") for number in range(20)]
    await scripts.run("peek", sessions[0].keys)
    for session in sessions[::2]:
        await session.submit()
    calls = [scripts.run("peek", session.keys) for session in sessions]
    heads = [reply[0] is not None for reply in await asyncio.gather(*calls)]
    assert heads == [number % 2 == 0 for number in range(20)]
    await client.delete(deployment.turns())


async def test_what_redis_refuses_is_named_as_by_the_common_client(
    scripts: DirectScripts, client: Redis, keys: SessionKeys
) -> None:
    await begin(scripts, keys)
    any_client: Any = client
    await any_client.set(keys.meta, "no hash", ex=60)
    with pytest.raises(RefusedByRedis, match="WRONGTYPE"):
        await release(scripts, keys)
    await any_client.delete(keys.meta)
    assert await release(scripts, keys) == ["fenced"]


async def test_a_server_that_is_not_there_is_unavailable(keys: SessionKeys) -> None:
    async with connect_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        with closing(DirectScripts(client)) as scripts, pytest.raises(Unavailable):
            await release(scripts, keys)


async def test_a_reply_that_does_not_come_is_given_up(
    redis_server: EmbeddedRedis, keys: SessionKeys
) -> None:
    """Other calls are not held up, and what comes after it is well."""
    async with behind_a_proxy(redis_server) as (proxy, scripts):
        await begin(scripts, keys)
        proxy.swallow(True)
        with pytest.raises(Unavailable, match="no reply"):
            await release(scripts, keys)
        proxy.swallow(False)
        assert await release(scripts, keys) == ["fenced"]


async def test_a_connection_that_breaks_under_a_call_is_unavailable(
    redis_server: EmbeddedRedis, keys: SessionKeys
) -> None:
    async with behind_a_proxy(redis_server) as (proxy, scripts):
        await begin(scripts, keys)
        proxy.swallow(True)
        calling = asyncio.create_task(release(scripts, keys))
        await eventually(lambda: proxy.swallowed_bytes > 0, "Redis has answered")
        proxy.shut(True)
        with pytest.raises(Unavailable):
            await calling
        proxy.swallow(False)
        proxy.shut(False)
        assert await release(scripts, keys) == ["fenced"]


async def test_a_connection_that_broke_while_nobody_called_is_made_anew(
    scripts: DirectScripts, client: Redis, keys: SessionKeys
) -> None:
    any_client: Any = client
    await begin(scripts, keys)
    await any_client.client_kill_filter(_type="normal", skipme=True)
    with suppress(Unavailable):  # where nobody has noticed yet
        await release(scripts, keys)
    assert await release(scripts, keys) == ["fenced"]


async def test_the_reply_to_a_call_that_was_cancelled_is_nobodys(
    redis_server: EmbeddedRedis, client: Redis
) -> None:
    deployment = a_namespace()
    full = OneSession(client, deployment, "full")
    await full.submit()
    async with behind_a_proxy(redis_server) as (proxy, scripts):
        empty = deployment.session(SessionId("empty"))
        for _ in range(2):
            await scripts.run("peek", empty)
        proxy.swallow(True)
        calling = asyncio.create_task(scripts.run("peek", full.keys))
        await eventually(lambda: proxy.swallowed_bytes > 0, "Redis has answered")
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        proxy.swallow(False)
        assert (await scripts.run("peek", empty))[0] is None
    await client.delete(deployment.turns())


async def test_a_client_that_is_given_is_the_one_that_is_asked(
    scripts: DirectScripts, keys: SessionKeys
) -> None:
    await scripts.run("peek", keys)
    async with connect_redis(f"redis://127.0.0.1:{free_port()}/0") as nobody:
        with pytest.raises(Unavailable):
            await scripts.run("peek", keys, client=nobody)


async def test_on_a_cluster_every_session_is_found(cluster: RunningCluster) -> None:
    """Before the client knows who has what, and after."""
    deployment = Keys(a_namespace().namespace)
    async with connect_redis(cluster.url) as client:
        with closing(DirectScripts(client)) as scripts:
            for _ in range(2):
                for number in range(12):
                    keys = deployment.session(SessionId(f"s-{number}"))
                    assert await release(scripts, keys) == ["fenced"]
