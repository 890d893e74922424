"""How many connections one address may have that are no tabs and that nothing is answered to: else
a handful of machines could take every place that a gateway has for newcomers."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.abuse.peer import Cut, Peer, connect, request, upgrade
from tests.gateway.conftest import SMALL
from tests.gateway.raw_tab import a_session
from tests.gateway.signs import refusals
from tests.support.deployment import Process, deploy
from tests.support.eventually import eventually

MOST = 10
PROXY, CROWDED, OTHER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
"""Addresses of this machine. The first is a trusted proxy's, as it is by default."""
HOST = b"localhost"
GET = request(b"GET", b"/healthz", host=HOST)
HALF = b"POST /tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n{"


@pytest.fixture(scope="module")
async def gateway(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Process, None]:
    """A gateway that has few places for each address, and patience."""
    environment = SMALL | {"MAX_ADDRESS_WAITING": str(MOST), "REQUEST_SECONDS": "60"}
    async with deploy(redis_server, tmp_path_factory.mktemp("waiting"), **environment) as own:
        yield await own.start_gateway()
        await own.check_nothing_is_left()


class Crowd(AsyncExitStack):
    """Connections to one gateway, which end with the block."""

    def __init__(self, gateway: Process) -> None:
        super().__init__()
        self._gateway = gateway

    async def come(self, source: str, data: bytes = b"", count: int = 1) -> list[Peer]:
        """So many more from this address, each of which says this."""
        peers = [await connect(self._gateway.port, source) for _ in range(count)]
        for peer in peers:
            self.callback(peer.drop)
            peer.say(data)
        return peers

    async def is_served(self, source: str) -> bool:
        """Whether one more that comes from there is answered."""
        (peer,) = await self.come(source, GET)
        try:
            return (await peer.answer()).status == 200
        except Cut:
            return False
        finally:
            peer.drop()


@pytest.mark.parametrize(
    ("data", "answers"),
    [(b"", 0), (GET[:-2], 0), (HALF, 0), (GET, 1), (GET + HALF, 1)],
    ids=["silent", "half a head", "half a body", "done", "half a second one"],
)
async def test_so_many_of_one_address_may_wait(gateway: Process, data: bytes, answers: int) -> None:
    """One more is cut, and counted. Others are served, and so is the address when they are gone."""
    before = await refusals(gateway, "address_waiting")
    async with Crowd(gateway) as crowd:

        async def is_served() -> bool:
            return await crowd.is_served(CROWDED)

        await eventually(is_served, "those of the last test are gone")
        for peer in await crowd.come(CROWDED, data, MOST):
            for _ in range(answers):
                assert (await peer.answer()).status == 200
        assert not await crowd.is_served(CROWDED)
        assert await crowd.is_served(OTHER)
        assert await crowd.is_served(PROXY)
    assert await refusals(gateway, "address_waiting") > before


async def test_tabs_and_streams_do_not_wait(gateway: Process) -> None:
    """They have limits of their own."""
    async with Crowd(gateway) as crowd:
        for _ in range(MOST + 1):
            query = b"session_id=" + a_session().encode()
            (tab,) = await crowd.come(OTHER, upgrade(query, host=HOST))
            assert (await tab.answer()).status == 101
            events = b"/sessions/%s/events" % a_session().encode()
            (stream,) = await crowd.come(OTHER, request(b"GET", events, host=HOST))
            assert (await stream.answer()).status == 200
        assert await crowd.is_served(OTHER)


async def test_a_trusted_proxy_has_everybodys_connections(gateway: Process) -> None:
    async with Crowd(gateway) as crowd:
        await crowd.come(PROXY, count=2 * MOST)
        assert await crowd.is_served(PROXY)
