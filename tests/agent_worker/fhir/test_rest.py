"""A FHIR server as a source: what it is asked, and that nothing else can be reached through it."""

from collections.abc import AsyncGenerator
from urllib.parse import quote

import pytest
from fastmcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_worker.fhir.rest import FhirRest
from agent_worker.fhir.rest_client import ELSEWHERE
from agent_worker.fhir.server import NOT_ALL, build_fhir_server
from agent_worker.fhir.source import MOST_RESOURCES, SourceFailed, UnknownPatient
from agent_worker.fhir.summaries import Resource
from tests.agent_worker.fhir.records import Records, records_of
from tests.agent_worker.fhir.sources import rest_of
from tests.support.fhir_server import FhirServer, a_searchset, fhir_server

RECORDS = records_of(9)
HOSTILE = [
    "../Client/root",
    "..%2fClient",
    "//elsewhere.example/fhir",
    "%2e%2e/",
    "x&_include=Patient:organization",
    "x=y",
    "a?b#c",
    "a\r\nHost: elsewhere.example",
    "http://elsewhere.example/Patient/1",
]


@pytest.fixture(scope="module")
async def module_server() -> AsyncGenerator[FhirServer, None]:
    async with fhir_server(RECORDS.bundle, page_size=50) as server:
        yield server


@pytest.fixture
def server(module_server: FhirServer) -> FhirServer:
    """Nothing asked yet, and nothing wrong with it."""
    module_server.requests.clear()
    module_server.instead = None
    return module_server


@pytest.fixture
async def rest(server: FhirServer) -> AsyncGenerator[FhirRest, None]:
    async with rest_of(server) as source:
        yield source


@pytest.fixture
def records() -> Records:
    return RECORDS


def a_page(*resources: Resource, after: str | None = None) -> Response:
    links = [] if after is None else [{"relation": "next", "url": after}]
    return JSONResponse(a_searchset([{"resource": one} for one in resources], link=links))


def a_condition(subject: str) -> Resource:
    reference = {"reference": subject}
    return {"resourceType": "Condition", "id": f"of-{subject[-3:]}", "subject": reference}


async def test_a_count_is_one_request_without_resources(
    server: FhirServer, rest: FhirRest, records: Records
) -> None:
    assert await rest.count_patients() == len(records.patients)
    assert server.requests == ["/fhir/Patient?_summary=count"]


async def test_each_word_of_a_name_is_searched_for(server: FhirServer, rest: FhirRest) -> None:
    """One value is the beginning of one part of a name: given and family would never match."""
    await rest.search_patients("O'Brien, Jean-Luc", "1990-01-02", "a|b,c$d\\e")
    [asked] = server.requests
    assert asked == (
        "/fhir/Patient?name=O'Brien&name=Jean-Luc&birthdate=1990-01-02"
        "&identifier=a\\|b\\,c\\$d\\\\e&_count=250"
    )


async def test_what_a_patient_has_is_one_request(
    server: FhirServer, rest: FhirRest, records: Records
) -> None:
    """Whether the patient exists is asked for only when nothing was found."""
    patient = records.sickest()
    found = await rest.of_patient("Condition", patient["id"])
    assert len(found.items) == len(records.conditions(patient))
    assert len(server.requests) == 1
    with pytest.raises(UnknownPatient):
        await rest.of_patient("Condition", "nobody")
    assert server.requests[-1] == "/fhir/Patient/nobody"


async def test_patients_come_along_with_their_conditions(
    server: FhirServer, rest: FhirRest, records: Records
) -> None:
    """One request for all, not one for each patient."""
    expected = records.with_condition("hypertension")
    found = await rest.find_patients_by_condition("hypertension")
    assert {patient["id"] for patient, _ in found.items} == {one["id"] for one in expected}
    assert server.requests == [
        "/fhir/Condition?code:text=hypertension&_include=Condition:subject&_count=250"
    ]


async def test_what_may_be_a_code_is_searched_for_as_words_when_it_is_none(
    server: FhirServer, rest: FhirRest
) -> None:
    """People write `B12` and `type 2` too."""
    assert (await rest.find_patients_by_condition("44054006")).items
    assert len(server.requests) == 1
    assert not (await rest.find_patients_by_condition("B12")).items
    asked = [request.split("&")[0] for request in server.requests[1:]]
    assert asked == ["/fhir/Condition?code=B12", "/fhir/Condition?code:text=B12"]


