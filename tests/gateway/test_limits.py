"""Limits: how many tabs, how many messages, how many requests; over all gateways together."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import httpx2 as httpx
import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.raw_tab import a_session, connected, opened
from tests.gateway.signing_in import handshake
from tests.gateway.signs import refusals
from tests.support.deployment import Deployment, Process, deploy
from tests.support.eventually import eventually

LIMITS = {
    "MAX_SESSION_TABS": "10",
    "MAX_ADDRESS_TABS": "4",
    "MAX_MESSAGES_PER_MINUTE": "3",
    "MAX_ADDRESS_MESSAGES_PER_MINUTE": "5",
    "MAX_ADDRESS_REQUESTS_PER_MINUTE": "2",
    "MAX_REFUSED_FRAMES": "5",
    "MAX_BODY_BYTES": "1024",
}


@pytest.fixture(scope="module")
async def limited(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """Two gateways with small limits. They believe this machine what it says of addresses."""
    environment = SMALL | LIMITS
    async with deploy(redis_server, tmp_path_factory.mktemp("limited"), **environment) as shared:
        await shared.start_gateway()
        await shared.start_gateway()
        yield shared
        await forget_unanswered(shared)
        await shared.check_nothing_is_left()


def from_address(address: str) -> dict[str, str]:
    """What a trusted proxy says of who is calling."""
    return {"X-Forwarded-For": address}


async def test_a_session_has_so_many_tabs_on_all_gateways(limited: Deployment) -> None:
    """R78: the eleventh is refused, wherever it comes from; when one has gone, another may come."""
    session_id = a_session()
    async with AsyncExitStack() as stack:
        for number in range(10):
            address = from_address(f"10.1.0.{number}")
            gateway = limited.processes[number % 2]
            tab = await stack.enter_async_context(opened(gateway, session_id, headers=address))
            await tab.until("connection", status="connected")
        before = await refusals(limited.processes[0], "session_tabs")
        for gateway in limited.processes:
            status, sentence = await handshake(
                gateway, f"session_id={session_id}", **from_address("10.1.0.99")
            )
            assert (status, sentence) == (429, "This session has 10 tabs open already.")
        assert await refusals(limited.processes[0], "session_tabs") == before + 1
        other = a_session()
        assert (await handshake(limited.processes[0], f"session_id={other}"))[0] == 101
    for gateway in limited.processes:

        async def has_room(gateway: Process = gateway) -> bool:
            return (await handshake(gateway, f"session_id={session_id}"))[0] == 101

        await eventually(has_room, "the seats are free again")


async def test_an_address_has_so_many_tabs_on_all_gateways(limited: Deployment) -> None:
    """Of IPv6 addresses the network counts: who has one has all of it."""
    async with AsyncExitStack() as stack:
        for number in range(4):
            address = from_address(f"2001:db8:0:7::{number + 1}")
            gateway = limited.processes[number % 2]
            await stack.enter_async_context(opened(gateway, a_session(), headers=address))
        query = f"session_id={a_session()}"
        for gateway in limited.processes:
            status, sentence = await handshake(gateway, query, **from_address("2001:db8:0:7:9::1"))
            assert (status, sentence) == (429, "This address has 4 tabs open already.")
            neighbour = from_address("2001:db8:0:8::1")
            assert (await handshake(gateway, query, **neighbour))[0] == 101


async def test_a_killed_gateway_gives_its_seats_back(own_edge: Deployment) -> None:
    """Its tabs come back to another gateway, and are not counted twice for ever."""
    own_edge.environment["MAX_SESSION_TABS"] = "1"
    first, second = await own_edge.start_gateway(), await own_edge.start_gateway()
    session_id = a_session()
    async with connected(first, session_id):
        assert (await handshake(second, f"session_id={session_id}"))[0] == 429
        await first.kill()

    async def is_let_in() -> bool:
        return (await handshake(second, f"session_id={session_id}"))[0] == 101

    await eventually(is_let_in, "the dead gateway's seat is free", timeout=30)


async def test_a_session_may_say_so_much_in_a_minute(limited: Deployment) -> None:
    """`too_many`, retryable, with the message's id and the seconds to wait; on any gateway. The
    socket stays."""
    session_id = a_session()
    first, second = limited.processes
    async with opened(first, session_id, headers=from_address("10.2.0.1")) as tab:
        for _ in range(3):
            message_id = await tab.say("hello")
            await tab.until("message", message_id=message_id)
        message_id = await tab.say("one more")
        told = await tab.until("error", code="too_many", message_id=message_id, retryable=True)
        assert told["error"].startswith("Too many messages from this session. Wait ")
    async with opened(second, session_id, headers=from_address("10.2.0.2")) as tab:
        message_id = await tab.say("elsewhere")
        await tab.until("error", code="too_many", message_id=message_id)


async def test_an_address_may_say_so_much_in_a_minute(limited: Deployment) -> None:
    """Over all of its sessions."""
    address = from_address("10.3.0.1")
    async with opened(limited.processes[0], a_session(), headers=address) as tab:
        for _ in range(3):
            await tab.until("message", message_id=await tab.say("hello"))
    async with opened(limited.processes[1], a_session(), headers=address) as tab:
        for _ in range(2):
            await tab.until("message", message_id=await tab.say("hello"))
        message_id = await tab.say("one more")
        told = await tab.until("error", code="too_many", message_id=message_id)
        assert told["error"].startswith("Too many messages from this address. Wait ")


async def test_an_address_may_ask_so_often_in_a_minute(limited: Deployment) -> None:
    """429 with the seconds to wait, on any gateway; other addresses notice nothing."""
    first, second = limited.processes
    path, address = f"/sessions/{a_session()}", from_address("10.4.0.1")
    async with httpx.AsyncClient() as http:
        for _ in range(2):
            assert (await http.delete(first.http + path, headers=address)).status_code == 204
        answer = await http.delete(second.http + path, headers=address)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        other = from_address("10.4.0.2")
        assert (await http.delete(second.http + path, headers=other)).status_code == 204


@pytest.mark.parametrize("proxies", ["none", "192.0.2.0/24"])
async def test_only_a_trusted_proxy_is_believed(own_edge: Deployment, proxies: str) -> None:
    """Anybody may write `X-Forwarded-For`: who is not trusted counts as who he is."""
    own_edge.environment |= {"MAX_ADDRESS_TABS": "1", "TRUSTED_PROXIES": proxies}
    gateway = await own_edge.start_gateway()
    async with opened(gateway, a_session(), headers=from_address("10.5.0.1")):
        query = f"session_id={a_session()}"
        assert (await handshake(gateway, query, **from_address("10.5.0.2")))[0] == 429


async def test_a_proxy_of_a_trusted_network_is_believed_and_its_forgeries_are_not(
    own_edge: Deployment,
) -> None:
    """The last address that is no trusted proxy counts: what stands before it came with the
    request."""
    own_edge.environment |= {"MAX_ADDRESS_TABS": "1", "TRUSTED_PROXIES": "127.0.0.0/8, 10.9.0.0/16"}
    gateway = await own_edge.start_gateway()
    query = f"session_id={a_session()}"
    async with opened(gateway, a_session(), headers=from_address("1.1.1.1, 10.6.0.1, 10.9.0.1")):
        forged = from_address("2.2.2.2, 10.6.0.1, 10.9.0.7")
        assert (await handshake(gateway, query, **forged))[0] == 429
        assert (await handshake(gateway, query, **from_address("10.6.0.2, 10.9.0.1")))[0] == 101


async def test_one_gateway_has_room_for_so_many_tabs(own_edge: Deployment) -> None:
    """503 with Retry-After for one more; it is alive and ready all the same."""
    own_edge.environment["MAX_TABS"] = "2"
    gateway = await own_edge.start_gateway()
    query = f"session_id={a_session()}"
    async with connected(gateway, a_session()):
        async with connected(gateway, a_session()):
            status, sentence = await handshake(gateway, query)
            assert (status, sentence) == (503, "This gateway has no room for another tab.")
            async with httpx.AsyncClient() as http:
                assert (await http.get(f"{gateway.http}/readyz")).status_code == 200

        async def is_let_in() -> bool:
            return (await handshake(gateway, query))[0] == 101

        await eventually(is_let_in, "there is room again")


async def test_a_socket_that_says_nothing_right_is_closed(limited: Deployment) -> None:
    """1008 after so many refused frames in a row; one that is accepted begins the count anew."""
    address = from_address("10.7.0.1")
    async with opened(limited.processes[0], a_session(), headers=address) as tab:
        for _ in range(5):
            await tab.send("nonsense")
        await tab.until("message", message_id=await tab.say("sense"))
        for _ in range(6):
            await tab.send("nonsense")
        code, reason = await tab.close_frame()
        assert (code, reason) == (1008, "too many frames were refused")
        assert [frame["code"] for frame in tab.frames if frame["type"] == "error"] == [
            "bad_json"
        ] * 10


async def test_a_body_has_a_bound(limited: Deployment) -> None:
    """413, whether its length was told or not; the next request is served."""
    url = f"{limited.processes[0].http}/patient"

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b'{"patient_id": "'
        for _ in range(20):
            yield b"x" * 100

    async with httpx.AsyncClient() as http:
        for number, content in enumerate((b"x" * 1025, pieces())):
            headers = from_address(f"10.8.0.{number}") | {"Content-Type": "application/json"}
            answer = await http.post(url, content=content, headers=headers)
            assert (answer.status_code, answer.json()) == (
                413, {"detail": "A request may bring 1024 bytes."},
            )  # fmt: skip
        assert (await http.get(f"{limited.processes[0].http}/healthz")).status_code == 200


async def test_without_redis_nobody_is_refused_for_a_limit(
    own_edge: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A limit protects the service, and must not be what stops it: the tab is let in, and told that
    Redis is away."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("away"))
    server.start()
    limits = {"MAX_SESSION_TABS": "5", "MAX_ADDRESS_TABS": "5", "MAX_MESSAGES_PER_MINUTE": "5"}
    gateway = await own_edge.start_gateway(REDIS_URL=server.url, **limits)
    server.kill()
    async with opened(gateway, a_session()) as tab:
        await tab.until("connection", status="reconnecting")
        message_id = await tab.say("is anybody there?")
        await tab.until("error", code="unavailable", message_id=message_id)
