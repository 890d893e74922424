"""From a tab's frame to the work stream: accept a message, stop a turn, delete a session.

A message is accepted once it stands in the work stream. What was half done when a connection broke
is begun again from its first command; every step is idempotent by `message_id`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NoReturn, TypeVar
from weakref import WeakValueDictionary

from opentelemetry import trace

from gateway.client_frames import Refused, refuse
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from shared.errors import Unavailable
from shared.ids import SessionId, TurnId, make_turn_id
from shared.inbox import Inbox, SubmittedMessage
from shared.promise import Promises
from shared.protocol import CancelTurn, TurnFinished, UserMessage, format_timestamp
from shared.redis_client import RefusedByRedis
from shared.tracing import current_traceparent

_log = logging.getLogger(__name__)

RETRY_SECONDS = 0.1
FULL_SECONDS = 5
"""After so long a message may have been answered, and made room for another."""
T = TypeVar("T")


class Acceptance:
    """What tabs ask for, carried to Redis. Raises `Refused` with the frame for the tab."""

    def __init__(
        self,
        inbox: Inbox,
        promises: Promises,
        settings: GatewaySettings,
        tracer: trace.Tracer,
        metrics: Metrics,
        is_ready: Callable[[], bool],
    ) -> None:
        self._is_ready = is_ready
        self._away = False
        self._locks = WeakValueDictionary[SessionId, asyncio.Lock]()
        self._inbox = inbox
        self._promises = promises
        self._settings = settings
        self._tracer = tracer
        self._metrics = metrics

    async def accept_message(self, session_id: SessionId, frame: UserMessage) -> TurnId:
        """Write the message down, then show it in every tab; returns its turn. Answers within
        `ACCEPT_SECONDS`."""
        message_id = TurnId(frame.message_id) if frame.message_id else make_turn_id()
        attributes = {
            "session_id": session_id,
            "gen_ai.conversation.id": session_id,
            "turn_id": message_id,
        }
        with self._tracer.start_as_current_span(
            "receive message",
            kind=trace.SpanKind.PRODUCER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            message = SubmittedMessage(
                session_id=session_id,
                message_id=message_id,
                content=frame.content,
                timestamp=format_timestamp(datetime.now(UTC)),
                traceparent=current_traceparent(),
            )
            try:
                await self._insist(lambda: self._accept_next(message), session_id, message_id)
            except Refused as refused:
                span.set_status(trace.StatusCode.ERROR, refused.frame.code)
                raise
        return message_id

    async def cancel_turn(self, session_id: SessionId, frame: CancelTurn) -> None:
        """Stop a turn, waiting or running; the answer is its `turn_finished`."""
        await self._insist(lambda: self._cancel(session_id, frame), session_id, None)

    async def delete_session(self, session_id: SessionId) -> None:
        """Remove the session everywhere. Raises `Unavailable`."""
        await self._inbox.delete_session(session_id)

    async def _accept_next(self, message: SubmittedMessage) -> None:
        # One after the other: no two may take the last place in the inbox. Two gateways each may:
        # what stands in the work stream is accepted, so that no script can refuse it later.
        async with self._locks.setdefault(message.session_id, asyncio.Lock()):
            await self._accept(message)

    async def _accept(self, message: SubmittedMessage) -> None:
        known, waiting = await self._inbox.admit(message.session_id, message.message_id)
        if known:
            return
        if waiting >= self._settings.max_inbox:
            refuse(
                message.session_id,
                "too_many",
                f"{waiting} messages are waiting for an answer already.",
                retry_after=FULL_SECONDS,
                message_id=message.message_id,
            )
        await self._promises.accept(message)
        self._metrics.accepted.inc()

    async def _cancel(self, session_id: SessionId, frame: CancelTurn) -> None:
        turn_id = TurnId(frame.turn_id)
        finished = TurnFinished(
            session_id=session_id,
            timestamp=format_timestamp(datetime.now(UTC)),
            turn_id=turn_id,
            status="cancelled",
            duration_ms=0,
        )
        if await self._inbox.cancel(session_id, turn_id, finished) == "unknown":
            sentence = "There is no such turn to stop."
            refuse(session_id, "unknown_turn", sentence, turn_id=turn_id)

    async def _insist(
        self, act: Callable[[], Awaitable[T]], session_id: SessionId, message_id: TurnId | None
    ) -> T:
        """Begin again from the first command until it is done or the time is up. Where Redis was
        away for the last frame and has not come back, the next is refused at once: each would wait
        for the one before it."""
        if self._away and not self._is_ready():
            self._refuse_unavailable(session_id, message_id)
        logged = False
        try:
            async with asyncio.timeout(self._settings.accept_seconds):
                while True:
                    try:
                        result = await act()
                        self._away = False
                        return result
                    except Unavailable as error:
                        if not logged:
                            _log.warning("session %s: Redis is away: %s", session_id[:8], error)
                        logged = True
                        await asyncio.sleep(RETRY_SECONDS)
        except RefusedByRedis as error:  # somebody put something else under this session's keys
            _log.error("session %s: Redis refused: %s", session_id[:8], error)
            refuse(session_id, "internal", "This session cannot be used.", message_id=message_id)
        except TimeoutError:
            self._away = True
            self._refuse_unavailable(session_id, message_id)

    def _refuse_unavailable(self, session_id: SessionId, message_id: TurnId | None) -> NoReturn:
        sentence = "The service cannot take messages at the moment. Please send it again."
        refuse(session_id, "unavailable", sentence, retry_after=1, message_id=message_id)
