"""Sessions over plain HTTP where tokens are asked for: what a token names, and nothing else."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2 as httpx
import pytest

from tests.gateway.event_tab import open_events
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import RawTab, a_session, tcp
from tests.gateway.signing_in import a_ticket, a_token, bearer, cookie
from tests.support.deployment import Process


@asynccontextmanager
async def a_stream(
    gateway: Process, session_id: str, headers: Mapping[str, str], cursor: str | None = None
) -> AsyncGenerator[RawTab, None]:
    sock = await tcp(gateway, None)
    opening = open_events(gateway, session_id, cursor, headers, sock, 2**20)
    async with opening as tab:
        yield RawTab(tab, session_id)


async def test_nothing_is_said_to_or_read_of_a_session_that_a_token_does_not_name(
    gateway: Process, writer: LogWriter
) -> None:
    """403, whatever is asked, and the session is what it was; with its own token all of it goes."""
    session_id = a_session()
    turn_id = await writer.say(session_id, "waits")
    places = await writer.positions(session_id)
    asked = (
        ("POST", "/messages", {"content": "in"}),
        ("POST", "/cancel", {"turn_id": turn_id}),
        ("GET", "/events", None),
        ("GET", "", None),
    )
    for headers in (bearer(a_token(sessions=["other", f"{session_id}x"])), bearer(a_token())):
        async with httpx.AsyncClient(base_url=gateway.http, headers=headers) as http:
            for method, path, body in asked:
                url = f"/sessions/{session_id}{path}"
                answer = await http.request(method, url, json=body)
                assert (answer.status_code, list(answer.json())) == (403, ["detail"])
    assert await writer.positions(session_id) == places
    own = bearer(a_token(sessions=session_id))
    async with httpx.AsyncClient(base_url=gateway.http, headers=own) as http:
        told = (await http.get(f"/sessions/{session_id}")).json()
        assert [turn["content"] for turn in told["turns"]] == ["waits"]
    async with a_stream(gateway, session_id, own) as tab:
        await tab.say("in")
        await tab.until_contents("waits", "in")


async def test_a_page_from_elsewhere_says_and_reads_nothing_by_its_visitors_cookie(
    gateway: Process, writer: LogWriter
) -> None:
    session_id = a_session()
    token = a_token(sessions="*")
    evil = cookie(token) | {"Origin": "http://evil.example"}
    async with httpx.AsyncClient(base_url=gateway.http, headers=evil) as http:
        for method, path in (("POST", "/messages"), ("POST", "/cancel"), ("GET", "/events")):
            body = {"content": "in", "turn_id": str(uuid4())} if method == "POST" else None
            answer = await http.request(method, f"/sessions/{session_id}{path}", json=body)
            assert answer.status_code == 403
            assert "origin" in answer.json()["detail"]
    assert await writer.positions(session_id) == []
    async with a_stream(gateway, session_id, cookie(token) | {"Origin": gateway.http}) as tab:
        await tab.until("connection", status="connected")


async def test_a_stream_ends_with_its_token_and_goes_on_with_the_next(
    gateway: Process, writer: LogWriter
) -> None:
    """`close` with 4401; with a new token and the cursor nothing is lost or comes twice."""
    session_id = a_session()
    await writer.say(session_id, "first")
    async with a_stream(gateway, session_id, bearer(a_token(sessions="*", seconds=2))) as tab:
        await tab.until_contents("first")
        assert await tab.close_frame() == (4401, "token expired")
        cursor = tab.events[-1]["id"]
    await writer.say(session_id, "second")
    async with a_stream(gateway, session_id, bearer(a_token(sessions="*")), cursor) as back:
        assert (await back.next())["resumed"] is True
        await back.until_contents("second")


async def test_a_ticket_opens_one_stream(gateway: Process) -> None:
    """For a page of another origin, whose `EventSource` sends neither header nor cookie."""
    session_id = a_session()
    ticket = await a_ticket(gateway, session_id, a_token(sessions="*"))
    url = f"{gateway.http}/sessions/{session_id}/events?ticket={ticket}"
    async with httpx.AsyncClient() as http:
        async with http.stream("GET", url) as answer:
            assert answer.status_code == 200
        assert (await http.get(url)).status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_in_a_streams_url_is_refused(gateway: Process, name: str) -> None:
    """Even a good one: it would be in every log on its way."""
    url = f"{gateway.http}/sessions/{a_session()}/events?{name}={a_token(sessions='*')}"
    async with httpx.AsyncClient(headers=bearer(a_token(sessions="*"))) as http:
        assert (await http.get(url)).status_code == 400
