"""Whatever comes from outside is a value or a refusal of its own kind, and never anything else.

What is fuzzed elsewhere is not fuzzed here: client frames, positions and ids beside their modules,
tokens and the sessions that they name in `tests/gateway/test_auth_settings.py`, a model's arguments
beside `translate`.
"""

import ipaddress
import json
import re
import time
from base64 import urlsafe_b64encode
from typing import Any, cast

import jwt
import pytest
from fanline.events import parse_event
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.access import Denied, is_origin_allowed, session_of
from gateway.callers import Callers
from gateway.gates import OwnCookie
from gateway.limits import Rates, address_of
from gateway.live_text import read_runs
from gateway.page import accepts, has_current
from gateway.settings import GatewaySettings
from gateway.tokens import SharedSecret, Tokens
from shared.cluster_url import parse_cluster_url
from shared.ids import SESSION_ID_PATTERN
from shared.sentinel import parse_sentinel_url
from shared.tracing import context_of
from tests.gateway.signing_in import SECRET, a_token

SAFE_IN_A_KEY = re.compile(r"-|[0-9a-f:.]{2,45}")
SETTINGS = GatewaySettings.model_validate({"auth_mode": "jwt", "auth_secret": SECRET})
TOKENS = Tokens(SharedSecret(SECRET), SETTINGS)
CALLERS = Callers(TOKENS, cast(Rates, None), SETTINGS)
GOOD = a_token(sessions="*", seconds=10_000)

