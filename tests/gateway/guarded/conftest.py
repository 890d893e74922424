"""Here, a gateway is one that asks for tokens."""

from collections.abc import AsyncGenerator

import pytest

from tests.gateway.log_writer import LogWriter, writing_to
from tests.support.deployment import Deployment, Process


@pytest.fixture
def gateway(guarded: Deployment) -> Process:
    """The first of the two."""
    return guarded.processes[0]


@pytest.fixture
async def writer(guarded: Deployment) -> AsyncGenerator[LogWriter, None]:
    """Writes into the logs of `guarded`."""
    async with writing_to(guarded.redis_url, guarded.keys) as own:
        yield own
