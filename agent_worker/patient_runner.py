"""Answering one `/patient` request: the agent's run, traced like a turn, and its end as an answer.

The contract's log events are written here, each with the request's id, which is on the spans too;
the patient's is in no log. What went wrong stays in this process.
"""

import logging
from collections.abc import AsyncIterable

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import RunContext

from agent_worker.agents import ClinicalAgents
from agent_worker.models import build_usage_limits
from agent_worker.patient_history import answer_of
from agent_worker.settings import WorkerSettings
from agent_worker.told_content import content_of_spans
from agent_worker.told_spans import make_spans
from shared.patient_request import PatientAnswer, PatientFailed, PatientRequest, PatientSummary
from shared.tracing import context_of

_log = logging.getLogger(__name__)


class PatientRunner:
    """Runs the patient history agent for one worker process. Raises `ValueError` when
    `TELEMETRY_REDACT` names no function."""

    def __init__(
        self, clinical: ClinicalAgents, settings: WorkerSettings, provider: TracerProvider
    ) -> None:
        self._clinical = clinical
        self._settings = settings
        self._provider = provider
        self._span_content = content_of_spans(settings)
        self._tracer = provider.get_tracer("fanline.worker")

    async def run(self, request: PatientRequest, times_claimed: int) -> PatientAnswer:
        """The answer; whatever fails is `PatientFailed`. A request that has cost `MAX_ATTEMPTS`
        workers is not tried again."""
        with self._tracer.start_as_current_span(
            "patient request",
            context=context_of(request.traceparent),
            kind=trace.SpanKind.CONSUMER,
            attributes={"request_id": request.request_id, "attempt": times_claimed},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if times_claimed > self._settings.max_attempts:
                _log.warning("patient_history_error: request %s: worker lost", request.request_id)
                answer: PatientAnswer = PatientFailed()
            else:
                answer = await self._ask_agent(request)
            span.set_attribute("patient.status", answer.status)
            if isinstance(answer, PatientFailed):
                span.set_status(trace.StatusCode.ERROR)
            return answer

    async def _ask_agent(self, request: PatientRequest) -> PatientAnswer:
        try:
            result = await self._clinical.patient_history_agent.run(
                request.patient_id,
                conversation_id=request.request_id,
                usage_limits=build_usage_limits(self._settings),
                timeout=self._settings.patient_timeout,
                # Streamed like a turn's, so that a long answer is not taken for a silent provider.
                event_stream_handler=_pass_over,
                capabilities=make_spans(self._provider, self._span_content),
            )
        except Exception as error:  # whatever an agent, its model or a tool does
            _log.warning("patient_history_error: request %s", request.request_id, exc_info=error)
            return PatientFailed()
        answer = answer_of(result.output)
        found = isinstance(answer, PatientSummary)
        event = "patient_history_success" if found else "patient_history_not_found"
        _log.info("%s: request %s", event, request.request_id)
        return answer


async def _pass_over(ctx: RunContext[None], events: AsyncIterable[object]) -> None:
    async for _ in events:
        pass
