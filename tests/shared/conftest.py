"""What tests of `shared` get: a client and a session of their own, on each kind of server."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.redis_client import Redis, connect_redis
from tests.shared.one_session import OneSession, a_namespace
from tests.support.clusters import RunningCluster, running_cluster


@pytest.fixture(scope="session", params=["", "redis-server"], ids=["valkey", "redis"])
def redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedRedis]:
    """Everything that the scripts promise holds on the embedded Valkey and on Redis itself."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), program=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["", "redis-server"], ids=["valkey", "redis"])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningCluster]:
    """A cluster that is whole. A test that kills one of its nodes starts it again."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), request.param) as running:
        yield running


@pytest.fixture
async def client(redis_server: EmbeddedRedis) -> AsyncGenerator[Redis, None]:
    async with connect_redis(redis_server.url) as own:
        yield own


@pytest.fixture
async def session(client: Redis) -> AsyncGenerator[OneSession, None]:
    """A session in a namespace of its own. What a test leaves of it must be going to expire."""
    one = OneSession(client, a_namespace())
    yield one
    await one.check_keys_expire_together()
    await one.client.delete(one.deployment.turns())


@pytest.fixture
def own_server(tmp_path: Path) -> EmbeddedRedis:
    """A server, not started, that the test may kill; it keeps what it had (append-only file)."""
    return EmbeddedRedis(tmp_path / "redis", append_only=True)
