"""deploy/nginx.conf at work: Debian's nginx before servers that show what it does with requests."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import pytest

from dev.embedded_redis import free_port
from gateway.client_frames import MAX_MESSAGE_BYTES
from gateway.settings import GatewaySettings
from tests.deploy.files import SERVICES, image_environment, seconds_of
from tests.docs.markdown import ROOT
from tests.support.front_proxy import (
    CONFIG,
    FrontProxy,
    proxy_before,
    start_nginx,
    write_config,
)

DIRECTIVES = re.sub(r"#.*", "", CONFIG)
ADDRESSES = ("127.0.0.2", "127.0.0.3")
"""Of the servers in the places of gateways."""
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
DRAINING = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n"
    b"Connection: close\r\n\r\nbusy"
)
HANGS_UP = b""
TIMES = 30
"""Which of two addresses is asked first is chance: in so many tries each of them is."""
SECRET = "a-session-nobody-else-knows"


@dataclass
class Upstream:
    """A server that answers every request with the same bytes, or hangs up."""

    says: bytes
    heard: list[str] = field(default_factory=lambda: [])
    """Lines and headers of the requests."""
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    holds: bool = False
    """Whether the connection stays open after the answer until `may_end`."""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heard.append(head)
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(self.says)
            await writer.drain()
            if self.holds:
                await self.may_end.wait()
        except asyncio.IncompleteReadError:
            pass  # nobody's request: the proxy has looked whether somebody listens
        finally:
            writer.close()


@asynccontextmanager
async def in_place_of_gateways(
    folder: Path, *upstreams: Upstream | None
) -> AsyncGenerator[FrontProxy, None]:
    """The proxy before these; `None`: an address where nobody listens."""
    port = free_port()
    async with AsyncExitStack() as stack:
        for address, upstream in zip(ADDRESSES, upstreams, strict=False):
            if upstream is not None:
                server = await asyncio.start_server(upstream.accept, address, port)
                stack.push_async_callback(server.wait_closed)
                stack.callback(server.close)
        addresses = ADDRESSES[: len(upstreams)]
        yield await stack.enter_async_context(
            proxy_before(folder / "proxy", port, lambda: addresses)
        )


def test_it_listens_where_it_is_published_and_speaks_to_the_gateways() -> None:
    assert re.findall(r"listen\s+(\d+);", DIRECTIVES) == ["8000"]
    port = image_environment()["PORT"]
    assert re.findall(r"set \$gateway (\S+);", DIRECTIVES) == [f"gateway:{port}"]
    source, target, _ = SERVICES["proxy"]["volumes"][0].split(":")
    assert (ROOT / source).is_file()
    assert target == "/etc/nginx/nginx.conf"
    url: str = SERVICES["proxy"]["healthcheck"]["test"][-1]
    assert url == "http://127.0.0.1:8000/healthz"


async def test_what_is_too_big_is_refused_as_by_the_gateway(tmp_path: Path) -> None:
    """In JSON, before it has come; what a gateway takes, it is given."""
    bound = MAX_MESSAGE_BYTES
    well = Upstream(WELL)
    async with (
        in_place_of_gateways(tmp_path, well) as proxy,
        httpx.AsyncClient(base_url=proxy.http) as http,
    ):
        refused = await http.post("/sessions/s/messages", content=b"x" * (bound + 1))
        assert not well.heard
        assert (await http.post("/sessions/s/messages", content=b"x" * bound)).text == "ok"
    assert (refused.status_code, refused.json()) == (
        413,
        {"detail": f"A request may bring {bound} bytes."},
    )


def test_nothing_is_sticky_and_its_patience_is_that_of_the_gateway() -> None:
    assert not re.search(r"ip_hash|sticky|\bhash\b|least_conn", DIRECTIVES)
    heartbeat = GatewaySettings.model_fields["heartbeat_seconds"].default
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        (seconds,) = re.findall(rf"{name} (\d+)s;", DIRECTIVES)
        assert int(seconds) > 2 * heartbeat
    (shutdown,) = re.findall(r"worker_shutdown_timeout (\d+)s;", DIRECTIVES)
    assert int(shutdown) < seconds_of(SERVICES["proxy"]["stop_grace_period"])
    (files,) = re.findall(r"worker_rlimit_nofile (\d+);", DIRECTIVES)
    (connections,) = re.findall(r"worker_connections (\d+);", DIRECTIVES)
    assert int(connections) <= int(files) == SERVICES["proxy"]["ulimits"]["nofile"]


@pytest.mark.parametrize(("wrong", "status"), [("", 0), ("no_such_directive on;", 1)])
async def test_nginx_takes_the_file(tmp_path: Path, wrong: str, status: int) -> None:
    config = write_config(tmp_path / "proxy", free_port(), free_port(), free_port())
    config.write_text(f"{wrong}\n{config.read_text()}")
    nginx = await start_nginx(config, "-t")
    _, said = await nginx.communicate()
    assert nginx.returncode == status, said.decode()


@pytest.mark.parametrize("broken", [HANGS_UP, DRAINING])
async def test_a_post_that_may_have_been_heard_is_not_repeated(
    tmp_path: Path, broken: bytes
) -> None:
    """Whoever sent it is told, and may send it again with the same id."""
    upstreams = Upstream(broken), Upstream(broken)
    async with (
        in_place_of_gateways(tmp_path, *upstreams) as proxy,
        httpx.AsyncClient(base_url=proxy.http) as http,
    ):
        answer = await http.post("/sessions/s/messages", content=b'{"content": "x"}')
    assert sum(len(upstream.heard) for upstream in upstreams) == 1
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    if broken is DRAINING:
        assert answer.text == "busy"


@pytest.mark.parametrize("broken", [HANGS_UP, DRAINING])
async def test_what_only_asks_is_asked_elsewhere(tmp_path: Path, broken: bytes) -> None:
    """So a handshake finds the gateway that is not draining."""
    sick, well = Upstream(broken), Upstream(WELL)
    async with (
        in_place_of_gateways(tmp_path, sick, well) as proxy,
        httpx.AsyncClient(base_url=proxy.http) as http,
    ):
        while not sick.heard:
            assert (await http.get(f"/ws?session_id={SECRET}")).text == "ok"
    assert well.heard


async def test_a_post_goes_elsewhere_when_nobody_has_heard_it(tmp_path: Path) -> None:
    """A gateway that is gone refuses the connection; its name may be known for a second more."""
    well = Upstream(WELL)
    async with (
        in_place_of_gateways(tmp_path, None, well) as proxy,
        httpx.AsyncClient(base_url=proxy.http) as http,
    ):
        for _ in range(TIMES):
            answer = await http.post("/sessions/s/messages", content=b'{"content": "x"}')
            assert (answer.status_code, answer.text) == (200, "ok")
    assert len(well.heard) == TIMES


async def test_events_over_http_come_one_by_one(tmp_path: Path) -> None:
    """What a gateway has sent is not kept until more comes, whatever its headers say."""
    event = b'id: 1-1\ndata: {"type":"message"}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    stream = Upstream(head + event, holds=True)
    async with (
        in_place_of_gateways(tmp_path, stream) as proxy,
        httpx.AsyncClient(base_url=proxy.http) as http,
        http.stream("GET", "/sessions/s/events", headers={"Last-Event-ID": "1-0"}) as answer,
    ):
        pieces = answer.aiter_raw()
        assert await anext(pieces) == event
        stream.may_end.set()
        assert [piece async for piece in pieces] == []
    assert "last-event-id: 1-0" in stream.heard[0].lower()


async def test_the_gateway_is_told_who_comes_and_how(tmp_path: Path) -> None:
    """In the place of what the client says of itself."""
    well = Upstream(WELL)
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    async with in_place_of_gateways(tmp_path, well) as proxy, httpx.AsyncClient() as http:
        await http.get(f"{proxy.http}/s/{SECRET}", headers=said)
    head = well.heard[0].lower().split("\r\n")
    assert f"host: 127.0.0.1:{proxy.port}" in head
    assert [line for line in head if line.startswith("x-forwarded")] == [
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
    ]


async def test_nobody_there_is_told_at_once_and_noted_nowhere(tmp_path: Path) -> None:
    """No name, no gateway: the line that nginx would write of it has the session's id."""
    async with in_place_of_gateways(tmp_path) as proxy, httpx.AsyncClient() as http:
        answer = await http.get(f"{proxy.http}/ws?session_id={SECRET}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert list(answer.json()) == ["detail"]
    files = [path for path in (tmp_path / "proxy").rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET in path.read_text()]
