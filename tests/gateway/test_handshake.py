"""Opening a tab: who is let in, who is refused with which status, and what a tab is told first."""

from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session, connected, opened
from tests.support.deployment import Deployment, Process


async def status_of(gateway: Process, query: str, **headers: str) -> int:
    """What a handshake with this query is answered: 101, or the status of the refusal."""
    url = f"{gateway.url}{query}"
    try:
        async with connect(url, additional_headers=headers, proxy=None, compression=None):
            return 101
    except InvalidStatus as refused:
        answer = refused.response
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code


@pytest.mark.parametrize("query", ["", "?", "?session_id", "?session_id=", "?session=a"])
async def test_no_session_id_is_refused(edge: Deployment, query: str) -> None:
    """C9: never a shared default."""
    assert await status_of(edge.processes[0], query) == 400


@pytest.mark.parametrize(
    "part", ["*", "?", "[]", "a b", "\r\n", "\x00", "/", ":", "ä", "..", "{a}", "x" * 120, "%2e"]
)
async def test_a_bad_session_id_is_refused_and_becomes_no_key(
    edge: Deployment, writer: LogWriter, part: str
) -> None:
    """C10, C11: whatever is asked for it, by socket or by HTTP."""
    mark = a_session()
    before = await writer.keys_of("")
    gateway = edge.processes[0]
    assert await status_of(gateway, f"?session_id={quote(mark + part, safe='')}") == 400
    async with httpx.AsyncClient() as http:
        path = quote(mark + part.replace("/", "|").replace("..", "."), safe="")
        assert (await http.delete(f"{gateway.http}/sessions/{path}")).status_code == 400
    assert await writer.keys_of(mark) == []
    assert set(await writer.keys_of("")) <= set(before)  # others' may expire meanwhile
    assert await writer.client.pubsub_channels(f"*{mark}*") == []


async def test_the_longest_session_id_passes(edge: Deployment) -> None:
    """C11: 128 characters, and the short ones that people write by hand."""
    for session_id in ((a_session() * 4)[:128], "test-123", "test123"):
        assert await status_of(edge.processes[0], f"?session_id={session_id}") == 101
    for length in (129, 5_000):
        assert await status_of(edge.processes[0], f"?session_id={'a' * length}") == 400


async def test_two_session_ids_are_refused(edge: Deployment) -> None:
    """C12: also when they are the same."""
    assert await status_of(edge.processes[0], "?session_id=a&session_id=b") == 400
    assert await status_of(edge.processes[0], "?session_id=a&session_id=a") == 400


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", "http://localhost:5173.evil.example"]
)
async def test_a_page_from_elsewhere_is_refused(edge: Deployment, origin: str) -> None:
    """C34, R77."""
    query = f"?session_id={a_session()}"
    assert await status_of(edge.processes[0], query, Origin=origin) == 403


async def test_our_pages_and_programs_pass(edge: Deployment) -> None:
    """C34: the listed origins, the gateway's own page, and a client that is no browser."""
    gateway = edge.processes[0]
    for origin in ("http://localhost:3000", "http://localhost:5173", gateway.http):
        async with opened(gateway, a_session(), origin=origin) as tab:
            assert (await tab.next())["status"] == "connected"
    assert await status_of(gateway, f"?session_id={a_session()}") == 101


async def test_the_allowed_origins_are_a_setting(own_edge: Deployment) -> None:
    gateway = await own_edge.start_gateway(allowed_origins="https://a.example, https://b.example")
    query = f"?session_id={a_session()}"
    assert await status_of(gateway, query, Origin="https://b.example") == 101
    assert await status_of(gateway, query, Origin="http://localhost:5173") == 403


async def test_a_plain_get_on_the_socket_s_url_is_told_to_upgrade(edge: Deployment) -> None:
    """C35."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{edge.processes[0].http}/ws?session_id=a")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    assert answer.json()["detail"]


async def test_a_socket_elsewhere_is_no_tab(edge: Deployment) -> None:
    """Only `/ws` is one."""
    with pytest.raises(InvalidStatus):
        await connect(f"{edge.processes[0].url}/a?session_id=a", proxy=None)


async def test_the_first_frame_says_where_the_tab_stands(
    edge: Deployment, writer: LogWriter
) -> None:
    """R7, R9: on an empty session, and on one with a past."""
    session_id = a_session()
    async with opened(edge.processes[0], session_id) as tab:
        first = await tab.next()
    assert first.pop("server_time").endswith("Z")
    fresh: dict[str, Any] = {
        "type": "connection", "session_id": session_id, "status": "connected", "protocol": 1,
        "head": None, "resumed": False, "reset": False, "truncated": False, "heartbeat_seconds": 1,
    }  # fmt: skip
    assert first == fresh
    await writer.say(session_id, "one")
    (head,) = await writer.positions(session_id)
    async with opened(edge.processes[1], session_id) as tab:
        assert (await tab.next())["head"] == head
        assert (await tab.next())["id"] == head


async def test_a_silent_socket_hears_a_heartbeat_that_names_the_head(
    edge: Deployment, writer: LogWriter
) -> None:
    """Browsers cannot see ping frames; a tab whose cursor is not `head` knows it is behind."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        assert await tab.until("heartbeat") == {
            "type": "heartbeat",
            "session_id": session_id,
            "head": None,
        }
        await writer.say(session_id, "one")
        said = await tab.until("message")
        assert (await tab.until("heartbeat"))["head"] == said["id"]
