"""Redis is there and refuses this process: its password, its rights, or one of the certificates.

It may come right without this process (rights are given, a certificate is renewed): whoever asks
goes on asking, as when Redis is away. But it is somebody's mistake, and lasts until somebody hears
of it. So it is told at ERROR, in the server's words, once a minute.
"""

import logging
import ssl
from collections.abc import Iterator

from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError

from shared.logs import Seldom

REFUSALS = (AuthenticationError, AuthorizationError, NoPermissionError, ssl.SSLError)
WORDS = ("NOPERM", "ACL failure in script", "The user executing the script")
"""What an answer begins with where the client has no type for it: in a script, on a subscription;
in Valkey's words and in Redis'."""

_log = logging.getLogger(__name__)
_log.addFilter(Seldom())  # refused is every command, many times a second


def tell_refusal(error: BaseException) -> None:
    """Log it, if this error means, or comes from one that means, that Redis refuses us."""
    if any(_is_refusal(cause) for cause in _causes(error)):
        _log.error("Redis refuses this process: %s", error)


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, REFUSALS) or str(error).startswith(WORDS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it comes from; the client raises its own ones while handling others."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
