"""Who gets a socket: everything that is asked of a handshake, in one place and in one order.

What costs nothing is asked first, what is shared through Redis last. A refusal is an HTTP answer
with a sentence, and a metric; it is no error of ours.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection
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
from shared.ids import SessionId, parse_session_id

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
        try:
            return await self.let_in(websocket)
        except Denied as denied:
            self._metrics.refuse(denied.reason)
            body = {"detail": denied.sentence}
            answer = JSONResponse(body, denied.status, denied.headers)
            await websocket.send_denial_response(answer)
            return None

    async def let_in(self, connection: HTTPConnection) -> Admitted:
        """Let in who asks for a tab, over a socket or as a stream. Raises `Denied`; who was let in
        has to `leave`."""
        # Not `connection.headers`, which would stay as long as the socket; nor its query.
        headers = Headers(scope=connection.scope)
        query = QueryParams(connection.scope["query_string"])
        self._inside += 1
        try:
            self._check(headers, query)
            session_id = _session_of(connection, query)
            grant = await self._identify(connection, headers, query, session_id)
            seats = await self._take_seats(connection, session_id)
        except BaseException as error:
            self._inside -= 1
            if isinstance(error, Unavailable):
                sentence = "Tickets cannot be checked at the moment; try again."
                raise Denied(503, "unavailable", sentence, retry_after=1) from error
            raise
        return Admitted(session_id, grant.expires_at, seats)

    def leave(self, admitted: Admitted) -> None:
        """Its socket is closed."""
        self._inside -= 1
        for kind, name in admitted.seats:
            self._seats.release(kind, name)

    def _check(self, headers: Headers, query: QueryParams) -> None:
        self._callers.check_origin(headers)
        if self._probe.draining:
            sentence = "This gateway is going; come back to another."
            raise Denied(503, "draining", sentence, retry_after=1)
        if self._inside > self._settings.max_tabs:
            raise Denied(503, "tabs", "This gateway has no room for another tab.", retry_after=1)
        if any(name.lower() in TOKEN_PARAMETERS for name in query):
            sentence = "A token does not belong in a URL: POST it to /tickets, and use the ticket."
            raise Denied(400, "token_in_url", sentence)

    async def _identify(
        self,
        connection: HTTPConnection,
        headers: Headers,
        query: QueryParams,
        session_id: SessionId,
    ) -> Grant:
        if not self._callers.need_tickets:
            return EVERYTHING
        tickets = query.getlist("ticket")
        if connection.scope["type"] == "websocket":
            grant = await self._callers.identify_script(headers)
        else:
            # A stream may come with a cookie: a page from elsewhere cannot read what it answers.
            grant = None if tickets else await self._callers.identify(connection)
        if grant is not None:
            grant.check_session(session_id)
            return grant
        if len(tickets) != 1:
            raise Denied(401, "no_ticket", "One ticket is required: POST /tickets gives it.")
        return await self._tickets.redeem(tickets[0], session_id)

    async def _take_seats(
        self, connection: HTTPConnection, session_id: SessionId
    ) -> tuple[tuple[str, str], ...]:
        limits: tuple[tuple[str, str, int, Reason], ...] = (
            # First: whose address is full must not take seats of other people's sessions.
            ("address", address_of(connection), self._settings.max_address_tabs, "address_tabs"),
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


def _session_of(connection: HTTPConnection, query: QueryParams) -> SessionId:
    try:
        if connection.scope["type"] == "websocket":
            return session_of(query)
        return parse_session_id(connection.path_params["session_id"])
    except ValueError as error:
        raise Denied(400, "session_id", str(error)) from error
