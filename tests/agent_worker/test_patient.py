"""`POST /patient`: the contract, through real processes and the embedded bundle."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import httpx2 as httpx
import pytest

from agent_worker.fhir.synthesis import build_bundle
from dev.embedded_redis import EmbeddedRedis
from tests.support.deployment import Deployment, Process, deploy
from tests.support.eventually import eventually
from tests.support.otlp_receiver import Span, receive_spans
from tests.support.stub_model import Call, Reply, StubModel

SEED = 41
RESOURCES: list[dict[str, Any]] = [entry["resource"] for entry in build_bundle(SEED)["entry"]]
NOT_FOUND = {"detail": "Patient not found or no data"}
FAILED = {"detail": "Internal error generating patient history"}


def of_patient(kind: str, patient_id: str) -> list[dict[str, Any]]:
    reference = {"reference": f"Patient/{patient_id}"}
    return [one for one in RESOURCES if one["resourceType"] == kind and one["subject"] == reference]


def a_patient_with_much() -> dict[str, Any]:
    """The patient of the bundle with the most medicines."""
    patients = [one for one in RESOURCES if one["resourceType"] == "Patient"]
    return max(patients, key=lambda one: len(of_patient("MedicationRequest", one["id"])))


@pytest.fixture(scope="module")
async def clinic(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway, and a worker with the demo model over the bundle."""
    folder = tmp_path_factory.mktemp("clinic")
    settings = {"MODEL": "demo", "FHIR_SEED": str(SEED), "LINGER_SECONDS": "0.1"}
    async with deploy(redis_server, folder, **settings) as own:
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


async def ask(gateway: Process, patient_id: object, **more: object) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as http:
        return await http.post(f"{gateway.http}/patient", json={"patient_id": patient_id, **more})


async def test_a_patient_s_history_is_made_of_that_patient_s_resources(clinic: Deployment) -> None:
    patient = a_patient_with_much()
    answer = await ask(clinic.processes[0], patient["id"])
    assert answer.status_code == 200
    history = answer.json()
    name = patient["name"][0]
    assert set(history) == {
        "patient_id", "patient_name", "clinical_summary", "key_conditions", "active_medications",
        "recent_encounters", "generated_at",
    }  # fmt: skip
    assert history["patient_id"] == patient["id"]
    assert history["patient_name"] == f"{name['given'][0]} {name['family']}"
    conditions = {one["code"]["text"] for one in of_patient("Condition", patient["id"])}
    assert set(history["key_conditions"]) == conditions
    medicines = of_patient("MedicationRequest", patient["id"])
    assert len(history["active_medications"]) == len(medicines)
    for medicine in medicines:
        text = medicine["medicationCodeableConcept"]["text"]
        assert any(line.startswith(text) for line in history["active_medications"])
    days = {one["period"]["start"][:10] for one in of_patient("Encounter", patient["id"])}
    assert {line.split(": ")[0] for line in history["recent_encounters"]} <= days
    assert history["recent_encounters"]
    assert history["generated_at"].endswith(("Z", "+00:00"))


async def test_an_unknown_patient_is_not_found(clinic: Deployment) -> None:
    answer = await ask(clinic.processes[0], str(uuid4()))
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize("patient_id", ["", "x", 7, None, ["a"], "123e4567-e89b"])
async def test_what_is_no_uuid_is_refused_with_the_framework_s_detail(
    clinic: Deployment, patient_id: object
) -> None:
    answer = await ask(clinic.processes[0], patient_id)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "patient_id"]


async def test_a_request_without_a_body_is_refused(clinic: Deployment) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{clinic.processes[0].http}/patient")
    assert answer.status_code == 422


