"""Where the clinical data come from, as the settings say."""

from pathlib import Path

from agent_worker.fhir.rest import FhirRest
from agent_worker.fhir.rest_client import RestClient
from agent_worker.fhir.source import FhirSource
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.synthesis import build_bundle
from agent_worker.settings import WorkerSettings


def build_source(settings: WorkerSettings) -> FhirSource:
    """The FHIR server, else the bundle, else the synthetic patients. Raises `ValueError`."""
    if settings.fhir_base_url:
        return FhirRest(_build_client(settings))
    if settings.fhir_bundle:
        return FhirStore.from_file(Path(settings.fhir_bundle))
    return FhirStore(build_bundle(settings.fhir_seed))


def _build_client(settings: WorkerSettings) -> RestClient:
    token, user, secret = (
        held.get_secret_value() if held else ""
        for held in (settings.fhir_token, settings.fhir_client_id, settings.fhir_client_secret)
    )
    return RestClient(
        settings.fhir_base_url,
        settings.fhir_timeout,
        token,
        (user, secret) if user or secret else None,
    )
