"""Peers that are within their rights to speak, and speak roughly: none stays, fills the memory, or
takes the time of others."""

import asyncio
import json
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2 as httpx
import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.abuse.peer import CLOSE, CONTINUATION, PING, TEXT, Peer, connect, frame, text, upgrade
from tests.abuse.sockets import hear
from tests.gateway.conftest import SMALL, forget_unanswered
from tests.gateway.raw_tab import a_message, a_session, connected
from tests.gateway.signing_in import WITH_TOKENS, a_token
from tests.gateway.signs import metric
from tests.support.deployment import Deployment, Process, deploy

FLOOD = 3000
"""Frames: more than are taken in ten seconds, and no more than would else take a second."""


@pytest.fixture(scope="module")
async def gateway(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Process, None]:
    """A gateway that asks for no tokens. It must not log an error."""
    environment = SMALL | {"MAX_INBOX": "1000", "ALLOWED_HOSTS": "gateway"}
    async with deploy(redis_server, tmp_path_factory.mktemp("rough"), **environment) as own:
        yield await own.start_gateway()
        await forget_unanswered(own)
        await own.check_nothing_is_left()


@asynccontextmanager
async def a_connection(gateway: Process) -> AsyncGenerator[Peer, None]:
    peer = await connect(gateway.port)
    try:
        yield peer
    finally:
        peer.drop()


@asynccontextmanager
async def a_peer(gateway: Process, session_id: str) -> AsyncGenerator[Peer, None]:
    """A peer whose handshake has been answered."""
    async with a_connection(gateway) as peer:
        peer.say(upgrade(f"session_id={session_id}".encode()))
        assert (await peer.answer()).status == 101
        yield peer


@pytest.mark.parametrize(
    ("handshake", "status"),
    [
        (upgrade(b"session_id=a", [(b"X-%d" % number, b"y") for number in range(200)]), 431),
        (upgrade(b"session_id=a", [(b"X", b"y" * 9000)]), 431),
        (upgrade(b"session_id=a&x=" + b"y" * 9000), 414),
        (upgrade(b"session_id=a").replace(b"GET", b"POST", 1), 405),
    ],
    ids=["headers", "a header", "a line", "a method"],
)
async def test_a_handshake_that_the_parser_does_not_take_is_answered(
    gateway: Process, handshake: bytes, status: int
) -> None:
    """And its connection ended: it would be open for ever, and nobody would look at it."""
    async with a_connection(gateway) as peer:
        peer.say(handshake)
        assert (await peer.answer()).status == status
        assert await peer.until_cut() == b""


async def test_a_text_that_is_none_is_its_peers_fault(gateway: Process) -> None:
    """1007, also where the peer has gone meanwhile; the fixture sees that no error is logged."""
    for behind in (b"", frame(CLOSE, struct.pack("!H", 1000))):
        async with a_peer(gateway, a_session()) as peer:
            peer.say(frame(TEXT, b"\xff") + behind)
            assert set(await hear(peer)) & {"close 1007", "close 1000"}


async def test_a_message_may_come_in_pieces_of_nothing(gateway: Process) -> None:
    """A ping may stand between them."""
    session_id = a_session()
    data = json.dumps(a_message(session_id, "in pieces")).encode()
    pieces = [frame(TEXT, data[:1], fin=False), frame(CONTINUATION, fin=False) * 100]
    for place in range(1, len(data)):
        pieces.append(frame(CONTINUATION, data[place : place + 1], fin=False))
    pieces += [frame(PING), frame(CONTINUATION)]
    async with a_peer(gateway, session_id) as peer:
        peer.say(b"".join(pieces))
        tally = await hear(peer, lambda told: bool(told["message"]), mine=None)
    assert tally == {"message": 1, "pong": 1}


async def test_a_flood_of_frames_is_taken_slowly(gateway: Process) -> None:
    """Others are served long before the flood is."""
    async with (
        a_peer(gateway, a_session()) as flooder,
        connected(gateway, a_session()) as tab,
    ):
        flooder.say(frame(PING) * FLOOD + frame(CLOSE))
        heard = asyncio.create_task(hear(flooder))
        await tab.is_usable()
        for _ in range(3):  # they are seconds apart
            await tab.until("heartbeat")
        assert not heard.done()
        heard.cancel()


async def test_nobody_obeys_a_socket_that_was_closed(gateway: Process) -> None:
    """What came behind the frame too many is not read any more: no message of it is accepted."""
    session_id = a_session()
    before = await metric(gateway, "fanline_messages_accepted_total")
    async with a_peer(gateway, session_id) as peer:
        peer.say(frame(TEXT, b"{") * 101 + text(a_message(session_id, "too late")))
        tally = await hear(peer)
    assert (tally["error bad_json"], tally["close 1008"]) == (100, 1)
    assert await metric(gateway, "fanline_messages_accepted_total") == before


@pytest.mark.parametrize("path", ["/patient", "/tickets"])
@pytest.mark.parametrize(
    "body", ["{}", '{"patient_id":NaN}', r'{"patient_id":"\ud800"}', r'{"\ud800":1}', "[]"]
)
async def test_a_body_that_is_none_is_refused_and_not_repeated(
    gateway: Process, path: str, body: str
) -> None:
    """422 says what is missing or wrong, and nothing that came."""
    async with httpx.AsyncClient(base_url=gateway.http) as http:
        headers = {"Content-Type": "application/json"}
        answer = await http.post(path, content=body, headers=headers)
    assert answer.status_code == 422
    (told,) = answer.json()["detail"]
    assert told.keys() == {"type", "loc", "msg"}


async def test_a_cookie_of_others_is_not_looked_into(own_edge: Deployment) -> None:
    """Whatever else the jar has: ours is found, and backslashes by the thousand cost nothing."""
    own_edge.environment |= WITH_TOKENS
    gateway = await own_edge.start_gateway()
    token = a_token(scope="operator")
    backslashes = "\\" * 20_000
    jar = f'other="{backslashes}; x="; fanline_token={token}; fanline_token=second'
    async with httpx.AsyncClient(base_url=gateway.http, timeout=10) as http:
        assert (await http.get("/metrics", headers={"Cookie": jar})).status_code == 200
        quoted = f'fanline_token="{backslashes}"'
        assert (await http.get("/metrics", headers={"Cookie": quoted})).status_code == 401


async def test_what_was_sent_before_a_connection_ends_is_obeyed(gateway: Process) -> None:
    """More messages than are taken in a second, then the end of the connection without a close
    frame: those that wait for their turn are accepted all the same."""
    session_id, count = a_session(), 300
    async with a_peer(gateway, session_id) as peer:
        for number in range(count):
            peer.say(text(a_message(session_id, f"number {number}")))
        peer.end()
        await peer.until_cut()
    async with connected(gateway, session_id) as tab:
        await tab.until_events(count)
        assert tab.contents() == [f"number {number}" for number in range(count)]
