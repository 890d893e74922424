"""Who is calling: from a request's headers to what they may do."""

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from gateway.access import EVERYTHING, Denied, Grant, is_origin_allowed
from gateway.limits import Rates, address_of
from gateway.settings import GatewaySettings
from gateway.tokens import Tokens

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Callers:
    """Knows callers, for one gateway. Where `tokens` is `None`, everybody may do everything."""

    def __init__(self, tokens: Tokens | None, rates: Rates, settings: GatewaySettings) -> None:
        self._tokens = tokens
        self._rates = rates
        self._settings = settings

    @property
    def need_tickets(self) -> bool:
        """Whether a browser's socket needs a ticket."""
        return self._tokens is not None

    async def identify(self, connection: HTTPConnection) -> Grant:
        """What the caller of an HTTP request may do. Raises `Denied`, also where a page from
        elsewhere would do something in its visitor's name."""
        headers = connection.headers
        if connection.scope["method"] not in SAFE_METHODS:
            self.check_origin(headers)
        if self._tokens is None:
            return EVERYTHING
        token = _bearer_of(headers) or self._cookie_of(headers)
        if not token:
            raise Denied(401, "no_token", "Sign in first: this needs a token.")
        return await self._tokens.grant_of(token)

    async def identify_script(self, headers: Headers) -> Grant | None:
        """What a handshake's `Authorization` grants; `None` where it has none. A cookie opens no
        socket: a browser sends it along whoever asks."""
        token = _bearer_of(headers)
        return None if self._tokens is None or not token else await self._tokens.grant_of(token)

    def check_origin(self, headers: Headers) -> None:
        """Raises `Denied` for a page that is none of ours."""
        if not is_origin_allowed(headers, self._settings.allowed_origins):
            raise Denied(403, "origin", "This origin may not connect.")

    async def count_request(self, connection: HTTPConnection) -> None:
        """Raises `Denied` where the caller's address asks too often."""
        limit = self._settings.max_address_requests_per_minute
        if wait := await self._rates.wait_for("requests", address_of(connection), limit):
            raise Denied(429, "too_many_requests", "Too many requests.", retry_after=wait)

    def _cookie_of(self, headers: Headers) -> str:
        name, _, token = headers.get("cookie", "").partition("=")  # it is alone: see `OwnCookie`
        return token if name == self._settings.auth_cookie else ""


def _bearer_of(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
