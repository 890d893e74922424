"""A gateway that is connected to Redis and hears nothing, while all else looks healthy."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.log_writer import writing_to
from tests.gateway.raw_tab import a_session, connected
from tests.gateway.signs import until_ready_is
from tests.support.deployment import Deployment, deploy
from tests.support.proxy import Proxy, proxy_before


@pytest.fixture
async def proxied(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> AsyncGenerator[tuple[Deployment, Proxy], None]:
    """A deployment whose gateways reach Redis through a proxy that can lose what it sends."""
    async with (
        proxy_before(redis_server.port) as proxy,
        deploy(redis_server, tmp_path, **SMALL) as own,
    ):
        own.redis_url = proxy.url
        await own.start_gateway()
        own.redis_url = redis_server.url
        yield own, proxy
        proxy.swallow(False)
        await forget_unanswered(own)
        await own.check_nothing_is_left()


async def test_a_gateway_that_is_connected_but_deaf_is_not_ready(
    proxied: tuple[Deployment, Proxy],
) -> None:
    """Every connection is open and nothing comes: readiness hangs on what arrives."""
    deployment, proxy = proxied
    gateway = deployment.processes[0]
    proxy.swallow(True)
    await until_ready_is(gateway, 503)
    proxy.swallow(False)
    await until_ready_is(gateway, 200)
    async with connected(gateway, a_session()) as tab:
        await tab.is_usable()


async def test_a_deaf_subscription_is_made_anew_and_its_tabs_miss_nothing(
    proxied: tuple[Deployment, Proxy],
) -> None:
    """Commands work, the subscription is open, and nothing is published to it: it heals itself."""
    deployment, proxy = proxied
    gateway = deployment.processes[0]
    session_id = a_session()
    async with (
        connected(gateway, session_id) as tab,
        writing_to(deployment.redis_url, deployment.keys) as writer,
    ):
        proxy.deafen_subscribers()
        contents = [f"message {number}" for number in range(5)]
        for content in contents:
            await writer.say(session_id, content)
        await tab.until_contents(*contents)
        await tab.until("connection", status="reconnecting")
        assert (await tab.until("connection", status="connected"))["reset"] is False
        await until_ready_is(gateway, 200)
        await writer.say(session_id, "heard live")
        await tab.until_contents(*contents, "heard live")
    assert proxy.swallowed_bytes > 0
    assert "deaf" in gateway.log()
