"""Tokens that an identity provider signs with keys of its own, found at AUTH_JWKS_URL."""

import asyncio
import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from gateway.access import Denied
from gateway.key_set import KeySet
from gateway.settings import GatewaySettings
from gateway.tokens import Tokens
from tests.support.eventually import eventually


class Provider:
    """An identity provider: its keys, and how often they were asked for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked = 0
        self.is_away = False
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._public: list[dict[str, Any]] = []
        self._private: dict[str, Any] = {}
        self._algorithms: dict[str, str] = {}

    def add_rsa(self, name: str) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._add(name, "RS256", key, RSAAlgorithm.to_jwk(key.public_key()))

    def add_ec(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._add(name, "ES256", key, ECAlgorithm.to_jwk(key.public_key()))

    def add_secret(self, name: str, secret: str) -> None:
        """A symmetric key, which nobody should publish."""
        word = base64url_encode(secret.encode()).decode()
        self._public.append({"kty": "oct", "k": word, "kid": name, "use": "sig"})

    def sign(self, key: str, as_name: str = "", /, **claims: Any) -> str:
        told = {"exp": time.time() + 60, "sessions": "*", **claims}
        headers = {"kid": as_name or key}
        return jwt.encode(told, self._private[key], self._algorithms[key], headers)

    @contextmanager
    def holding_back(self) -> Generator[None]:
        """Whoever asks meanwhile waits for an answer."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    def answer(self) -> bytes | None:
        self.asked += 1
        self._may_answer.wait()
        return None if self.is_away else json.dumps({"keys": self._public}).encode()

    def _add(self, name: str, algorithm: str, key: Any, public: str) -> None:
        self._private[name], self._algorithms[name] = key, algorithm
        self._public.append(json.loads(public) | {"kid": name, "use": "sig"})


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving() as own:
        own.add_rsa("one")
        yield own


@contextmanager
def serving() -> Generator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = own.answer()
            self.send_response(500 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass  # it would stand among the test's own output

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        own = Provider(f"http://127.0.0.1:{server.server_port}/keys")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield own
        server.shutdown()
        thread.join()


def tokens_of(provider: Provider, **settings: Any) -> Tokens:
    own = GatewaySettings(auth_mode="jwt", auth_jwks_url=provider.url, **settings)
    return Tokens(KeySet(provider.url), own)


async def test_a_token_is_checked_with_the_key_that_it_names(provider: Provider) -> None:
    """RSA and elliptic curves; the keys are asked for once."""
    provider.add_ec("two")
    tokens = tokens_of(provider)
    signed = [provider.sign(name) for name in ("one", "two") for _ in range(5)]
    grants = await asyncio.gather(*(tokens.grant_of(token) for token in signed))
    assert {grant.sessions for grant in grants} == {("*",)}
    assert provider.asked == 1


async def test_a_key_of_another_is_refused(provider: Provider) -> None:
    """A token that names a key of ours and is signed with another one."""
    with serving() as other:
        other.add_rsa("one")
        with pytest.raises(Denied, match="not valid"):
            await tokens_of(provider).grant_of(other.sign("one"))


async def test_a_public_key_is_no_secret(provider: Provider) -> None:
    """HS256 with something that everybody can read: refused, even where the set publishes it."""
    secret = "published, so that it is no secret at all"
    provider.add_secret("three", secret)
    claims = {"exp": time.time() + 60, "sessions": "*"}
    token = jwt.encode(claims, secret, "HS256", {"kid": "three"})
    with pytest.raises(Denied, match="not valid"):
        await tokens_of(provider).grant_of(token)


async def test_unknown_keys_are_not_asked_for_again_and_again(provider: Provider) -> None:
    """Whoever makes tokens up cannot make us ask the provider once for each."""
    tokens = tokens_of(provider)
    for number in range(50):
        with pytest.raises(Denied) as denied:
            await tokens.grant_of(provider.sign("one", f"made up {number}"))
        assert denied.value.status == 401
    assert provider.asked == 1


async def test_a_key_that_nobody_knows_holds_up_no_key_that_is_known(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the provider takes its time to say that it has no such key, tokens with keys that were
    read before are good, even if it is time to read those again."""
    monkeypatch.setattr("gateway.key_set.KEEP_SECONDS", 0)
    monkeypatch.setattr("gateway.key_set.ASK_AGAIN_SECONDS", 0)
    tokens = tokens_of(provider)
    await tokens.grant_of(provider.sign("one"))
    with provider.holding_back():
        unknown = asyncio.create_task(tokens.grant_of(provider.sign("one", "made up")))
        await eventually(lambda: provider.asked == 2, "the provider is asked for the unknown key")
        assert (await tokens.grant_of(provider.sign("one"))).sessions == ("*",)
        assert not unknown.done()
    with pytest.raises(Denied, match="not valid"):
        await unknown


async def test_while_the_provider_is_away_nobody_new_is_let_in_by_mistake(
    provider: Provider,
) -> None:
    """503 as long as no key was ever read."""
    provider.is_away = True
    with pytest.raises(Denied) as denied:
        await tokens_of(provider).grant_of(provider.sign("one"))
    assert denied.value.status == 503


async def test_keys_outlive_their_provider(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that are old and cannot be read anew are kept; ones that are new are found."""
    monkeypatch.setattr("gateway.key_set.KEEP_SECONDS", 0)
    monkeypatch.setattr("gateway.key_set.ASK_AGAIN_SECONDS", 0)
    tokens = tokens_of(provider)
    await tokens.grant_of(provider.sign("one"))
    provider.is_away = True
    await tokens.grant_of(provider.sign("one"))
    provider.is_away = False
    provider.add_rsa("new")
    await tokens.grant_of(provider.sign("new"))


async def test_issuer_and_audience_are_looked_at_where_they_are_set(provider: Provider) -> None:
    tokens = tokens_of(provider, auth_issuer="https://id.example", auth_audience="fanline")
    good: dict[str, Any] = {"iss": "https://id.example", "aud": ["other", "fanline"]}
    await tokens.grant_of(provider.sign("one", **good))
    for bad in ({"iss": "https://evil.example"}, {"aud": "other"}, {"aud": None}, {"iss": None}):
        claims = {name: value for name, value in (good | bad).items() if value is not None}
        with pytest.raises(Denied, match="not valid"):
            await tokens.grant_of(provider.sign("one", **claims))
    await tokens_of(provider).grant_of(provider.sign("one", **good))
