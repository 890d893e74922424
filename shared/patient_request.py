"""A `/patient` request on its way to a worker, and the answer on its way back.

The request is an entry of the work stream like any message; its answer is a list with one element
that the gateway waits for. There is no session: nothing of it is kept longer than a minute.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NewType, cast
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.keys import Keys
from shared.redis_client import Redis, ask

_log = logging.getLogger(__name__)

RequestId = NewType("RequestId", str)
"""One `/patient` request."""

REPLY_TTL_SECONDS = 60
PUT = "redis.call('RPUSH', KEYS[1], ARGV[1]); redis.call('EXPIRE', KEYS[1], ARGV[2])"
"""One step: an answer that nobody takes must not stay for ever."""


@dataclass(frozen=True)
class PatientRequest:
    """A question for one patient's history; the work stream carries it."""

    request_id: RequestId
    patient_id: str
    """A UUID: the gateway has checked it."""
    traceparent: str


class PatientSummary(BaseModel):
    """What a worker found about a patient."""

    model_config = ConfigDict(frozen=True)

    status: Literal["found"] = "found"
    patient_name: str
    clinical_summary: str
    key_conditions: list[str] = []
    active_medications: list[str] = []
    recent_encounters: list[str] = []


class NoSuchPatient(BaseModel):
    """There is no patient with this id."""

    model_config = ConfigDict(frozen=True)

    status: Literal["not_found"] = "not_found"


class PatientFailed(BaseModel):
    """The worker could not find out; why is in its log."""

    model_config = ConfigDict(frozen=True)

    status: Literal["failed"] = "failed"


PatientAnswer = PatientSummary | NoSuchPatient | PatientFailed
_ANSWER: TypeAdapter[PatientAnswer] = TypeAdapter(
    Annotated[PatientAnswer, Field(discriminator="status")]
)


class PatientAnswers:
    """The answers of one deployment: workers put one, the gateway that asked takes it."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def put(self, request_id: RequestId, answer: PatientAnswer) -> None:
        """Answer. A second answer to a request lies beside the first and is taken by nobody. Raises
        `Unavailable`: call it again."""
        run = cast(Callable[..., Awaitable[Any]], self._client.eval)
        key, text = self._keys.reply(request_id), answer.model_dump_json()
        await ask(self._client, lambda: run(PUT, 1, key, text, REPLY_TTL_SECONDS))

    async def take(self, request_id: RequestId, seconds: float) -> PatientAnswer | None:
        """The answer, or `None` when there was none in time. Raises `Unavailable`: call it again
        with the time that is left."""
        wait = cast(Callable[..., Awaitable[Any]], self._client.blpop)
        key = self._keys.reply(request_id)
        reply = await ask(
            self._client, lambda: wait([key], timeout=seconds), blocks_seconds=seconds
        )
        if reply is None:
            return None
        try:
            return _ANSWER.validate_json(reply[1])
        except ValidationError as error:
            _log.warning("request %s: its answer is none of ours: %s", request_id, error.title)
            return PatientFailed()


def make_request_id() -> RequestId:
    """An id for one request."""
    return RequestId(uuid4().hex)
