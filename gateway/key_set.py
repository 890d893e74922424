"""The key set (JWKS) at `AUTH_JWKS_URL`, kept for a while and asked for again when it is old or a
token names a key that it lacks.

Whoever makes tokens up names keys that nobody has: it is asked for at most once in
`ASK_AGAIN_SECONDS`, once for all who wait, and nobody waits whose key is known.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

import jwt

from gateway.tokens import KeysAway

_log = logging.getLogger(__name__)

KEEP_SECONDS = 300.0
ASK_AGAIN_SECONDS = 10.0
ANSWER_SECONDS = 5.0

NO_KEYS = (jwt.PyJWTError, OSError, ValueError, RecursionError)
"""What the client raises where the provider is away, or answers something else than keys."""


class KeySet:
    """Somebody's public keys."""

    def __init__(self, url: str) -> None:
        # Its own cache is not used: it asks again for every unknown key.
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=ANSWER_SECONDS)
        self._keys: Sequence[jwt.PyJWK] = ()
        self._read_at = self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def key_of(self, token: str) -> jwt.PyJWK:
        """The key that the token names; the only one where it names none. Raises
        `jwt.InvalidTokenError` and `KeysAway`."""
        name = jwt.get_unverified_header(token).get("kid")
        key = self._find(name)
        if key is None or time.monotonic() - self._read_at > KEEP_SECONDS:
            asking = self._ask_again()
            if key is None and asking is not None:
                await asyncio.shield(asking)  # others wait for it too
                key = self._find(name)
        if key is not None:
            return key
        if not self._keys:
            raise KeysAway
        raise jwt.InvalidTokenError("no such key")

    def _ask_again(self) -> asyncio.Task[None] | None:
        """The asking that is under way, or a new one; `None` when it is too soon for that."""
        if self._asking is None or self._asking.done():
            if time.monotonic() - self._asked_at < ASK_AGAIN_SECONDS:
                return None
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask())
        return self._asking

    async def _ask(self) -> None:
        try:
            self._keys = await asyncio.to_thread(self._client.get_signing_keys)
            self._read_at = time.monotonic()
        except NO_KEYS as error:
            _log.warning("AUTH_JWKS_URL: no keys, the older ones stay: %s", type(error).__name__)

    def _find(self, name: str | None) -> jwt.PyJWK | None:
        if name is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.key_id == name), None)
