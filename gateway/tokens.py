"""Tokens: JWTs that somebody else has issued, checked and read. What they grant is `access.py`'s.

A shared secret goes with HS256, a key set (JWKS) with asymmetric algorithms, and never the one with
the other's: else whoever knows the public key could sign.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import jwt

from gateway.access import Denied, Grant
from gateway.settings import GatewaySettings

MAX_TOKEN_CHARACTERS = 8192
MAX_SESSION_NAMES = 1000
SECRET_ALGORITHMS = ("HS256",)
KEY_SET_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
)  # fmt: skip

BAD_TOKEN = "Your token is not valid here."
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What PyJWT raises for a token: its own errors, and Python's for claims of strange types and for
JSON that is too deep."""


class Keys(Protocol):
    """Where keys that tokens were signed with are found."""

    async def key_of(self, token: str) -> Any:
        """The key for this token. Raises `jwt.InvalidTokenError` where there is none, and
        `KeysAway`."""
        ...


class KeysAway(Exception):
    """The keys cannot be asked for at the moment."""


class SharedSecret:
    """The one key of `AUTH_SECRET`."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def key_of(self, token: str) -> str:
        return self._secret


class Tokens:
    """Checks tokens, for one gateway."""

    def __init__(self, keys: Keys, settings: GatewaySettings) -> None:
        self._keys = keys
        self._settings = settings
        self._algorithms = SECRET_ALGORITHMS if settings.auth_secret else KEY_SET_ALGORITHMS

    async def grant_of(self, token: str) -> Grant:
        """What the token grants. Raises `Denied`; what is wrong with a token that was not signed
        for us is not told."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Denied(401, "token", BAD_TOKEN)
        try:
            key = await self._keys.key_of(token)
            return _grant(self._claims_of(token, key), self._settings)
        except jwt.ExpiredSignatureError as error:
            raise Denied(401, "expired", "Your token has expired.") from error
        except UNREADABLE as error:
            raise Denied(401, "token", BAD_TOKEN) from error
        except KeysAway as error:
            sentence = "Tokens cannot be checked at the moment; try again."
            raise Denied(503, "unavailable", sentence, retry_after=1) from error

    def _claims_of(self, token: str, key: Any) -> Mapping[str, Any]:
        settings = self._settings
        return jwt.decode(
            token,
            key,
            algorithms=list(self._algorithms),
            audience=settings.auth_audience or None,
            issuer=settings.auth_issuer or None,
            leeway=settings.auth_leeway_seconds,
            options={"require": ["exp"], "verify_aud": bool(settings.auth_audience)},
        )


def _grant(claims: Mapping[str, Any], settings: GatewaySettings) -> Grant:
    scope = claims.get("scope", "")
    return Grant(
        sessions=_names(claims.get(settings.auth_claim, ())),
        scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
        expires_at=float(claims["exp"]) + settings.auth_leeway_seconds,
    )


def _names(claim: object) -> tuple[str, ...]:
    """One name or a list of them; anything else names no session."""
    if isinstance(claim, str):
        return (claim,)
    if not isinstance(claim, list):
        return ()
    names = cast(list[object], claim)[:MAX_SESSION_NAMES]
    return tuple(name for name in names if isinstance(name, str))
