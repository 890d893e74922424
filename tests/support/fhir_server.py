"""A small FHIR R4 REST server over a bundle, for tests: real searches, paged, strict.

It runs in the test's own process, on a port of its own. Nothing of the product's FHIR code is used
here. A search parameter that it does not know is refused, as `Prefer: handling=strict` asks.
"""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dev.embedded_redis import free_port
from tests.support.eventually import eventually

Resource = dict[str, Any]
Answer = Callable[[Request], Response]
SORTED_BY = {
    "date": ("period", "effectiveDateTime", "recordedDate"),
    "recorded-date": ("recordedDate",),
    "authoredon": ("authoredOn",),
}


class FhirServer:
    """The server, what it was asked, and what it answers instead when a test says so."""

    def __init__(self, bundle: Resource, page_size: int, authorization: str = "") -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}/fhir"
        self.requests: list[str] = []
        """Path and query of each request, decoded."""
        self.instead: Answer | None = None
        """What is answered to everything, when it is set."""
        self._resources: list[Resource] = [entry["resource"] for entry in bundle["entry"]]
        self._by_reference = {_reference_to(one): one for one in self._resources}
        self._page_size = page_size
        self._authorization = authorization
        self._searches: dict[str, tuple[list[Resource], bool]] = {}
        routes = [
            Route("/fhir", self._turn_page),
            Route("/fhir/{kind}", self._search),
            Route("/fhir/{kind}/{resource_id}", self._read),
        ]
        self._app = Starlette(routes=routes)
        self._running: tuple[uvicorn.Server, asyncio.Task[None]] | None = None

    async def start(self) -> None:
        config = uvicorn.Config(
            self._app, port=self.port, log_level="critical", ws="none", lifespan="off"
        )
        server = uvicorn.Server(config)
        # The signals of the test's process are the test runner's.
        server.capture_signals = nullcontext  # pyright: ignore[reportAttributeAccessIssue]
        self._running = server, asyncio.create_task(server.serve())
        await eventually(lambda: server.started, "the FHIR server serves")

    async def stop(self) -> None:
        if self._running is not None:
            server, serving = self._running
            self._running = None
            server.should_exit = server.force_exit = True
            await serving

    def _refuse(self, request: Request) -> Response | None:
        query = f"?{request.url.query}" if request.url.query else ""
        self.requests.append(unquote(f"{request.url.path}{query}"))
        if self.instead is not None:
            return self.instead(request)
        if self._authorization != request.headers.get("Authorization", ""):
            return outcome(401, "who are you?")
        return None

    async def _read(self, request: Request) -> Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        wanted = f"{request.path_params['kind']}/{request.path_params['resource_id']}"
        resource = self._by_reference.get(wanted)
        return outcome(404, f"no {wanted}") if resource is None else _json(resource)

    async def _search(self, request: Request) -> Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        kind = request.path_params["kind"]
        found = [one for one in self._resources if one["resourceType"] == kind]
        options: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name in ("_count", "_summary", "_sort", "_include"):
                options[name] = value
            elif name not in MATCHERS:
                return outcome(400, f"unknown search parameter {name}")
            else:
                wanted = [re.sub(r"\\(.)", r"\1", one) for one in re.split(r"(?<!\\),", value)]
                found = [one for one in found if any(MATCHERS[name](one, w) for w in wanted)]
        if options.get("_summary") == "count":
            return _json({"resourceType": "Bundle", "type": "searchset", "total": len(found)})
        if "_sort" in options:
            fields = SORTED_BY[options["_sort"].removeprefix("-")]
            found.sort(key=lambda one: _moment(one, fields), reverse=options["_sort"][0] == "-")
        search = uuid4().hex
        self._searches[search] = found, options.get("_include") == "Condition:subject"
        return self._page(search, 0, min(int(options.get("_count", 10)), self._page_size))

    async def _turn_page(self, request: Request) -> Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        asked = request.query_params
        return self._page(asked["_getpages"], int(asked["_offset"]), int(asked["_count"]))

    def _page(self, search: str, offset: int, count: int) -> Response:
        found, with_patients = self._searches[search]
        page = found[offset : offset + count]
        entries = [self._entry(one, "match") for one in page]
        if with_patients:
            references = dict.fromkeys(one["subject"]["reference"] for one in page)
            entries += [self._entry(self._by_reference[one], "include") for one in references]
        links = [{"relation": "self", "url": f"{self.base_url}?_getpages={search}"}]
        if offset + count < len(found):
            place = f"_getpages={search}&_offset={offset + count}&_count={count}"
            links.append({"relation": "next", "url": f"{self.base_url}?{place}"})
        return _json(a_searchset(entries, total=len(found), link=links))

    def _entry(self, resource: Resource, mode: str) -> Resource:
        address = f"{self.base_url}/{_reference_to(resource)}"
        return {"fullUrl": address, "resource": resource, "search": {"mode": mode}}


def a_searchset(entries: list[Resource], **fields: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", **fields, "entry": entries}


def outcome(status: int, secret: str) -> Response:
    """An error as FHIR servers give it; `secret` is what nobody else is to see."""
    issue = {"severity": "error", "code": "processing", "diagnostics": secret}
    return _json({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def basic(client_id: str, client_secret: str) -> str:
    """The header's value for these credentials."""
    return "Basic " + base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


def _json(content: Resource, status: int = 200) -> Response:
    return JSONResponse(content, status, media_type="application/fhir+json")


def _reference_to(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _moment(resource: Resource, fields: Iterable[str]) -> str:
    said = [resource[name] for name in fields if name in resource]
    return said[0] if isinstance(said[0], str) else said[0]["start"]


def _is_named(patient: Resource, wanted: str) -> bool:
    parts = [part for name in patient["name"] for part in [*name["given"], name["family"]]]
    return any(part.casefold().startswith(wanted.casefold()) for part in parts)


def _is_identified(patient: Resource, wanted: str) -> bool:
    return any(one["value"] == wanted for one in patient["identifier"])


def _is_of_patient(resource: Resource, wanted: str) -> bool:
    named = resource.get("patient") or resource["subject"]
    return named["reference"] == f"Patient/{wanted}"


def _is_coded(resource: Resource, wanted: str) -> bool:
    return any(coding["code"] == wanted for coding in resource["code"]["coding"])


MATCHERS: dict[str, Callable[[Resource, str], bool]] = {
    "_id": lambda resource, wanted: resource["id"] == wanted,
    "name": _is_named,
    "birthdate": lambda patient, wanted: patient["birthDate"] == wanted,
    "identifier": _is_identified,
    "patient": _is_of_patient,
    "code": _is_coded,
    "code:text": lambda one, wanted: wanted.casefold() in one["code"]["text"].casefold(),
}


@asynccontextmanager
async def fhir_server(
    bundle: Resource, page_size: int = 7, authorization: str = ""
) -> AsyncGenerator[FhirServer, None]:
    """The server over `bundle`, for the block. It gives at most `page_size` matches a page, and
    answers only to requests with this `Authorization`."""
    server = FhirServer(bundle, page_size, authorization)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
