"""What the tests share: one server, one model, one running system."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.stub_model import StubModel, stub_model


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One real server for all tests that do not kill it. Each test cleans up or uses its own
    ids."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def stub() -> AsyncGenerator[StubModel, None]:
    """The language model of all tests: it says what the test scripts for its own questions."""
    async with stub_model() as model:
        yield model


@pytest.fixture
async def deployment(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> AsyncGenerator[Deployment, None]:
    """An empty deployment of the test's own, with short leases; nothing may be left of it."""
    environment = stub.environment() | {"LEASE_SECONDS": "2", "LINGER_SECONDS": "0.1"}
    async with deploy(redis_server, tmp_path, **environment) as own:
        yield own
        await own.check_nothing_is_left()


@pytest.fixture(scope="session")
async def system(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """Two gateways and a worker that many tests share; each test has a session of its own."""
    folder = tmp_path_factory.mktemp("system")
    async with deploy(redis_server, folder, **stub.environment()) as shared:
        await shared.start_gateway()
        await shared.start_gateway()
        await shared.start_worker()
        yield shared
        await shared.check_nothing_is_left()


@pytest.fixture
def chat(system: Deployment, stub: StubModel) -> Chat:
    """A conversation of the test's own, on the shared system."""
    return Chat(system, stub)