header_values = st.binary(max_size=200).map(lambda data: data.translate(None, b"\r\n\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def headers_of(*pairs: tuple[str, bytes]) -> Headers:
    return Headers(raw=[(name.encode(), value) for name, value in pairs])


words = st.sampled_from(["session_id", "=", "&", ";", "%", "%00", "a", "%C3%A9", "+", "#", "[]"])


@given(st.lists(words | st.text(max_size=5), max_size=12).map("".join))
def test_any_query_names_one_session_or_none(query: str) -> None:
    try:
        session_id = session_of(QueryParams(query.encode()))
    except ValueError:
        return
    assert re.fullmatch(SESSION_ID_PATTERN, session_id)


addresses = (
    st.ip_addresses().map(str)
    | st.sampled_from(["127.0.0.1", "::1", "[::1]:80", "10.0.0.1:http", "fe80::1%eth0", ""])
    | st.text(st.characters(max_codepoint=255), max_size=30)
    | st.text("0123456789abcdef:.[]%", max_size=60)
)


@given(st.lists(addresses, max_size=8).map(", ".join), st.sampled_from(["127.0.0.1", "10.9.9.9"]))
async def test_any_chain_of_addresses_ends_in_one_that_is_safe_in_a_key(
    chain: str, peer: str
) -> None:
    """From a trusted proxy and from anybody else, whom no header makes somebody else."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(address_of(HTTPConnection(scope)))

    scope: Any = {
        "type": "http",
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", chain.encode("latin-1"))],
    }
    await ProxyHeadersMiddleware(app, "127.0.0.1, ::1")(scope, cast(Any, None), cast(Any, None))
    (address,) = seen
    assert SAFE_IN_A_KEY.fullmatch(address), address
    if peer != "127.0.0.1":
        assert address == peer


@given(st.text(max_size=60) | st.ip_addresses().map(str))
def test_what_stands_for_an_address_is_an_address(host: str) -> None:
    told = address_of(HTTPConnection({"type": "http", "client": (host, 1), "headers": []}))
    assert told == "-" or ipaddress.ip_address(told)


hosts = st.sampled_from(["app.example", "gateway", "GATEWAY", "gateway:80", "", "a b"])
origins = st.tuples(
    st.sampled_from(["http://", "https://", "HTTPS://", "://", "", "null", "user@"]),
    hosts,
    st.sampled_from(["", ".", "/", ":80", "#", "?", "%00", " ", ".evil.example", ",x"]),
).map(lambda parts: "".join(parts).encode())


@given(origins | header_values, hosts)
def test_an_origin_is_ours_letter_by_letter_or_foreign(origin: bytes, host: str) -> None:
    headers = headers_of(("origin", origin), ("host", host.encode()))
    told = origin.decode("latin-1")
    is_ours = told == "https://app.example" or told.partition("://")[2] == host
    assert is_origin_allowed(headers, ("https://app.example",)) == (is_ours and told != "null")


credentials = st.sampled_from(
    [b"Bearer", b"bearer ", b"Basic ", b"fanline_token", b"=", b";", b'"', b"\\", b" ", b",", b"."]
)


@given(
    st.sampled_from(["authorization", "cookie"]),
    st.lists(credentials | header_values, max_size=8).map(b"".join),
    st.booleans(),
)
async def test_any_credentials_are_good_or_refused(name: str, value: bytes, is_good: bool) -> None:
    """401; or the grant of the good token that is among them."""
    value += GOOD.encode() if is_good else b""
    kept: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(Request(scope))

    scope: Any = {"type": "http", "method": "GET", "headers": [(name.encode(), value)]}
    await OwnCookie(app, "fanline_token")(scope, cast(Any, None), cast(Any, None))
    try:
        grant = await CALLERS.identify(kept[0])
    except Denied as denied:
        assert denied.status == 401  # noqa: PT017 - it may be granted as well
        return
    assert is_good
    assert grant.sessions == ("*",)


@given(st.sampled_from(["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "crit"]), json_values)
async def test_any_signed_claim_is_good_or_refused(name: str, value: Any) -> None:
    """Whoever issues tokens for us may write anything into them."""
    try:
        claims: dict[str, Any] = {"sessions": "*", "exp": time.time() + 60, name: value}
        token = jwt.encode(claims, SECRET, "HS256")
    except (TypeError, ValueError):
        return  # PyJWT itself does not write this
    try:
        grant = await TOKENS.grant_of(token)
    except Denied as denied:
        assert denied.status == 401  # noqa: PT017 - it may be granted as well
        return
    assert grant.sessions == ("*",)


@pytest.mark.parametrize("depth", [500, 1500, 5000])
async def test_a_deep_head_of_a_token_is_refused(depth: int) -> None:
    """Python's parser of JSON gives up with an error of its own."""
    for part in (b"[" * depth, b'{"a":' * depth):
        with pytest.raises(Denied):
            await TOKENS.grant_of(f"{urlsafe_b64encode(part).decode().rstrip('=')}.e30.AA")


texts = st.binary(max_size=60) | st.tuples(
    st.integers(0, 10**17), st.integers(0, 10**17), st.sampled_from(["s", "other", "s" * 129]),
    st.binary(max_size=10),
).map(
    lambda parts: b'{"id":"%d-%d","type":"custom","session_id":"%s"%s}'
    % (parts[0], parts[1], parts[2].encode(), parts[3])
)  # fmt: skip


@given(st.lists(texts, max_size=12))
def test_whatever_is_published_is_a_run_of_ours_or_dropped(published: list[bytes]) -> None:
    """What is in a run came in this order, is of this session, and is text."""
    given_on = [text for run in read_runs(published, b"s") for text in run.texts]
    rest = iter(published)
    assert all(text in rest for text in given_on)
    for text in given_on:
        assert b'"session_id":"s"' in text
        text.decode()


@given(st.text(max_size=80))
def test_any_header_of_a_page_is_read(text: str) -> None:
    assert not accepts(text, "br") or "br" in text.lower() or "*" in text
    assert not has_current(text, '"tag"') or '"tag"' in text or "*" in text
    context_of(text)


url_parts = st.lists(
    st.sampled_from(
        ["host", ":", "@", ",", "[", "]", "/", "?", "#", "0", "6379", "%", "é", "99999"]
    )
    | st.text(max_size=4),
    max_size=10,
).map("".join)


@given(url_parts)
def test_any_url_of_redis_is_read_or_refused_without_its_password(rest: str) -> None:
    password = "hunter2hunter2"
    for scheme, parse in (
        ("redis+sentinel", parse_sentinel_url),
        ("redis+cluster", parse_cluster_url),
        ("rediss+cluster", parse_cluster_url),
    ):
        try:
            parsed = parse(f"{scheme}://user:{password}@{rest}")
        except ValueError as error:
            assert password not in str(error)  # noqa: PT017 - it may be one as well
        else:
            assert password not in repr(parsed)


frames = json_values.map(json.dumps) | st.dictionaries(
    st.sampled_from(["type", "id", "session_id", "x"]),
    st.sampled_from(["custom", "1-1", "1-", "-", "٣-1", "9" * 5000 + "-1"]) | json_values,
).map(json.dumps)


@given(st.text() | st.binary() | frames | st.just("[" * 100_000))
def test_the_client_takes_any_frame_or_passes_it_over(text: str | bytes) -> None:
    """`ValueError`, on which a session goes on."""
    try:
        event = parse_event(text)
    except ValueError:
        return
    assert isinstance(event.type, str)
