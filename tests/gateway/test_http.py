"""The HTTP edge beside the socket: deletion, health, metrics, CORS, and what has moved away."""

from collections.abc import AsyncGenerator

import httpx2 as httpx
import pytest

from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session, connected
from tests.support.deployment import Deployment

OURS = "http://localhost:5173"


@pytest.fixture
async def http(edge: Deployment) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of the first gateway."""
    async with httpx.AsyncClient(base_url=edge.processes[0].http) as client:
        yield client


async def test_a_process_that_runs_is_healthy_and_ready(http: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] in ("ok", "ready")


async def test_the_api_s_own_pages_are_there(http: httpx.AsyncClient) -> None:
    """REQUIREMENTS 2.4: `/docs` and `/redoc` stay reachable."""
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await http.get(path)).status_code == 200


async def test_what_has_moved_is_gone_and_names_the_guide(http: httpx.AsyncClient) -> None:
    """R94: 410 as JSON."""
    for answer in (
        await http.post("/chat", json={"session_id": "a", "message": "hi"}),
        await http.post("/chat"),
        await http.get("/telemetry/a"),
    ):
        assert answer.status_code == 410
        assert "migration" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/sessions", "/sessions/a/b", "/telemetry", "/wsx", "/a/b", "/..%2fetc"]
)
async def test_an_unknown_path_is_404_as_json(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"]


async def test_metrics_count_tabs_messages_and_deliveries(
    http: httpx.AsyncClient, edge: Deployment
) -> None:
    """Prometheus' text format; every sample has a help text and a bounded set of labels."""
    async with connected(edge.processes[0], a_session()) as tab:
        before = await samples(http)
        await tab.is_usable()
        after = await samples(http)
    assert after["fanline_messages_accepted_total"] - before["fanline_messages_accepted_total"] == 1
    assert after["fanline_deliveries_total"] > before["fanline_deliveries_total"]
    assert before["fanline_tabs"] >= 1
    assert before["fanline_sessions"] >= 1
    assert before["fanline_ready"] == 1
    assert before["fanline_probe_age_seconds"] < 60
    assert {
        "fanline_log_pages_total", "fanline_gaps_total", "fanline_foreign_texts_total",
        "fanline_redis_lost_total", "fanline_tabs_stalled_total",
    } <= after.keys()  # fmt: skip


async def samples(http: httpx.AsyncClient) -> dict[str, float]:
    answer = await http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize("origin", [OURS, "http://localhost:3000"])
async def test_a_preflight_from_our_pages_passes(http: httpx.AsyncClient, origin: str) -> None:
    """R95, REQUIREMENTS 2.3: the origin is echoed, and credentials are allowed."""
    asked = {"origin": origin, "access-control-request-headers": "x-anything"}
    for method in ("GET", "POST"):
        headers = asked | {"access-control-request-method": method}
        answer = await http.options("/patient", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
        assert answer.headers["access-control-allow-headers"] == "x-anything"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:5174", "null"])
async def test_a_preflight_from_elsewhere_does_not_pass(
    http: httpx.AsyncClient, origin: str
) -> None:
    """R95: 400, and nothing allowed."""
    headers = {"origin": origin, "access-control-request-method": "POST"}
    answer = await http.options("/patient", headers=headers)
    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_an_answer_is_for_our_pages_only(http: httpx.AsyncClient) -> None:
    ours = await http.get("/healthz", headers={"origin": OURS})
    assert ours.headers["access-control-allow-origin"] == OURS
    foreign = await http.get("/healthz", headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


async def test_deleting_a_session_empties_its_tabs_everywhere(
    http: httpx.AsyncClient, edge: Deployment, writer: LogWriter
) -> None:
    """On both gateways: `connected` with `reset` and an empty log; then a new conversation."""
    session_id = a_session()
    one, two = edge.processes
    async with connected(one, session_id) as left, connected(two, session_id) as right:
        old = await left.is_usable()
        assert await right.until("message") == old
        assert (await http.delete(f"/sessions/{session_id}")).status_code == 204
        for tab in (left, right):
            emptied = await tab.until("connection", status="connected")
            assert (emptied["reset"], emptied["head"]) == (True, None)
        (mark,) = await writer.keys_of(session_id)
        assert mark.endswith(":deleted")
        said = await right.is_usable()
        await left.until("message")
        assert left.events == right.events == [said]
    async with connected(one, session_id, last_event_id=old["id"]) as back:
        assert back.frames[0]["reset"] is True


async def test_deleting_what_is_not_there_is_fine(http: httpx.AsyncClient) -> None:
    """204 also when unknown, and twice."""
    session_id = a_session()
    for _ in range(2):
        answer = await http.delete(f"/sessions/{session_id}")
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("bad", ["a*", "a%20b", "%7Ba%7D", "%00", "a" * 129, "%C3%A4"])
async def test_deleting_a_bad_id_is_refused(
    http: httpx.AsyncClient, writer: LogWriter, bad: str
) -> None:
    """400, and no key."""
    before = await writer.client.dbsize()
    answer = await http.delete(f"/sessions/{bad}")
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert await writer.client.dbsize() == before
