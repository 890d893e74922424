"""What the client's tests share: a gateway that does what the test says."""

from collections.abc import AsyncGenerator

import pytest
from fake_gateway import FakeGateway, fake_gateway


@pytest.fixture
async def gateway() -> AsyncGenerator[FakeGateway, None]:
    """A gateway of the test's own, which does what the test says and nothing else."""
    async with fake_gateway() as own:
        yield own
