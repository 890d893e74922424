"""What a gateway does not start with."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.access import Denied
from gateway.settings import GatewaySettings
from gateway.tokens import SharedSecret, Tokens
from tests.gateway.signing_in import SECRET, a_token

URL = "https://id.example/keys"


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.0.2.7", "gateway.example", "", "127.1.example"]
)
def test_an_open_host_needs_a_word_about_who_may_come(host: str) -> None:
    """`AUTH_MODE=none` in so many words, or tokens."""
    with pytest.raises(ValidationError, match="AUTH_MODE=none"):
        GatewaySettings(host=host)
    assert GatewaySettings(host=host, auth_mode="none").host == host
    assert GatewaySettings(host=host, auth_mode="jwt", auth_jwks_url=URL).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_needs_none(host: str) -> None:
    assert GatewaySettings(host=host).auth_mode is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "one of AUTH_SECRET and AUTH_JWKS_URL"),
        ({"auth_secret": "s" * 32, "auth_jwks_url": URL}, "one of AUTH_SECRET and AUTH_JWKS_URL"),
        ({"auth_secret": "short"}, "at least 32 bytes"),
        ({"auth_jwks_url": "keys"}, "URL"),
        ({"auth_secret": "s" * 32, "trusted_proxies": "proxy.example"}, "trusted_proxies"),
    ],
)
def test_tokens_that_could_not_be_checked_stop_it(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        GatewaySettings(auth_mode="jwt", **settings)


TOKENS = Tokens(SharedSecret(SECRET), GatewaySettings(auth_mode="jwt", auth_secret=SECRET))  # pyright: ignore[reportArgumentType]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.text() | st.text("abc._-=").map(lambda text: f"eyJhbGciOiJIUzI1NiJ9.{text}"))
async def test_any_text_is_a_token_or_is_refused(text: str) -> None:
    """Whatever is sent, 401 and no other exception."""
    with pytest.raises(Denied) as denied:
        await TOKENS.grant_of(text)
    assert denied.value.status == 401


@given(ANY_JSON, ANY_JSON)
async def test_any_claims_that_are_signed_grant_what_they_name_and_no_more(
    sessions: Any, scope: Any
) -> None:
    """A claim of a strange shape names nothing."""
    grant = await TOKENS.grant_of(a_token(sessions=sessions, scope=scope))
    texts = [sessions] if isinstance(sessions, str) else sessions
    listed = cast(list[object], texts) if isinstance(texts, list) else []
    named = [text for text in listed if isinstance(text, str)]
    assert list(grant.sessions) == named
    assert grant.scopes == frozenset(scope.split() if isinstance(scope, str) else ())


def test_what_is_wrong_with_a_secret_is_said_without_it() -> None:
    """What stops a process is logged."""
    with pytest.raises(ValidationError) as wrong:
        GatewaySettings(auth_mode="jwt", auth_secret="too short")  # pyright: ignore[reportArgumentType]
    assert "at least 32 bytes" in str(wrong.value)
    assert "too short" not in str(wrong.value)
