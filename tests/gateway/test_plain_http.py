"""What is said and asked over plain HTTP, without a WebSocket. That its events are those of a
socket is shown by the tests of tabs, which run over both."""

import asyncio
import json
from uuid import uuid4

import httpx2 as httpx
import pytest

from shared.ids import SessionId
from tests.gateway.conftest import MAX_INBOX
from tests.gateway.log_writer import LogWriter
from tests.gateway.raw_tab import a_session, connected
from tests.gateway.signs import metric
from tests.support.deployment import Deployment, Process
from tests.support.eventually import eventually

EVENTS = pytest.mark.parametrize("edge", ["events"], indirect=True)
pytestmark = EVENTS
HUGE = 32_769


def place_of(edge: Deployment, session_id: str, gateway: int = 0) -> str:
    return f"{edge.processes[gateway].http}/sessions/{session_id}"


async def test_a_message_is_accepted_once_however_often_it_is_sent(edge: Deployment) -> None:
    """The answer names its turn each time; every tab shows it, wherever it is."""
    session_id, message_id = a_session(), str(uuid4())
    async with httpx.AsyncClient() as http, connected(edge.processes[1], session_id) as tab:
        for gateway in (0, 1):
            answer = await http.post(
                f"{place_of(edge, session_id, gateway)}/messages",
                json={"content": "Hello", "message_id": message_id},
            )
            assert answer.status_code == 202
            assert answer.json() == {"session_id": session_id, "turn_id": message_id}
        second = await http.post(f"{place_of(edge, session_id)}/messages", json={"content": "So?"})
        await tab.until("message", message_id=second.json()["turn_id"])
        assert tab.contents() == ["Hello", "So?"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b'{"content": "\xff"}', 400, "bad_json"),
        (b'{"content": NaN}', 400, "bad_json"),
        (b'{"content": "a", "content": "b"}', 400, "bad_json"),
        (b"[]", 422, "bad_frame"),
        (b"{}", 422, "bad_frame"),
        (b'{"content": 1}', 422, "bad_frame"),
        (b'{"content": " "}', 422, "bad_frame"),
        (b'{"content": "a", "message_id": "no-uuid"}', 422, "bad_frame"),
        (b'{"content": "\\ud800"}', 422, "bad_frame"),
        (b'{"content": "a", "session_id": "another"}', 422, "wrong_session"),
        (json.dumps({"content": "x" * HUGE}).encode(), 422, "too_long"),
    ],
)
async def test_a_message_that_is_none_is_refused_with_a_sentence(
    edge: Deployment, body: bytes, status: int, code: str
) -> None:
    """By the rules that hold for frames; nothing is written."""
    session_id = a_session()
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{place_of(edge, session_id)}/messages", content=body)
        told = answer.json()
        assert (answer.status_code, told.pop("code")) == (status, code)
        assert list(told) == ["detail"]
        assert told["detail"].endswith(".")
        assert (await http.get(place_of(edge, session_id))).json()["head"] is None


async def test_a_full_inbox_says_when_to_try_again(edge: Deployment) -> None:
    """However many ask at once, on one gateway no more are taken than there is room for."""
    session_id = a_session()
    async with httpx.AsyncClient() as http:
        many = (
            http.post(f"{place_of(edge, session_id)}/messages", json={"content": f"{number}"})
            for number in range(MAX_INBOX + 20)
        )
        answers = await asyncio.gather(*many)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 20
    assert all(answer.status_code == 202 for answer in answers if answer not in refused)
    for answer in refused:
        assert (answer.json()["code"], answer.headers["Retry-After"]) == ("too_many", "5")


async def test_a_waiting_turn_is_stopped_and_an_unknown_one_is_not_there(edge: Deployment) -> None:
    session_id = a_session()
    async with httpx.AsyncClient() as http, connected(edge.processes[0], session_id) as tab:
        turn_id = await tab.say("Never mind")
        place = f"{place_of(edge, session_id)}/cancel"
        for _ in range(2):  # the first answer may have been lost
            answer = await http.post(place, json={"turn_id": turn_id})
            assert answer.status_code == 202
            assert answer.json() == {"session_id": session_id, "turn_id": turn_id}
        await tab.until("turn_finished", turn_id=turn_id, status="cancelled")
        unknown = await http.post(place, json={"turn_id": str(uuid4())})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_turn")


