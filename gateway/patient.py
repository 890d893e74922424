"""`POST /patient`: a patient's history, worked out by a worker (contract in docs/protocol.md).

The gateway checks the request, puts it on the work stream and waits for the answer. Which patient
was asked about and when the answer was made are set here: a model's word is not taken for either.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException
from opentelemetry import trace
from pydantic import BaseModel

from gateway.access import PATIENT
from gateway.gates import Gates
from gateway.settings import GatewaySettings
from shared.errors import Unavailable
from shared.ids import EntryId
from shared.patient_request import (
    NoSuchPatient,
    PatientAnswer,
    PatientAnswers,
    PatientRequest,
    PatientSummary,
    make_request_id,
)
from shared.tracing import context_of, current_traceparent
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)

NOT_FOUND = "Patient not found or no data"
FAILED = "Internal error generating patient history"
BUSY = "Too many patient histories are being generated"
RETRY_SECONDS = 0.1


class PatientQuery(BaseModel):
    """Whose history is asked for."""

    patient_id: UUID


class PatientHistory(BaseModel):
    """A patient's history."""

    patient_id: UUID
    patient_name: str
    clinical_summary: str
    key_conditions: list[str]
    active_medications: list[str]
    recent_encounters: list[str]
    generated_at: datetime


class PatientEdge:
    """Asks the workers, on behalf of HTTP clients."""

    def __init__(
        self,
        work_stream: WorkStream,
        answers: PatientAnswers,
        settings: GatewaySettings,
        tracer: trace.Tracer,
    ) -> None:
        self._work_stream = work_stream
        self._answers = answers
        self._settings = settings
        self._tracer = tracer
        self._asking = 0

    async def history_of(self, query: PatientQuery, traceparent: str) -> PatientHistory:
        """The history, within `PATIENT_TIMEOUT`; the caller's trace goes on, where it has one.
        Raises `HTTPException` as the contract says."""
        if self._asking >= self._settings.max_patient_requests:
            raise HTTPException(503, BUSY, headers={"Retry-After": "1"})
        self._asking += 1
        try:
            answer = await self._ask(str(query.patient_id), traceparent)
        finally:
            self._asking -= 1
        if isinstance(answer, PatientSummary):
            fields = answer.model_dump(exclude={"status"})
            return PatientHistory(
                patient_id=query.patient_id, generated_at=datetime.now(UTC), **fields
            )
        if isinstance(answer, NoSuchPatient):
            raise HTTPException(404, NOT_FOUND)
        raise HTTPException(500, FAILED)

    async def _ask(self, patient_id: str, traceparent: str) -> PatientAnswer | None:
        with self._tracer.start_as_current_span(
            "receive patient request",
            context=context_of(traceparent),
            kind=trace.SpanKind.PRODUCER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            request = PatientRequest(make_request_id(), patient_id, current_traceparent())
            span.set_attribute("request_id", request.request_id)
            entry_id: EntryId | None = None
            try:
                async with asyncio.timeout(self._settings.patient_timeout):
                    entry_id = await self._submit(request)
                    return await self._take(request)
            except TimeoutError:
                event = "patient_history_error"
                _log.warning("%s: request %s: no answer in time", event, request.request_id)
                span.set_status(trace.StatusCode.ERROR, "no answer in time")
                await self._take_back(entry_id)
                return None

    async def _take_back(self, entry_id: EntryId | None) -> None:
        """Nobody waits for an answer any more: spare the workers what they have not begun."""
        try:
            if entry_id is not None:
                await self._work_stream.acknowledge(entry_id)
        except Unavailable as error:
            _log.warning("a request nobody waits for is left to the workers: %s", error)

    async def _submit(self, request: PatientRequest) -> EntryId:
        while True:
            try:
                return await self._work_stream.submit(request)
            except Unavailable as error:
                # It may stand there already: two entries are two answers, of which one is taken.
                _log.warning("request %s: Redis is away: %s", request.request_id, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, request: PatientRequest) -> PatientAnswer | None:
        while True:
            try:
                return await self._answers.take(request.request_id, self._settings.patient_timeout)
            except Unavailable as error:
                _log.warning("request %s: Redis is away: %s", request.request_id, error)
                await asyncio.sleep(RETRY_SECONDS)


def build_patient_routes(edge: PatientEdge, gates: Gates) -> APIRouter:
    """The route, for the application."""
    router = APIRouter()

    allowed = [Depends(gates.counted), Depends(gates.scope(PATIENT))]

    @router.post("/patient", dependencies=allowed)
    async def patient(  # pyright: ignore[reportUnusedFunction]
        query: PatientQuery, traceparent: Annotated[str, Header()] = ""
    ) -> PatientHistory:
        """A patient's history: name, summary, conditions, medications, encounters."""
        return await edge.history_of(query, traceparent)

    return router
