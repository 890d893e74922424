"""What the tests of the examples share: environments, made once, and a system to talk to."""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.examples.environments import install, make_environment, make_environment_beside_the_lock
from tests.support.deployment import ROOT, Deployment, deploy
from tests.support.stub_model import StubModel


@pytest.fixture(scope="session")
async def example_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has what the requirements of the examples say, and nothing else."""
    folder = tmp_path_factory.mktemp("examples")
    python = make_environment(folder / "environment")
    # The client is built where it lies: not in this tree.
    shutil.copytree(ROOT / "clients" / "python", folder / "clients" / "python")
    files = [
        ROOT / "examples" / name / "requirements.txt" for name in ("terminal_chat", "load_fhir")
    ]
    await install(python, *(word for file in files for word in ("-r", str(file))), folder=folder)
    return python


@pytest.fixture(scope="session")
def locked_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment with the locked packages, for agents to add to."""
    folder = tmp_path_factory.mktemp("locked") / "environment"
    make_environment_beside_the_lock(folder)
    return folder


@pytest.fixture(scope="module")
async def system_of_examples(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway, and a worker with the clinical assistant."""
    folder = tmp_path_factory.mktemp("talking")
    environment = stub.environment() | {"LINGER_SECONDS": "0.1"}
    async with deploy(redis_server, folder, **environment) as own:
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()
