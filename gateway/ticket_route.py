"""`POST /tickets`: what a browser's socket is opened with (docs/protocol.md)."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from gateway.access import Denied
from gateway.callers import Callers
from gateway.gates import Gates
from gateway.tickets import Tickets
from shared.errors import Unavailable
from shared.ids import parse_session_id


class TicketRequest(BaseModel):
    """Which session is to be opened."""

    session_id: str


class Ticket(BaseModel):
    """What opens one socket of it, once."""

    ticket: str
    expires_in: int
    """Seconds."""


def build_ticket_route(callers: Callers, tickets: Tickets, gates: Gates) -> APIRouter:
    """The route, for the application."""
    router = APIRouter()

    @router.post("/tickets", dependencies=[Depends(gates.counted)])
    async def issue(  # pyright: ignore[reportUnusedFunction]
        asked: TicketRequest, request: Request, response: Response
    ) -> Ticket:
        """A ticket for one session, for whose token names it; 404 where tokens are not asked
        for."""
        grant = await callers.identify(request)
        if not callers.need_tickets:
            raise Denied(404, "no_tickets", "This gateway asks for no tickets.")
        try:
            session_id = parse_session_id(asked.session_id)
        except ValueError as error:
            raise Denied(400, "session_id", str(error)) from error
        grant.check_session(session_id)
        response.headers["Cache-Control"] = "no-store"
        try:
            ticket = await tickets.issue(session_id, grant)
        except Unavailable as error:
            sentence = "Redis does not answer; try again."
            raise Denied(503, "unavailable", sentence, retry_after=1) from error
        return Ticket(ticket=ticket, expires_in=tickets.seconds)

    return router
