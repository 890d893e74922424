"""What a tab or a script asks for, whichever way it came: held to the limits, and then done."""

import asyncio

from gateway.acceptance import Acceptance
from gateway.client_frames import refuse
from gateway.limits import Rates
from gateway.settings import GatewaySettings
from shared.ids import SessionId, TurnId
from shared.protocol import CancelTurn, UserMessage


class Commands:
    """Obeys client frames."""

    def __init__(self, acceptance: Acceptance, rates: Rates, settings: GatewaySettings) -> None:
        self._acceptance = acceptance
        self._rates = rates
        self._settings = settings

    async def obey(self, frame: UserMessage | CancelTurn, address: str) -> TurnId:
        """Do what a checked frame from this address says; returns the turn it is about. Raises
        `Refused`."""
        session_id = SessionId(frame.session_id)
        await self._check_rate(frame, session_id, address)
        if isinstance(frame, UserMessage):
            return await self._acceptance.accept_message(session_id, frame)
        await self._acceptance.cancel_turn(session_id, frame)
        return TurnId(frame.turn_id)

    async def _check_rate(
        self, frame: UserMessage | CancelTurn, session_id: SessionId, address: str
    ) -> None:
        settings = self._settings
        limits = (
            ("session", session_id, settings.max_messages_per_minute),
            ("address", address, settings.max_address_messages_per_minute),
        )
        # At once: each may take its time where Redis is slow, and the caller waits for an answer.
        waits = await asyncio.gather(*(self._rates.wait_for(*limit) for limit in limits))
        for (kind, _, _), wait in zip(limits, waits, strict=True):
            if wait:
                refuse(
                    session_id,
                    "too_many",
                    f"Too many messages from this {kind}. Wait {wait} seconds.",
                    retry_after=wait,
                    message_id=frame.message_id if isinstance(frame, UserMessage) else None,
                )
