"""Who may open a socket: the session id in the URL and the page that the browser came from."""

from starlette.datastructures import Headers, QueryParams

from shared.ids import SessionId, parse_session_id


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
