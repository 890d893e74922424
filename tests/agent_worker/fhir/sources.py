"""The kinds of source, each over the same bundle, for tests that must not see a difference."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agent_worker.fhir.rest import FhirRest
from agent_worker.fhir.rest_client import RestClient
from agent_worker.fhir.source import FhirSource
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.summaries import Resource
from tests.support.fhir_server import FhirServer, fhir_server

SOURCES = ("bundle", "rest")
TIMEOUT_SECONDS = 10.0


@asynccontextmanager
async def source_of(kind: str, bundle: Resource) -> AsyncGenerator[FhirSource, None]:
    """The source of this kind, for the block."""
    if kind == "bundle":
        yield FhirStore(bundle)
        return
    async with fhir_server(bundle) as server, rest_of(server) as rest:
        yield rest


@asynccontextmanager
async def rest_of(
    server: FhirServer, timeout_seconds: float = TIMEOUT_SECONDS, token: str = ""
) -> AsyncGenerator[FhirRest, None]:
    """The source over this server, for the block."""
    rest = FhirRest(RestClient(server.base_url, timeout_seconds, token))
    try:
        yield rest
    finally:
        await rest.aclose()
