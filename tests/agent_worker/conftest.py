"""What tests of failures share: a worker whose agent's tools go wrong in every way."""

import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.failing import AGENT
from tests.support.stub_model import StubModel

# How long an example takes is the machine's affair.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture
def fresh_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is forgotten after it, as if its process had ended."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture(scope="session")
def agent_py(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clumsy") / "clumsy_agent.py"
    file.write_text(AGENT)
    return file


@pytest.fixture(scope="session")
async def clumsy(
    redis_server: EmbeddedRedis,
    stub: StubModel,
    agent_py: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """A gateway and a worker with that agent."""
    folder = tmp_path_factory.mktemp("failures")
    async with deploy(redis_server, folder, **stub.environment()) as deployment:
        await deployment.start_gateway()
        await deployment.start_worker(agent=f"{agent_py}:agent")
        yield deployment
        await deployment.check_nothing_is_left()


@pytest.fixture
def clumsy_chat(clumsy: Deployment, stub: StubModel) -> Chat:
    return Chat(clumsy, stub)
