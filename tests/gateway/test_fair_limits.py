"""Limits hit whom they are meant for, and cost nobody else a thing."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from dev.embedded_redis import EmbeddedRedis
from gateway.limits import Rates, Seats
from shared.keys import Keys
from shared.redis_client import connect_redis
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.raw_tab import a_session, connected, opened
from tests.gateway.signing_in import WITH_TOKENS, a_token, handshake, with_ticket
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually
from tests.support.frozen import frozen

FROM_ONE = {"X-Forwarded-For": "10.1.1.1"}
NEVER = 3600.0


@pytest.fixture(scope="module")
async def limited(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway with small limits."""
    limits = {
        "MAX_SESSION_TABS": "3",
        "MAX_ADDRESS_TABS": "2",
        "MAX_MESSAGES_PER_MINUTE": "1",
        "MAX_REFUSED_FRAMES": "5",
    }
    async with deploy(redis_server, tmp_path_factory.mktemp("fair"), **(SMALL | limits)) as own:
        await own.start_gateway()
        yield own
        await forget_unanswered(own)
        await own.check_nothing_is_left()


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[EmbeddedRedis]:
    """A server that a test may freeze."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.stop()


async def test_what_is_only_too_much_does_not_close_a_socket(limited: Deployment) -> None:
    """Refusals that say "again, later" do not count towards the close with 1008: whoever has typed
    too fast is not thrown out. Frames that are wrong do."""
    async with connected(limited.processes[0], a_session()) as tab:
        await tab.is_usable()
        for _ in range(20):
            await tab.until("error", code="too_many", message_id=await tab.say("too fast"))
        for _ in range(5):
            await tab.send("{")
            await tab.until("error", code="bad_json")
        await tab.send("{")
        assert await tab.close_frame() == (1008, "too many frames were refused")


async def test_refusals_of_one_address_take_no_seat_of_a_session(limited: Deployment) -> None:
    """An address that is full asks for tabs of somebody's session, on and on: nothing of that
    session is counted meanwhile, and its people come in."""
    (gateway,) = limited.processes
    session_id = a_session()
    seats = limited.keys.seats("session", session_id)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(opened(gateway, a_session(), headers=FROM_ONE))
        client = await stack.enter_async_context(limited.client())
        for _ in range(5):
            status, sentence = await handshake(gateway, f"session_id={session_id}", **FROM_ONE)
            assert (status, sentence) == (429, "This address has 2 tabs open already.")
            assert not await client.exists(seats)


async def test_a_frozen_redis_delays_nobody_who_is_counted(own_redis: EmbeddedRedis) -> None:
    """Counting gives up by itself, long before the client does: then nobody is refused."""
    client = connect_redis(own_redis.url, timeout_seconds=NEVER)
    keys = Keys(f"f{uuid4().hex[:8]}")
    async with client:
        assert await Rates(client, keys).wait_for("session", "a", 1) == 0
        with frozen(own_redis):
            assert await Rates(client, keys).wait_for("session", "a", 1) == 0
            assert await Seats(client, keys, "gateway").take("session", "a", 1)


async def test_frames_that_come_after_the_end_of_a_token_are_not_obeyed(
    own_edge: Deployment, own_redis: EmbeddedRedis
) -> None:
    """The first message waits for a frozen Redis; the token ends, and the socket is closed. What
    was sent behind the first is not obeyed when Redis is back, though it had come before."""
    own_edge.environment |= WITH_TOKENS | {"REDIS_URL": own_redis.url, "ACCEPT_SECONDS": "30"}
    gateway = await own_edge.start_gateway()
    session_id = a_session()
    async with with_ticket(gateway, session_id, a_token(sessions=session_id, seconds=2.5)) as tab:
        await tab.until("connection", status="connected")
        with frozen(own_redis):
            first = await tab.say("in time")
            await tab.say("behind it")
            assert await tab.close_frame() == (4401, "token expired")
    await eventually(lambda: " connection session=" in gateway.log(), "the socket has ended")
    fresh = a_token(sessions=session_id)
    async with with_ticket(gateway, session_id, fresh) as tab:
        await tab.until("message", message_id=first)
        await tab.is_usable()
        assert tab.contents() == ["in time", "still here?"]
