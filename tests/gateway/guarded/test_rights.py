"""What a token does not name can be neither written nor deleted, by whichever way."""

from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import pytest
from fastapi.routing import iter_route_contexts

from gateway.app import build_app
from gateway.settings import GatewaySettings
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session
from tests.gateway.signing_in import (
    a_token,
    ask_for_ticket,
    bearer,
    cookie,
    handshake,
    with_ticket,
)
from tests.support.deployment import Deployment, Process

PUBLIC = {
    "/healthz",
    "/readyz",
    "/chat",  # 410
    "/telemetry/{name}",  # 410
    "/ws",  # 426; a handshake is asked for its ticket
}
"""What needs no token, because there is nothing in it."""


async def test_a_page_from_elsewhere_gets_nothing_by_its_visitors_cookie(gateway: Process) -> None:
    """Tickets, deletion and `/patient`, though the browser sent the cookie."""
    session_id = a_session()
    token = a_token(sessions="*", scope="patient")
    evil = cookie(token) | {"Origin": "http://evil.example"}
    async with httpx.AsyncClient(base_url=gateway.http, headers=evil) as http:
        for answer in (
            await http.post("/tickets", json={"session_id": session_id}),
            await http.delete(f"/sessions/{session_id}"),
            await http.post("/patient", json={"patient_id": str(uuid4())}),
        ):
            assert answer.status_code == 403
            assert "origin" in answer.json()["detail"]
    own = cookie(token) | {"Origin": gateway.http}
    assert (await ask_for_ticket(gateway, session_id, own)).status_code == 200


async def test_what_a_token_does_not_name_cannot_be_deleted(
    gateway: Process, writer: LogWriter
) -> None:
    """403, and the session is what it was."""
    session_id = a_session()
    await writer.say(session_id, "stays")
    places = await writer.positions(session_id)
    for headers, status in (
        ({}, 401),
        (bearer(a_token(sessions="else")), 403),
        (bearer(a_token(scope="operator patient")), 403),
    ):
        async with httpx.AsyncClient(base_url=gateway.http, headers=headers) as http:
            assert (await http.delete(f"/sessions/{session_id}")).status_code == status
    assert await writer.positions(session_id) == places
    allowed = bearer(a_token(sessions=session_id))
    async with httpx.AsyncClient(base_url=gateway.http, headers=allowed) as http:
        assert (await http.delete(f"/sessions/{session_id}")).status_code == 204
    assert await writer.positions(session_id) == []


async def test_a_socket_writes_into_its_own_session_alone(
    gateway: Process, writer: LogWriter
) -> None:
    """By message and by cancel, though the token would open the other one as well."""
    session_id, other = a_session(), a_session()
    turn_id = await writer.say(other, "waits")
    places = await writer.positions(other)
    async with with_ticket(gateway, session_id, a_token(sessions="*")) as tab:
        await tab.until("connection", status="connected")
        for frame in (
            {"type": "message", "session_id": other, "content": "in"},
            {"type": "cancel", "session_id": other, "turn_id": turn_id},
        ):
            await tab.send(frame)
            await tab.until("error", code="wrong_session")
        await tab.send({"type": "cancel", "session_id": session_id, "turn_id": turn_id})
        await tab.until("error", code="unknown_turn")
    assert await writer.positions(other) == places


def guarded_routes() -> list[tuple[str, str]]:
    """Every method and path of the application, but for what is public."""
    app = build_app(GatewaySettings(), Path("no page has been built here"))
    return [
        (method, context.path or "")
        for context in iter_route_contexts(app.routes)
        for method in sorted(context.methods or ())
        if context.path not in PUBLIC and method != "HEAD"
    ]


@pytest.mark.parametrize(("method", "path"), guarded_routes())
async def test_every_route_but_the_public_ones_needs_a_token(
    gateway: Process, method: str, path: str
) -> None:
    """A route that is added is asked here: 401 without a token, 403 with one for nothing."""
    body = {"session_id": "a", "patient_id": str(uuid4())} if method == "POST" else None
    url = path.replace("{session_id}", "a")
    for headers, status in (({}, 401), (bearer(a_token()), 403)):
        async with httpx.AsyncClient(base_url=gateway.http, headers=headers) as http:
            answer = await http.request(method, url, json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["detail"]


async def test_scopes_open_what_they_name(gateway: Process) -> None:
    """`operator` for metrics and the API's documentation; neither opens a session."""
    headers = bearer(a_token(scope="operator other"))
    async with httpx.AsyncClient(base_url=gateway.http, headers=headers) as http:
        for path in ("/metrics", "/docs", "/redoc", "/openapi.json"):
            assert (await http.get(path)).status_code == 200
        answer = await http.post("/patient", json={"patient_id": str(uuid4())})
        assert answer.status_code == 403
        metrics = (await http.get("/metrics")).text
    assert 'fanline_refusals_total{reason="scope"}' in metrics
    assert (await ask_for_ticket(gateway, a_session(), headers)).status_code == 403


async def test_without_tokens_there_are_no_tickets(edge: Deployment) -> None:
    """404, so that a client that asks learns that it need not."""
    answer = await ask_for_ticket(edge.processes[0], a_session(), {})
    assert answer.status_code == 404
    query = f"session_id={a_session()}&ticket=whatever"
    assert await handshake(edge.processes[0], query) == (101, "")
