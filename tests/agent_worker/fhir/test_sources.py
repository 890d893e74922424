"""Where the data come from: the settings, in their order."""

import json
from pathlib import Path

import pytest

from agent_worker.fhir.rest import FhirRest
from agent_worker.fhir.sources import build_source
from agent_worker.settings import WorkerSettings
from tests.agent_worker.fhir.records import records_of


@pytest.fixture
def bundle_file(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.json"
    patient = {"resourceType": "Patient", "id": "p"}
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient}]}))
    return file


async def test_synthetic_patients_are_there_when_nothing_is_set() -> None:
    """Those of the seed."""
    source = build_source(WorkerSettings(fhir_seed=7))
    assert await source.count_patients() == len(records_of(7).patients)


async def test_a_bundle_comes_before_the_synthetic_patients(bundle_file: Path) -> None:
    source = build_source(WorkerSettings(fhir_bundle=str(bundle_file), fhir_seed=7))
    assert await source.count_patients() == 1


def test_a_server_comes_before_a_bundle(bundle_file: Path) -> None:
    settings = WorkerSettings(fhir_base_url="http://127.0.0.1:1/fhir", fhir_bundle=str(bundle_file))
    assert isinstance(build_source(settings), FhirRest)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("fhir_base_url", "x.example/fhir", "FHIR_BASE_URL"),
        ("fhir_bundle", "nowhere.json", "nowhere.json cannot be read"),
    ],
)
def test_a_wrong_setting_is_told_when_the_process_starts(
    setting: str, value: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        build_source(WorkerSettings.model_validate({setting: value}))