async def test_patients_who_do_not_come_along_are_read_by_their_ids(
    server: FhirServer, rest: FhirRest, records: Records
) -> None:
    """Absolute references to the server itself are followed, those to others never."""
    patient = records.patients[0]
    here = a_condition(f"{server.base_url}/Patient/{patient['id']}/_history/2")
    elsewhere = a_condition(f"http://elsewhere.example/fhir/Patient/{records.patients[1]['id']}")
    hidden = a_condition("Patient/../Client/root")

    def answer(request: Request) -> Response:
        if request.url.path.endswith("/Condition"):
            return a_page(here, elsewhere, hidden)
        return a_page(patient)

    server.instead = answer
    found = await rest.find_patients_by_condition("anything")
    assert [(one["id"], held) for one, held in found.items] == [(patient["id"], [here])]
    assert server.requests[1:] == [f"/fhir/Patient?_id={patient['id']}&_count=250"]


async def test_records_of_others_are_never_taken_for_the_patient_s(
    server: FhirServer, rest: FhirRest, records: Records
) -> None:
    """A server may pass over a parameter that it does not know, and answer with everybody's."""
    one, other = records.patients[:2]
    theirs, foreign = a_condition(f"Patient/{one['id']}"), a_condition(f"Patient/{other['id']}")
    server.instead = lambda _: a_page(theirs, foreign)
    assert (await rest.of_patient("Condition", one["id"])).items == [theirs]


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_value_stays_a_value(server: FhirServer, rest: FhirRest, value: str) -> None:
    """Whatever it holds, it reaches the same search of the same server, as that value."""
    seen: list[tuple[str, str, str]] = []

    def answer(request: Request) -> Response:
        seen.append((request.url.path, request.url.query, request.headers["host"]))
        return a_page()

    server.instead = answer
    await rest.search_patients(identifier=value)
    query = f"identifier={quote(value, safe='')}&_count=250"
    assert seen == [("/fhir/Patient", query, f"127.0.0.1:{server.port}")]


@pytest.mark.parametrize("path", ["{}", "Patient/{}", "Patient/1/{}", "Client/root{}", "{}/1"])
@pytest.mark.parametrize("value", [*HOSTILE, "..", ".", "", "$everything"])
async def test_a_reference_that_leads_elsewhere_is_not_even_asked_for(
    server: FhirServer, rest: FhirRest, path: str, value: str
) -> None:
    """Nor are the types that hold a server's users, clients and secrets."""
    assert await rest.read_resource(path.format(value)) is None
    assert server.requests == []


NEXT = [
    "http://elsewhere.example/fhir?page=2",
    "https://127.0.0.1:{port}/fhir?page=2",
    "http://127.0.0.1:1/fhir?page=2",
    "http://user:word@127.0.0.1:{port}/fhir?page=2",
    "http://127.0.0.1:{port}/fhirx?page=2",
    "http://127.0.0.1:{port}/admin",
    "http://127.0.0.1:{port}/fhir/../admin",
    "http://127.0.0.1:{port}/fhir/%2e%2e/admin",
    "http://127.0.0.1:{port}/fhir/..%2fadmin",
    "http://127.0.0.1:{port}/fhir//admin",
    "http://127.0.0.1:{port}/fhir/\\admin",
    "//elsewhere.example/fhir",
    "../admin",
    "http://[",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "\n",
]


@pytest.mark.parametrize("link", NEXT)
async def test_a_next_page_somewhere_else_is_not_read(
    server: FhirServer, rest: FhirRest, link: str, records: Records
) -> None:
    """And rows that are missing are no answer."""
    after = link.format(port=server.port)
    server.instead = lambda _: a_page(records.patients[0], after=after)
    with pytest.raises(SourceFailed) as failed:
        await rest.search_patients()
    assert str(failed.value) == ELSEWHERE
    assert len(server.requests) == 1


@pytest.mark.parametrize("link", ["/fhir/Patient?page=2", "?page=2", "Patient?page=2"])
async def test_a_next_page_may_be_named_by_a_relative_address(
    server: FhirServer, rest: FhirRest, link: str, records: Records
) -> None:
    one, other = records.patients[:2]
    server.instead = lambda request: (
        a_page(other) if "page" in request.query_params else a_page(one, after=link)
    )
    assert len((await rest.search_patients()).items) == 2
    assert server.requests[1:] == ["/fhir/Patient?page=2"]


async def test_a_search_without_end_is_cut_and_says_so(server: FhirServer, rest: FhirRest) -> None:
    """A server with more than anybody reads."""

    def answer(request: Request) -> Response:
        page = int(request.query_params.get("page", 0))
        rows = [{"resourceType": "Patient", "id": f"{page}-{n}"} for n in range(250)]
        return a_page(*rows, after=f"?page={page + 1}")

    server.instead = answer
    found = await rest.search_patients()
    assert found.is_cut
    assert len(found.items) == MOST_RESOURCES == 250 * len(server.requests)
    async with Client(build_fhir_server(rest)) as client:
        page = (await client.call_tool("search_patients", {"limit": 1})).structured_content or {}
    assert page["note"] == NOT_ALL.format(total=MOST_RESOURCES)