async def test_the_conversation_so_far_is_one_document(edge: Deployment, writer: LogWriter) -> None:
    """With the place from which its events go on, on any gateway."""
    session_id = a_session()
    async with httpx.AsyncClient() as http:
        nothing = (await http.get(place_of(edge, session_id))).json()
        assert nothing == {
            "session_id": session_id, "head": None, "truncated": False, "turns": [],
        }  # fmt: skip
        async with connected(edge.processes[0], session_id) as tab:
            contents = [f"question {number}" for number in range(40)]  # more than a page
            turns = [await tab.say(content) for content in contents]
            await tab.until_contents(*contents)
            await tab.send({"type": "cancel", "session_id": session_id, "turn_id": turns[0]})
            head = (await tab.until("turn_finished"))["id"]
        told = (await http.get(place_of(edge, session_id, gateway=1))).json()
    assert [turn["content"] for turn in told["turns"]] == contents
    assert [turn["turn_id"] for turn in told["turns"]] == turns
    assert [turn["status"] for turn in told["turns"]] == ["cancelled"] + ["waiting"] * 39
    assert (told["head"], told["truncated"]) == (head, False)


@pytest.mark.parametrize(
    "stored",
    [
        '{"type":"assistant","turn_id":"t","message_id":"m","streaming":false,"content":""}',
        '{"type":"message","turn_id":["t"],"content":"a list"}',
        '{"type":"message","turn_id":"t","timestamp":"","content":7}',
        '{"type":"turn_finished","turn_id":"t","status":"odd"}',
        '{"type":"message",',
    ],
)
async def test_what_nobody_of_ours_has_written_is_no_conversation(
    edge: Deployment, writer: LogWriter, stored: str
) -> None:
    """500 with a sentence, and a line in the log; not the text of an exception."""
    session_id = a_session()
    await writer.say(session_id, "Hello")
    log = writer.keys.session(SessionId(session_id)).log
    await writer.client.xadd(log, {"event": stored}, id="9007199254740990-1")
    edge.processes[0].expected_errors.append(session_id[:8])
    async with httpx.AsyncClient() as http:
        answer = await http.get(place_of(edge, session_id))
    assert (answer.status_code, answer.json()) == (
        500, {"detail": "This session cannot be used.", "code": "internal"},
    )  # fmt: skip


async def test_a_request_behind_a_stream_does_not_keep_it_open(edge: Deployment) -> None:
    """Its peer has gone: the tab is forgotten, though uvicorn looks at the newest request alone."""
    gateway, session_id = edge.processes[0], a_session()
    request = f"GET /sessions/{session_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    before = await metric(gateway, "fanline_tabs")
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(request * 2)
    await eventually(lambda: has_tabs(gateway, before + 1), "the stream is open")
    writer.close()
    await eventually(lambda: has_tabs(gateway, before), "it is forgotten")


async def has_tabs(gateway: Process, count: float) -> bool:
    return await metric(gateway, "fanline_tabs") == count


async def test_a_conversation_is_kept_by_no_cache(edge: Deployment) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(place_of(edge, a_session()))
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_bad_session_id_is_refused_everywhere(edge: Deployment) -> None:
    async with httpx.AsyncClient() as http:
        for method, path in (
            ("POST", "/messages"), ("POST", "/cancel"), ("GET", "/events"), ("GET", ""),
            ("DELETE", ""),
        ):  # fmt: skip
            answer = await http.request(method, f"{place_of(edge, 'no%20id')}{path}")
            assert (answer.status_code, list(answer.json())) == (400, ["detail"]), path


async def test_a_stream_can_begin_after_a_position_of_its_url(edge: Deployment) -> None:
    """A header, which a browser sends when it comes back, holds before it."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        for content in ("one", "two", "three"):
            await tab.say(content)
        await tab.until_contents("one", "two", "three")
    first, second, third = (event["id"] for event in tab.events)
    url = f"{place_of(edge, session_id)}/events?last_event_id={first}"
    assert await ids_of(url, 2) == [second, third]
    assert await ids_of(url, 1, {"Last-Event-ID": second}) == [third]


async def ids_of(url: str, count: int, headers: dict[str, str] | None = None) -> list[str]:
    """The positions of the first events of a stream."""
    ids: list[str] = []
    async with (
        httpx.AsyncClient() as http,
        http.stream("GET", url, headers=headers or {}) as answer,
        asyncio.timeout(20),
    ):
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                ids.append(line.removeprefix("id: "))
            if len(ids) == count:
                return ids
    raise AssertionError(f"the stream has ended after {ids}")
