"""`python -m agent_worker.fhir`: the server alone, over both transports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastmcp import Client

from tests.agent_worker.fhir.records import records_of
from tests.agent_worker.fhir.served import serve_fhir
from tests.support.fhir_server import fhir_server


async def test_it_serves_the_bundle_of_a_seed_over_streamable_http(tmp_path: Path) -> None:
    """And a client's mistake leaves no traceback in its log."""
    async with serve_fhir(tmp_path, "http", "--seed", 4) as server, Client(server.url) as client:
        counted = await client.call_tool("count_patients")
        wrong = await client.call_tool("get_conditions", {}, raise_on_error=False)
        unknown = await client.call_tool(
            "get_conditions", {"patient_id": "nobody"}, raise_on_error=False
        )
    assert counted.structured_content == {"patients": len(records_of(4).patients)}
    assert wrong.is_error
    assert unknown.is_error
    assert "Traceback" not in server.log()


async def test_it_serves_a_bundle_from_a_file_over_sse(tmp_path: Path) -> None:
    """Any FHIR R4 bundle."""
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": "Only"}]}
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": patient}]}))
    serving = serve_fhir(tmp_path, "sse", "--bundle", file)
    async with serving as server, Client(server.url) as client:
        found = await client.call_tool("search_patients", {"name": "only"})
    assert (found.structured_content or {})["rows"][0]["id"] == "p"


async def test_it_serves_what_a_fhir_server_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by an option, which wins over the setting; the token comes from the environment."""
    monkeypatch.setenv("FHIR_TOKEN", "t0ken")
    monkeypatch.setenv("FHIR_BASE_URL", "http://127.0.0.1:1")
    records = records_of(6)
    async with (
        fhir_server(records.bundle, authorization="Bearer t0ken") as fhir,
        serve_fhir(tmp_path, "http", "--base-url", fhir.base_url) as server,
        Client(server.url) as client,
    ):
        found = await client.call_tool("search_patients", {"limit": 100})
    rows = (found.structured_content or {})["rows"]
    assert {row["id"] for row in rows} == {patient["id"] for patient in records.patients}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base-url", "x.example/fhir"], "FHIR_BASE_URL: it begins with http"),
        (["--base-url", "http://x.example", "--seed", "2"], "not allowed with"),
        (["--bundle", "nowhere.json"], "nowhere.json cannot be read"),
        (["--bundle", "x.json", "--seed", "2"], "not allowed with"),
    ],
)
def test_wrong_arguments_end_it_with_a_sentence(arguments: list[str], said: str) -> None:
    """No traceback."""
    command = [sys.executable, "-m", "agent_worker.fhir", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
