"""The example that loads a FHIR server, run against one that takes transactions and batches."""

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.agent_worker.fhir.records import records_of
from tests.agent_worker.fhir.sources import rest_of
from tests.support.deployment import ROOT
from tests.support.fhir_server import FhirServer, Resource, outcome

SEED = 5
EMPTY: Resource = {"entry": []}


class WritableServer(FhirServer):
    """The tests' FHIR server, which can be written to: a transaction is written whole or not."""

    def __init__(self) -> None:
        super().__init__(EMPTY, page_size=50, authorization="")
        self.fhir_version = "4.0.1"
        self.bundles: list[Resource] = []
        self.refused = ""
        """A resource that is not taken."""
        self._app.routes.insert(0, Route("/fhir/metadata", self._tell_version))
        self._app.routes.insert(0, Route("/fhir", self._write, methods=["POST"]))

    @property
    def stored(self) -> dict[str, Resource]:
        return self._by_reference

    async def _tell_version(self, request: Request) -> Response:
        version = {"resourceType": "CapabilityStatement", "fhirVersion": self.fhir_version}
        return self._refuse(request) or JSONResponse(version)

    async def _write(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        bundle = await request.json()
        self.bundles.append(bundle)
        urls = [entry["request"]["url"] for entry in bundle["entry"]]
        if bundle["type"] == "transaction" and self.refused in urls:
            return outcome(422, f"{self.refused}\nis not liked")
        responses = [self._put(entry) for entry in bundle["entry"]]
        kind = f"{bundle['type']}-response"
        return JSONResponse({"resourceType": "Bundle", "type": kind, "entry": responses})

    def _put(self, entry: Resource) -> Resource:
        url = entry["request"]["url"]
        assert entry["request"]["method"] == "PUT"
        if url == self.refused:
            issue = {"severity": "error", "code": "invalid", "details": {"text": "not liked"}}
            refusal = {"resourceType": "OperationOutcome", "issue": [issue]}
            return {"response": {"status": "422 Unprocessable", "outcome": refusal}}
        status = "200 OK" if url in self._by_reference else "201 Created"
        if url not in self._by_reference:
            self._resources.append(entry["resource"])
        self._by_reference[url] = entry["resource"]
        return {"response": {"status": status}}


@pytest.fixture
async def server() -> AsyncGenerator[WritableServer, None]:
    server = WritableServer()
    await server.start()
    yield server
    await server.stop()


async def load(
    python: Path, base_url: str, *arguments: str, **environment: str
) -> tuple[int, str, str]:
    """Run the example; its status, and what it printed on its two outputs."""
    process = await asyncio.create_subprocess_exec(
        python,
        *("-m", "examples.load_fhir", base_url, "--seed", str(SEED), *arguments),
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_server_has_every_patient_with_all_that_is_theirs(
    example_python: Path, server: WritableServer
) -> None:
    """Each patient in one transaction that refers to nothing outside, and loading again changes
    nothing; what was loaded is what our own tools then find there."""
    records = records_of(SEED)
    total, patients = len(records.resources), len(records.patients)
    status, out, err = await load(example_python, server.base_url)
    loaded = f"{patients} patients, {total} resources"
    assert (status, out) == (0, f"{loaded}: {total} new, 0 replaced\n")
    last = err.splitlines()[-1]
    assert last == f"{patients} of {patients} patients, {total} of {total} resources"
    assert len(err.splitlines()) == patients
    assert server.stored == records.by_reference
    assert [bundle["type"] for bundle in server.bundles] == ["transaction"] * patients
    for bundle in server.bundles:
        urls = {entry["request"]["url"] for entry in bundle["entry"]}
        assert set(re.findall(r'"reference": "([^"]+)"', json.dumps(bundle))) <= urls

    status, out, _ = await load(example_python, server.base_url)
    assert (status, out) == (
        0,
        f"{patients} patients, {total} resources: 0 new, {total} replaced\n",
    )
    assert server.stored == records.by_reference
    async with rest_of(server) as rest:
        assert await rest.count_patients() == patients


async def test_a_batch_of_which_one_resource_is_refused_says_which(
    example_python: Path, server: WritableServer
) -> None:
    """Then the same again, when the server has been mended, loads everything."""
    server.refused = next(iter(records_of(SEED).by_reference))
    status, out, err = await load(example_python, server.base_url, "--batch")
    assert (status, out) == (1, "")
    sentence = f"{server.refused} was refused with 422 Unprocessable: not liked."
    assert err.splitlines()[-1] == sentence
    server.refused = ""
    assert (await load(example_python, server.base_url, "--batch"))[0] == 0
    assert server.stored == records_of(SEED).by_reference


async def test_what_goes_wrong_is_one_sentence(
    example_python: Path, server: WritableServer
) -> None:
    async def told(*arguments: str, **environment: str) -> str:
        status, out, err = await load(example_python, *arguments, **environment)
        assert (status, out) == (1, "")
        (line,) = err.splitlines()
        return line

    base = server.base_url
    server.refused = next(iter(records_of(SEED).by_reference))
    assert await told(base) == f"{base} answers POST with 422: {server.refused} is not liked."
    server.fhir_version = "5.0.0"
    assert await told(base) == f"{base}/ serves FHIR 5.0.0; the patients are R4."
    seen: list[str | None] = []

    def refuse(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return outcome(401, "who are you?")

    server.instead = refuse
    sentence = f"{base} answers GET with 401: who are you?; set FHIR_TOKEN"
    assert (await told(base)).startswith(sentence)
    assert (await told(base, FHIR_TOKEN="SECRET-T")).startswith(sentence)
    assert (await told(base, FHIR_CLIENT_ID="a", FHIR_CLIENT_SECRET="b")).startswith(sentence)
    assert seen == [None, "Bearer SECRET-T", "Basic YTpi"]
    server.instead = lambda request: Response("<html>", 200)
    assert await told(base) == f"{base} answers GET with 200; that is no FHIR."
    await server.stop()
    assert (await told(base)).startswith(f"{base} does not answer: ConnectError")
    assert "4" in await told("localhost:4/fhir")
