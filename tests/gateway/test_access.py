"""Who may open a socket: the session id in the URL, the origin of the page."""

import pytest
from starlette.datastructures import Headers, QueryParams

from gateway.access import is_origin_allowed, session_of

ALLOWED = ("http://localhost:3000", "https://chat.example")


@pytest.mark.parametrize("good", ["a", "test-123", "test123", "_-_", "A" * 128, "0" * 36])
def test_a_session_id_of_the_alphabet_passes(good: str) -> None:
    """C11: up to 128 characters."""
    assert session_of(QueryParams({"session_id": good})) == good


@pytest.mark.parametrize(
    "bad",
    [
        "", " ", "a b", "a*", "?", "[a]", "{a}", "a\r\nb", "a\n", "\na", "a\x00", "a/b", "..",
        "a:b", "ä", "\u0661", "\uff21", "a.b", "a" * 129, "a" * 5_000,
    ],
)  # fmt: skip
def test_any_other_session_id_is_refused(bad: str) -> None:
    """C9 to C11: it would become part of a key."""
    with pytest.raises(ValueError, match="session_id"):
        session_of(QueryParams({"session_id": bad}))


@pytest.mark.parametrize("query", ["", "session=a", "session_id=a&session_id=b", "SESSION_ID=a"])
def test_none_or_two_session_ids_are_refused(query: str) -> None:
    """C9, C12: never a shared default, never a choice between two."""
    with pytest.raises(ValueError, match="session_id"):
        session_of(QueryParams(query))


def allowed(origin: str | None, host: str = "gateway.example:8000") -> bool:
    headers = {"host": host} | ({} if origin is None else {"origin": origin})
    return is_origin_allowed(Headers(headers), ALLOWED)


def test_no_origin_is_no_browser_and_passes() -> None:
    assert allowed(None)


@pytest.mark.parametrize("origin", ALLOWED)
def test_a_listed_origin_passes(origin: str) -> None:
    assert allowed(origin)


def test_the_gateway_s_own_page_is_never_foreign() -> None:
    """Behind TLS the page is https and the request plain: the scheme does not matter."""
    assert allowed("http://gateway.example:8000")
    assert allowed("https://gateway.example:8000")
    assert allowed("https://gateway.example", host="gateway.example")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://gateway.example:8001",
        "http://gateway.example",
        "http://localhost:3000.evil.example",
        "http://gateway.example:8000.evil.example",
        "http://evil.example/gateway.example:8000",
        "https://chat.example:444",
        "chat.example",
        "null",
        "",
        "http://[",
    ],
)
def test_a_foreign_origin_does_not_pass(origin: str) -> None:
    """C34, R77."""
    assert not allowed(origin)


def test_null_is_foreign_even_to_a_host_of_that_name() -> None:
    """A sandboxed frame sends it: it stands for anybody."""
    assert not is_origin_allowed(Headers({"host": "null", "origin": "null"}), ("null",))
