"""The whole product as the users of `deploy/redis-users.acl`, on a cluster and under Sentinel."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.clusters import RunningCluster, ask_server
from tests.support.deployment import Deployment, Process, deploy
from tests.support.redis_users import LOGIN, read_rules, setting
from tests.support.sentinels import OPTIONS, replica_of, under_sentinels
from tests.support.stub_model import StubModel
from tests.support.whole_story import LIMITS, SHORT, tell_whole_story

USERS = ("gateway", "worker")


@asynccontextmanager
async def with_users(deployment: Deployment, ports: Sequence[int]) -> AsyncGenerator[None, None]:
    """The servers at these ports have the users, for the block, and refuse none of them
    anything."""
    for port in ports:
        for user in USERS:
            rules = read_rules(user, deployment.namespace)
            ask_server(port, *setting(user, rules))
        ask_server(port, "ACL", "LOG", "RESET")
    try:
        yield
        assert [ask_server(port, "ACL", "LOG") for port in ports] == [[] for _ in ports]
    finally:
        for port in ports:
            ask_server(port, "ACL", "DELUSER", *USERS)


async def tell_story_as_users(deployment: Deployment, stub: StubModel, url: str) -> None:
    def url_of(user: str) -> str:
        return url.replace("://", f"://{user}:{LOGIN}@")

    async def start_gateway() -> Process:
        return await deployment.start_gateway(redis_url=url_of("gateway"), **LIMITS)

    async def start_worker() -> Process:
        return await deployment.start_worker(redis_url=url_of("worker"))

    await tell_whole_story(Chat(deployment, stub), start_gateway, start_worker)
    await deployment.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cluster", ["redis-server"], indirect=True)
async def test_on_a_cluster_nothing_is_refused(
    cluster: RunningCluster, stub: StubModel, tmp_path: Path
) -> None:
    async with deploy(cluster, tmp_path, **stub.environment(), **SHORT) as own:
        async with with_users(own, [node.port for node in cluster.nodes]):
            await tell_story_as_users(own, stub, cluster.url)
        await own.check_nothing_is_left(await asyncio.to_thread(cluster.master_urls))


@pytest.mark.timeout(120)
async def test_under_sentinel_nothing_is_refused(stub: StubModel, tmp_path: Path) -> None:
    """The sentinels themselves are asked without a user."""
    primary = EmbeddedRedis(tmp_path / "primary", options=OPTIONS)
    primary.start()
    replica = EmbeddedRedis(tmp_path / "replica", options=replica_of(primary.port))
    replica.start()
    try:
        with under_sentinels(tmp_path, primary, replica, count=1) as sentinels:
            async with deploy(primary, tmp_path, **stub.environment(), **SHORT) as own:
                async with with_users(own, [primary.port]):
                    await tell_story_as_users(own, stub, sentinels.url)
                await own.check_nothing_is_left()
    finally:
        replica.stop()
        primary.stop()