async def test_what_the_model_writes_of_id_and_time_is_not_taken(
    deployment: Deployment, stub: StubModel
) -> None:
    """The gateway knows whose history it asked for, and when it came."""
    gateway = await deployment.start_gateway()
    await deployment.start_worker()
    patient_id = str(uuid4())
    invented = {"patient_name": "N", "clinical_summary": "S", "patient_id": str(uuid4())}
    output = Call("patient_history", invented | {"generated_at": "1999-01-01T00:00:00Z"})
    stub.script(patient_id, Reply(calls=[output]))
    answer = await ask(gateway, patient_id)
    assert answer.status_code == 200
    assert answer.json()["patient_id"] == patient_id
    assert not answer.json()["generated_at"].startswith("1999")
    assert answer.json()["key_conditions"] == []


async def test_a_request_is_one_trace_from_its_caller_to_the_tools(
    deployment: Deployment, stub: StubModel
) -> None:
    """Traced like a turn: gateway, worker, agent, model and tool calls under the caller's span."""
    async with receive_spans() as receiver:
        deployment.environment |= receiver.environment("http/protobuf")
        gateway = await deployment.start_gateway()
        await deployment.start_worker()
        patient_id, trace_id, caller = str(uuid4()), uuid4().hex, uuid4().hex[:16]
        known = Call("patient_history", {"patient_name": "N", "clinical_summary": "S"})
        stub.script(patient_id, Reply(calls=[Call("count_patients", {})]), Reply(calls=[known]))
        headers = {"traceparent": f"00-{trace_id}-{caller}-01"}
        async with httpx.AsyncClient(timeout=60) as http:
            body = {"patient_id": patient_id}
            answer = await http.post(f"{gateway.http}/patient", json=body, headers=headers)
        assert answer.status_code == 200

        async def arrived() -> list[Span]:
            spans = await receiver.spans(trace_id)
            return spans if {"receive patient request", "patient request"} <= names(spans) else []

        spans = await eventually(arrived, "both processes have sent their spans")
    assert {"invoke_agent patient_history_agent", "chat m-x"} <= names(spans)
    assert "execute_tool count_patients" in names(spans)
    parents = {span.span_id: span.parent_span_id for span in spans}
    for span in spans:
        place = span.span_id
        while place in parents:
            place = parents[place]
        assert place == caller, f"{span.name} belongs to the caller's span"


def names(spans: list[Span]) -> set[str]:
    return {span.name for span in spans}


async def test_a_model_that_fails_is_an_internal_error_and_its_cause_is_only_logged(
    deployment: Deployment, stub: StubModel
) -> None:
    gateway = await deployment.start_gateway()
    worker = await deployment.start_worker(model_retries=0)
    patient_id = str(uuid4())
    stub.script(patient_id, Reply(status=400))
    answer = await ask(gateway, patient_id)
    assert (answer.status_code, answer.json()) == (500, FAILED)
    assert "patient_history_error" in worker.log()
    assert "ModelRequestRejectedError" in worker.log()
    assert patient_id not in worker.log() + gateway.log()


async def test_without_a_worker_the_time_runs_out_and_nothing_stays_behind(
    deployment: Deployment,
) -> None:
    gateway = await deployment.start_gateway(patient_timeout=0.5)
    answer = await ask(gateway, str(uuid4()))
    assert (answer.status_code, answer.json()) == (500, FAILED)
    async with deployment.client() as client:
        assert await client.xlen(deployment.keys.turns()) == 0
        await client.delete(deployment.keys.turns())  # nobody has made its group


async def test_a_lost_worker_s_request_is_answered_by_another_or_fails_in_time(
    deployment: Deployment, stub: StubModel
) -> None:
    gateway = await deployment.start_gateway()
    first = await deployment.start_worker()
    patient_id = str(uuid4())
    known = Call("patient_history", {"patient_name": "N", "clinical_summary": "S"})
    stub.script(patient_id, reply := Reply(calls=[known], hold_after=0))
    async with httpx.AsyncClient(timeout=60) as http:
        task = asyncio.create_task(
            http.post(f"{gateway.http}/patient", json={"patient_id": patient_id})
        )
        await reply.reached_hold.wait()
        await deployment.start_worker()
        await first.kill()
        await eventually(lambda: stub.runs(patient_id) == 2, "another worker asks the model")
        reply.release()
        answer = await task
    assert (answer.status_code, answer.json()["patient_name"]) == (200, "N")
