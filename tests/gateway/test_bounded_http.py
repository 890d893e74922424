"""A peer that never finishes what it says, or never takes what it is told, is cut."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.gateway.conftest import SMALL
from tests.gateway.raw_tab import a_session, connected
from tests.gateway.signs import refusals
from tests.support.deployment import Deployment, Process, deploy

WAIT_SECONDS = 20.0
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
ENDLESS = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: "


@pytest.fixture(scope="module")
async def gateway(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Process, None]:
    """A gateway that waits for no request for long."""
    bounds = SMALL | {"REQUEST_SECONDS": "1", "MAX_HEAD_BYTES": "4096", "STALL_SECONDS": "2"}
    async with deploy(redis_server, tmp_path_factory.mktemp("bounded"), **bounds) as own:
        yield await own.start_gateway()


class Peer:
    """A TCP connection of the test's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hear(self, count: int = 65536) -> bytes:
        """What comes next; empty when the gateway has hung up."""
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                return await self._reader.read(count)
            except ConnectionError:
                return b""

    async def hear_all(self) -> bytes:
        """Everything until the gateway hangs up."""
        heard = b""
        while piece := await self.hear():
            heard += piece
        return heard

    async def say_until_cut(self, piece: bytes) -> None:
        """Say it again and again, until the gateway hangs up."""
        cut = asyncio.create_task(self.hear_all())
        while not cut.done():
            try:
                await self.say(piece)
            except ConnectionError:
                return
            await asyncio.wait({cut}, timeout=0.05)


@asynccontextmanager
async def peer_of(gateway: Process) -> AsyncGenerator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        b"\r\n",
        b"GET /ws?session_id=a HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
        b"POST /patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 60\r\n\r\n{",
        GET + b"GET /he",
    ],
    ids=["nothing", "a letter", "a line end", "half a handshake", "half a body", "a second one"],
)
async def test_a_request_that_does_not_arrive_is_cut(gateway: Process, beginning: bytes) -> None:
    """After `REQUEST_SECONDS`, with a metric. A request that was whole has been answered."""
    before = await refusals(gateway, "slow")
    async with peer_of(gateway) as peer:
        await peer.say(beginning)
        heard = await peer.hear_all()
    assert heard.count(b"HTTP/1.1 200 OK") == beginning.count(GET)
    assert await refusals(gateway, "slow") == before + 1


async def test_a_byte_now_and_then_keeps_no_connection_open(gateway: Process) -> None:
    """Slow loris: each header line alone is quick enough."""
    before = await refusals(gateway, "slow")
    async with peer_of(gateway) as peer:
        await peer.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        await peer.say_until_cut(b"X: y\r\n")
    assert await refusals(gateway, "slow") == before + 1


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(ENDLESS, b"x" * 1024), (b"GET /" + b"x" * 100, b"x" * 1024), (ENDLESS, b"y\r\nX: z" * 99)],
    ids=["a header without an end", "a line without an end", "headers without an end"],
)
async def test_a_head_without_an_end_is_refused(
    gateway: Process, beginning: bytes, piece: bytes
) -> None:
    """431 at `MAX_HEAD_BYTES`, however it comes."""
    async with peer_of(gateway) as peer:
        await peer.say(beginning)
        for _ in range(4096 // len(piece) + 1):
            await peer.say(piece)
        assert (await peer.hear_all()).startswith(b"HTTP/1.1 431 ")


async def test_a_whole_head_is_bounded_too(gateway: Process) -> None:
    """One that comes in a single read, with its end."""
    before = await refusals(gateway, "head")
    for head in (b"X: " + b"y" * 5000, b"X: y\r\n" * 1000 + b"X: y"):
        async with peer_of(gateway) as peer:
            await peer.say(GET.replace(b"\r\n\r\n", b"\r\n" + head + b"\r\n\r\n"))
            assert (await peer.hear_all()).startswith(b"HTTP/1.1 431 ")
    assert await refusals(gateway, "head") == before + 2


async def test_a_head_within_the_bound_passes(gateway: Process) -> None:
    """Also the second one of a connection: each counts for itself."""
    async with peer_of(gateway) as peer:
        for _ in range(3):
            await peer.say(GET.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 3000 + b"\r\n\r\n"))
            heard = b""
            while not heard.endswith(b"}"):
                heard += await peer.hear()
            assert heard.startswith(b"HTTP/1.1 200 OK")


async def test_a_request_that_is_answered_before_its_end_is_the_last(gateway: Process) -> None:
    """What still comes is read, and then the connection ends."""
    body = b"x" * 200_000
    head = b"POST /patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with peer_of(gateway) as peer:
        await peer.say(head + b"Content-Length: 200000\r\n\r\n" + body[:100_000])
        assert (await peer.hear()).startswith(b"HTTP/1.1 413 ")
        await peer.say(body[100_000:])
        await peer.hear_all()


async def test_an_open_tab_is_not_cut(gateway: Process) -> None:
    """Its handshake has arrived; what else it says is its own affair."""
    async with connected(gateway, a_session()) as tab:
        before = await refusals(gateway, "slow")
        async with peer_of(gateway) as slow:
            assert await slow.hear_all() == b""
        assert await refusals(gateway, "slow") == before + 1
        await tab.is_usable()


async def test_more_connections_than_there_may_be_are_cut_at_once(
    own_edge: Deployment,
) -> None:
    """`MAX_TABS` and a thousand; the tabs that are there stay."""
    gateway = await own_edge.start_gateway(MAX_TABS="1")
    async with connected(gateway, a_session()) as tab:
        streams = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(1010)]
        try:
            assert await Peer(*streams[-1]).hear() == b""
            await tab.is_usable()
        finally:
            for _, writer in streams:
                writer.close()
    assert await refusals(gateway, "connections") >= 1


CHUNKED = (
    b"POST /tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (CHUNKED + b"0\r\n", b"x: y\r\n" * 100),
        (CHUNKED + b"0\r\nx: ", b"y" * 1000),
        (CHUNKED, b"1;" + b"e" * 100_000 + b"\r\n{\r\n"),
        (GET * 3, GET * 100),
    ],
    ids=["trailers", "a trailer", "chunks that are all about chunks", "requests"],
)
async def test_what_comes_behind_a_head_has_a_bound_too(
    gateway: Process, beginning: bytes, piece: bytes
) -> None:
    """Trailers, the lengths of chunks, and requests that wait for others: cut before they end."""
    async with peer_of(gateway) as peer:
        await peer.say(beginning)
        await peer.say_until_cut(piece)


async def test_two_requests_at_once_are_answered_in_their_order(gateway: Process) -> None:
    """A client may send its second request before the first one's answer (RFC 9112, 9.3.2)."""
    async with peer_of(gateway) as peer:
        await peer.say(GET + GET.replace(b"/healthz", b"/nothing"))
        heard = b""
        while heard.count(b"HTTP/1.1 ") < 2 or not heard.endswith(b"}"):
            heard += await peer.hear()
        assert heard.index(b"200 OK") < heard.index(b"404 Not Found")
