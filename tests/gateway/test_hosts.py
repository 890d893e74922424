"""The names that a gateway answers to: a page whose name somebody pointed at it is none of its
own."""

import json
from collections.abc import AsyncGenerator

import pytest

from dev.embedded_redis import EmbeddedRedis
from gateway.hosts import OPEN_PATHS, SENTENCE, is_own
from tests.abuse.peer import Answer, connect, request, upgrade
from tests.gateway.conftest import SMALL
from tests.gateway.raw_tab import a_session
from tests.gateway.signing_in import WITH_TOKENS
from tests.gateway.signs import refusals
from tests.support.deployment import Deployment, Process, deploy

NAMES = frozenset(("gateway.example", "gw"))
FOREIGN = b"evil.example:8000"


@pytest.mark.parametrize(
    "host",
    [
        "gateway.example", "GATEWAY.example:8000", "gateway.example.", "gw:80", "localhost",
        "localhost:8000", "app.localhost:1", "127.0.0.1:8000", "192.168.1.5", "[::1]:8000",
        "[fe80::1]", "10.0.0.7:8000",
    ],
)  # fmt: skip
def test_own_names_and_addresses_pass(host: str) -> None:
    assert is_own(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "gateway.example.evil.example", "xgateway.example",
        "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "", ":8000", "[evil]",
        "gateway.example@evil.example", "2130706433",
    ],
)  # fmt: skip
def test_any_other_name_does_not(host: str) -> None:
    """Browsers write every address in its usual form: another form is a name."""
    assert not is_own(host, NAMES)


async def answer(gateway: Process, data: bytes) -> Answer:
    """What the gateway answers to these bytes."""
    peer = await connect(gateway.port)
    try:
        peer.say(data)
        return await peer.answer()
    finally:
        peer.drop()


def what_a_page_could_do(host: bytes) -> dict[str, bytes]:
    """A page of this name, which is its own origin: so nothing of it is foreign."""
    origin = (b"Origin", b"http://" + host)
    session = a_session().encode()
    return {
        "tab": upgrade(b"session_id=" + session, [origin], host=host),
        "page": request(b"GET", b"/s/" + session, host=host),
        "conversation": request(b"GET", b"/sessions/" + session, host=host),
        "events": request(b"GET", b"/sessions/" + session + b"/events", host=host),
        "deletion": request(b"DELETE", b"/sessions/" + session, [origin], host=host),
        "message": request(b"POST", b"/sessions/%s/messages" % session, [origin], b"{}", host=host),
    }


@pytest.fixture(scope="module", params=["wire", "asgi"])
async def gateway(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Process, None]:
    """A gateway with one name besides."""
    environment = SMALL | {"ALLOWED_HOSTS": "gateway.example"}
    async with deploy(redis_server, tmp_path_factory.mktemp("names"), **environment) as own:
        wire = request.param == "wire"
        yield await (own.start_gateway() if wire else own.start_development_gateway())
        await own.check_nothing_is_left()


@pytest.mark.parametrize("what", what_a_page_could_do(FOREIGN))
async def test_a_page_of_a_foreign_name_gets_nothing(gateway: Process, what: str) -> None:
    """421 with a sentence, counted; nothing of a session is read or written."""
    before = await refusals(gateway, "host")
    told = await answer(gateway, what_a_page_could_do(FOREIGN)[what])
    assert (told.status, told.detail) == (421, SENTENCE)
    assert await refusals(gateway, "host") == before + 1


@pytest.mark.parametrize("host", [b"gateway.example", b"localhost:8000", b"127.0.0.1", b"[::1]:1"])
async def test_a_page_of_an_own_name_is_served(gateway: Process, host: bytes) -> None:
    data = what_a_page_could_do(host)
    assert (await answer(gateway, data["tab"])).status == 101
    assert (await answer(gateway, data["conversation"])).status == 200
    assert (await answer(gateway, data["deletion"])).status == 204


async def test_of_two_hosts_both_have_to_be_own(gateway: Process) -> None:
    data = request(b"GET", b"/sessions/a", [(b"Host", FOREIGN)], host=b"gateway.example")
    assert (await answer(gateway, data)).status in (400, 421)


@pytest.mark.parametrize("path", OPEN_PATHS)
async def test_probes_and_scrapes_come_by_any_name(gateway: Process, path: str) -> None:
    """Those who look after it know it by names of their own."""
    told = await answer(gateway, request(b"GET", path.encode(), host=b"10-0-0-7.pods.cluster"))
    assert told.status == 200


async def test_who_asks_for_tokens_answers_to_any_name(own_edge: Deployment) -> None:
    """A page of a foreign name has no cookie of the gateway's: 401 is all that it gets."""
    own_edge.environment |= WITH_TOKENS
    gateway = await own_edge.start_gateway()
    told = await answer(gateway, what_a_page_could_do(FOREIGN)["conversation"])
    assert told.status == 401
    assert json.loads(told.body)["detail"]
