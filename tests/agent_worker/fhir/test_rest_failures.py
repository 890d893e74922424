"""What a model is told when a FHIR server cannot answer: one sentence, nothing of the server's."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from agent_worker.fhir import rest_client
from agent_worker.fhir.rest import NO_COUNT, NO_SEARCH
from agent_worker.fhir.rest_client import RestClient
from agent_worker.fhir.server import build_fhir_server
from tests.agent_worker.fhir.records import records_of
from tests.agent_worker.fhir.sources import rest_of
from tests.support.fhir_server import Answer, FhirServer, basic, fhir_server, outcome

SECRET = "SECRET-OF-THE-SERVER"
RECORDS = records_of(9)
FAILED = "The FHIR server did not answer the question (HTTP {})."


async def _slow() -> AsyncGenerator[bytes, None]:
    while True:
        yield b" "
        await asyncio.sleep(0.05)


def answering(text: str) -> Answer:
    return lambda _: Response(text, media_type="application/fhir+json")


NOT_FHIR = ["", "{", "[]", "3", "{}", '{"resourceType": "Patient"}', "<html>"]
WRONG: list[tuple[Answer, str]] = [
    (lambda _: outcome(400, SECRET), FAILED.format(400)),
    (lambda _: outcome(401, SECRET), rest_client.REFUSALS[401]),
    (lambda _: outcome(403, SECRET), rest_client.REFUSALS[403]),
    (lambda _: outcome(404, SECRET), NO_SEARCH),
    (lambda _: outcome(429, SECRET), rest_client.REFUSALS[429]),
    (lambda _: outcome(503, SECRET), FAILED.format(503)),
    (lambda _: outcome(200, SECRET), rest_client.NOT_FHIR),
    (lambda _: RedirectResponse(f"http://elsewhere.example/{SECRET}"), FAILED.format(307)),
    (answering(" " * (rest_client.MOST_BYTES + 1)), rest_client.TOO_LARGE),
    (lambda _: StreamingResponse(_slow()), rest_client.TOO_SLOW),
    *((answering(text), rest_client.NOT_FHIR) for text in NOT_FHIR),
]


@pytest.fixture(scope="module")
async def server() -> AsyncGenerator[FhirServer, None]:
    async with fhir_server(RECORDS.bundle) as server:
        yield server


async def refusal(server: FhirServer, tool: str = "search_patients", **arguments: str) -> str:
    """What the tool says, asked by a client that waits half a second for the FHIR server."""
    async with (
        rest_of(server, timeout_seconds=0.5) as source,
        Client(build_fhir_server(source)) as client,
    ):
        with pytest.raises(ToolError) as refused:
            await client.call_tool(tool, arguments)
    return str(refused.value)


@pytest.mark.parametrize(("answer", "said"), WRONG)
async def test_a_wrong_answer_is_one_sentence(
    server: FhirServer, answer: Answer, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No body and no address, neither to the model nor in a log."""
    server.instead = answer
    assert await refusal(server) == said
    for line in caplog.messages:
        assert SECRET not in line
        assert str(server.port) not in line


async def test_a_count_that_is_not_there_is_not_guessed(server: FhirServer) -> None:
    server.instead = lambda _: JSONResponse({"resourceType": "Bundle"})
    assert await refusal(server, "count_patients") == NO_COUNT


async def test_another_resource_than_was_asked_for_is_not_shown(server: FhirServer) -> None:
    server.instead = lambda _: JSONResponse(RECORDS.patients[0])
    assert await refusal(server, "read_resource", reference="Patient/x") == rest_client.NOT_FHIR


async def test_a_server_that_was_away_is_asked_again() -> None:
    """The same source goes on, also over connections that the restart has cut."""
    async with (
        fhir_server(RECORDS.bundle) as server,
        rest_of(server) as source,
        Client(build_fhir_server(source)) as client,
    ):
        for _ in range(2):
            counted = await client.call_tool("count_patients")
            assert counted.structured_content == {"patients": len(RECORDS.patients)}
            await server.stop()
            with pytest.raises(ToolError) as refused:
                await client.call_tool("count_patients")
            assert str(refused.value) == rest_client.AWAY
            await server.start()


async def test_credentials_are_sent_as_the_server_wants_them() -> None:
    """A bearer token, or client id and secret; without them nothing is told."""
    url = "http://127.0.0.1:{}/fhir"
    ways = [
        ("Bearer t0ken", "t0ken", None),
        (basic("us", "p:ä"), "", ("us", "p:ä")),
        ("Bearer t0ken", "t0ken", ("us", "p")),
    ]
    for authorization, token, credentials in ways:
        async with fhir_server(RECORDS.bundle, authorization=authorization) as server:
            client = RestClient(url.format(server.port), 10.0, token, credentials)
            found = await client.get(client.url_of("Patient", RECORDS.patients[0]["id"]))
            await client.aclose()
            assert found == RECORDS.patients[0]
            assert await refusal(server) == rest_client.REFUSALS[401]


@pytest.mark.parametrize(
    ("base_url", "token", "said"),
    [
        ("", "", "begins with http"),
        ("ftp://a.example/fhir", "", "begins with http"),
        ("a.example/fhir", "", "begins with http"),
        ("http:///fhir", "", "names a host"),
        ("http://a.example:port/fhir", "", "is not a URL"),
        ("http://me:word@a.example/fhir", "", "holds no credentials"),
        ("http://a.example/fhir?x=1", "", "holds no credentials"),
        ("http://a.example/fhir#x", "", "holds no credentials"),
        ("http://a.example/fhir", "two words", "a token is"),
        ("http://a.example/fhir", "one\nHost: b.example", "a token is"),
    ],
)
def test_a_wrong_setting_is_told_without_its_value(base_url: str, token: str, said: str) -> None:
    """Before anybody asks a question."""
    with pytest.raises(ValueError, match=said) as wrong:
        RestClient(base_url, 10.0, token)
    assert "word" not in str(wrong.value)


def test_a_base_url_may_end_in_a_slash_or_have_no_path() -> None:
    for base_url, expected in [
        ("http://a.example/fhir/", "http://a.example/fhir/Patient/1"),
        ("https://a.example:8443", "https://a.example:8443/Patient/1"),
    ]:
        assert str(RestClient(base_url, 10.0).url_of("Patient", "1")) == expected
