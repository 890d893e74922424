"""Who gets a socket: everything that is asked of a handshake, in one place and in one order.

What costs nothing is asked first, what is shared through Redis last. A refusal is an HTTP answer
with a sentence, and a metric; it is no error of ours.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket

from gateway.access import EVERYTHING, Denied, Grant, Reason, session_of
from gateway.callers import Callers
from gateway.health import Probe
from gateway.limits import Seats, address_of
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tickets import Tickets
from shared.errors import Unavailable
from shared.ids import SessionId

TOKEN_PARAMETERS = ("token", "access_token", "authorization", "jwt")
"""What nobody may put into a URL: it would be in every log on its way."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A handshake that may become a tab."""

    session_id: SessionId
    expires_at: float | None
    """When its token ends, in seconds since 1970; `None`: never."""
    seats: tuple[tuple[str, str], ...]
    """Where it is counted."""

    def has_expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at


class Admission:
    """Lets tabs in, on one gateway."""

    def __init__(
        self,
        callers: Callers,
        tickets: Tickets,
        seats: Seats,
        probe: Probe,
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._callers = callers
        self._tickets = tickets
        self._seats = seats
        self._probe = probe
        self._settings = settings
        self._metrics = metrics
        self._inside = 0

    async def admit(self, websocket: WebSocket) -> Admitted | None:
        """Let the handshake in, or refuse it: then `None`. Who was let in has to `leave`."""
        # Not `websocket.headers`, which would stay as long as the socket; nor its query.
        headers = Headers(scope=websocket.scope)
        query = QueryParams(websocket.scope["query_string"])
        self._inside += 1
        try:
            session_id = self._check(headers, query)
            grant = await self._identify(headers, query, session_id)
            seats = await self._take_seats(websocket, session_id)
        except BaseException as error:
            self._inside -= 1
            if isinstance(error, Unavailable):
                sentence = "Tickets cannot be checked at the moment; try again."
                error = Denied(503, "unavailable", sentence, retry_after=1)
            if not isinstance(error, Denied):
                raise
            await self._refuse(websocket, error)
            return None
        return Admitted(session_id, grant.expires_at, seats)

    def leave(self, admitted: Admitted) -> None:
        """Its socket is closed."""
        self._inside -= 1
        for kind, name in admitted.seats:
            self._seats.release(kind, name)

    async def _refuse(self, websocket: WebSocket, denied: Denied) -> None:
        self._metrics.refuse(denied.reason)
        body = {"detail": denied.sentence}
        await websocket.send_denial_response(JSONResponse(body, denied.status, denied.headers))

    def _check(self, headers: Headers, query: QueryParams) -> SessionId:
        self._callers.check_origin(headers)
        if self._probe.draining:
            sentence = "This gateway is going; come back to another."
            raise Denied(503, "draining", sentence, retry_after=1)
        if self._inside > self._settings.max_tabs:
            raise Denied(503, "tabs", "This gateway has no room for another tab.", retry_after=1)
        try:
            session_id = session_of(query)
        except ValueError as error:
            raise Denied(400, "session_id", str(error)) from error
        if any(name.lower() in TOKEN_PARAMETERS for name in query):
            sentence = "A token does not belong in a URL: POST it to /tickets, and use the ticket."
            raise Denied(400, "token_in_url", sentence)
        return session_id

    async def _identify(self, headers: Headers, query: QueryParams, session_id: SessionId) -> Grant:
        if not self._callers.need_tickets:
            return EVERYTHING
        grant = await self._callers.identify_script(headers)
        if grant is not None:
            grant.check_session(session_id)
            return grant
        tickets = query.getlist("ticket")
        if len(tickets) != 1:
            raise Denied(401, "no_ticket", "One ticket is required: POST /tickets gives it.")
        return await self._tickets.redeem(tickets[0], session_id)

    async def _take_seats(
        self, websocket: WebSocket, session_id: SessionId
    ) -> tuple[tuple[str, str], ...]:
        limits: tuple[tuple[str, str, int, Reason], ...] = (
            # First: whose address is full must not take seats of other people's sessions.
            ("address", address_of(websocket), self._settings.max_address_tabs, "address_tabs"),
            ("session", session_id, self._settings.max_session_tabs, "session_tabs"),
        )
        taken: list[tuple[str, str]] = []
        try:
            for kind, name, limit, reason in limits:
                if limit and not await self._seats.take(kind, name, limit):
                    sentence = f"This {kind} has {limit} tabs open already."
                    raise Denied(429, reason, sentence, retry_after=1)
                if limit:
                    taken.append((kind, name))
        except BaseException:
            for seat in taken:
                self._seats.release(*seat)
            raise
        return tuple(taken)
