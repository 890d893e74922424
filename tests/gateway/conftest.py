"""What the tests of the gateway's edge share: two gateways and nobody who answers."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from dev.embedded_redis import EmbeddedRedis
from shared.keys import Keys
from tests.gateway.log_writer import LogWriter, writing_to
from tests.gateway.manager_bench import Bench, build_bench
from tests.gateway.signing_in import WITH_TOKENS
from tests.support.deployment import Deployment, deploy

MAX_INBOX = 60
SMALL = {
    "HEADS_SECONDS": "0.5",
    "HEARTBEAT_SECONDS": "1",
    "LINGER_SECONDS": "0.1",
    "MAX_INBOX": str(MAX_INBOX),
    "MAX_TAB_BUFFER_BYTES": "65536",
    "PAGE_EVENTS": "16",
}
"""Every bound small, so that a test reaches it soon."""
SOCKETS = pytest.mark.parametrize("edge", ["wire", "asgi"], indirect=True)
"""For tests of what only a socket has: frames of any kind, a handshake, closes."""
EITHER_WAY = pytest.mark.parametrize("own_edge", ["wire", "events"], indirect=True)


@asynccontextmanager
async def two_gateways(
    redis_server: EmbeddedRedis, folder: Path, way: str, environment: Mapping[str, str]
) -> AsyncGenerator[Deployment, None]:
    """Two gateways and no worker, for one of the ways to a tab: a socket on the product's path or
    on the plain one (`wire`, `asgi`), or an event stream (`events`)."""
    async with deploy(redis_server, folder, **environment) as shared:
        shared.way = way
        start = shared.start_development_gateway if way == "asgi" else shared.start_gateway
        await start()
        await start()
        yield shared
        await forget_unanswered(shared)
        await shared.check_nothing_is_left()


@pytest.fixture(scope="session", params=["wire", "asgi", "events"])
async def edge(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """Two gateways without a worker: what a tab is given is what the test itself wrote. For each of
    the ways to a tab; `SOCKETS` leaves out what is no socket."""
    folder = tmp_path_factory.mktemp("edge")
    async with two_gateways(redis_server, folder, request.param, SMALL) as shared:
        yield shared


@pytest.fixture(scope="session", params=["wire", "asgi"])
async def guarded(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """Two gateways that ask for tokens, on each of the two paths to a socket."""
    folder = tmp_path_factory.mktemp("guarded")
    async with two_gateways(redis_server, folder, request.param, SMALL | WITH_TOKENS) as shared:
        yield shared


@pytest.fixture
async def own_edge(
    request: pytest.FixtureRequest, redis_server: EmbeddedRedis, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """As `edge`, for a test that needs settings of its own or ends a gateway: none has started. Its
    tabs are sockets, but for a test with `EITHER_WAY`."""
    async with deploy(redis_server, tmp_path, **SMALL) as own:
        own.way = getattr(request, "param", "wire")
        yield own
        await forget_unanswered(own)
        await own.check_nothing_is_left()


@pytest.fixture
async def writer(edge: Deployment) -> AsyncGenerator[LogWriter, None]:
    """Writes into the logs of `edge`."""
    async with writing_to(edge.redis_url, edge.keys) as own:
        yield own


async def forget_unanswered(deployment: Deployment) -> None:
    """Nobody answers here: the promises in the work stream are the test's own to drop."""
    async with deployment.client() as client:
        await client.delete(deployment.keys.turns())


@pytest.fixture
async def bench(redis_server: EmbeddedRedis) -> AsyncGenerator[Bench, None]:
    """A connection manager in this process, with a session of its own."""
    async with writing_to(redis_server.url, Keys(f"m{uuid4().hex[:8]}")) as own:
        yield build_bench(own)
        # A page that is still asked for would be asked for over a connection that nobody ends.
        reads = [task for task in asyncio.all_tasks() if task.get_name().startswith("read ")]
        for task in reads:
            task.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
