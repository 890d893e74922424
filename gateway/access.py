"""Who may do what: what a token grants, and which pages may act in their visitor's name. Pure."""

from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers, QueryParams

from shared.ids import SessionId, parse_session_id

WILDCARD = "*"
OPERATOR, PATIENT = "operator", "patient"
"""Scopes: what an operator looks at (metrics, the documentation of the API), and `/patient`."""


Reason = Literal[
    "address_tabs", "address_waiting", "body", "connections", "draining", "expired", "head", "host",
    "no_ticket", "no_tickets", "no_token", "origin", "scope", "session", "session_id",
    "session_tabs", "slow", "tabs", "ticket", "token", "token_in_url", "too_many_requests",
    "unavailable",
]  # fmt: skip
"""Why something is refused, for the metric; docs/security.md says what each means."""


class Denied(Exception):
    """A request that is refused; the text is for the person who made it."""

    def __init__(
        self, status: int, reason: Reason, sentence: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        """An HTTP status."""
        self.reason: Reason = reason
        self.sentence = sentence
        self.headers: dict[str, str] = {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)


@dataclass(frozen=True)
class Grant:
    """What whoever comes may do, and until when."""

    sessions: tuple[str, ...]
    """Ids, and beginnings of ids that end in `*`."""
    scopes: frozenset[str]
    expires_at: float | None
    """Seconds since 1970; `None`: it does not end."""

    def covers(self, session_id: SessionId) -> bool:
        """Whether this session may be read and written."""
        return any(
            session_id.startswith(name[:-1]) if name.endswith(WILDCARD) else session_id == name
            for name in self.sessions
        )

    def check_session(self, session_id: SessionId) -> None:
        """Raises `Denied` for a session of others."""
        if not self.covers(session_id):
            raise Denied(403, "session", "Your token does not name this session.")

    def check_scope(self, scope: str) -> None:
        """Raises `Denied` where the token has not got this scope."""
        if scope not in self.scopes:
            raise Denied(403, "scope", f"Your token lacks the scope {scope!r}.")


EVERYTHING = Grant((WILDCARD,), frozenset({OPERATOR, PATIENT}), None)
"""Where nobody is asked who they are."""


def session_of(query: QueryParams) -> SessionId:
    """The one `session_id` of a request. Raises `ValueError` when there is none, two, or a bad
    one."""
    values = query.getlist("session_id")
    if len(values) != 1:
        raise ValueError("one session_id is required")
    return parse_session_id(values[0])


def is_origin_allowed(headers: Headers, allowed: tuple[str, ...]) -> bool:
    """Whether a handshake with these headers may pass. CORS does not cover WebSockets: without this
    check any page on the web could open a socket in its visitor's name.

    No `Origin` at all is no browser, and passes. An origin equal to the request's own `Host` is
    never foreign; `null` always is.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    if origin == "null":
        return False
    return origin in allowed or origin.partition("://")[2] == headers.get("host")
