"""How the built page travels: protected, cached as long as it is true, and compressed."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.page import SafeHeaders
from tests.gateway.built_page import PAGE, fetch_raw, serving, write_build

POLICY = {
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}

# Whose pages may read an answer depends on who asks (R95), also of the page's own files.
VARY = "Accept-Encoding, Origin"


@pytest.fixture
async def built(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A gateway in this process, that serves a page of the test's own."""
    async with serving(write_build(tmp_path)) as http:
        yield http


@pytest.mark.parametrize("path", ["/", "/s/a", "/favicon.svg", "/assets/app.js"])
async def test_the_page_loads_nothing_from_elsewhere_and_stands_in_no_frame(
    built: httpx.AsyncClient, path: str
) -> None:
    """UI.md section 5; a picture that is opened alone is a page too."""
    headers = (await built.get(path)).headers
    assert set(headers["content-security-policy"].split("; ")) == POLICY
    assert headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/assets/app.js", 200), ("/nothing", 404), ("/docs", 200), ("/redoc", 200),
     ("/healthz", 200), ("/sessions/a*", 400), ("/chat", 410)],
)  # fmt: skip
async def test_no_answer_is_guessed_at_or_tells_a_session_s_id_to_others(
    built: httpx.AsyncClient, path: str, status: int
) -> None:
    method = {400: "DELETE", 410: "POST"}.get(status, "GET")
    answer = await built.request(method, path)
    assert answer.status_code == status
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/healthz"])
async def test_the_page_s_policy_is_the_page_s_alone(built: httpx.AsyncClient, path: str) -> None:
    """The API's own pages load their scripts from elsewhere."""
    assert "content-security-policy" not in (await built.get(path)).headers


async def test_sockets_pass_the_headers_untouched() -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        seen.append(message)

    scope: Scope = {"type": "websocket"}
    await SafeHeaders(app)(scope, receive, send)
    assert seen == [(scope, receive, send)]


@pytest.mark.parametrize(
    ("path", "cached"),
    [
        ("/", "no-cache"),
        ("/s/a", "no-cache"),
        ("/favicon.svg", "public, max-age=3600"),
        ("/assets/app.js", "public, max-age=31536000, immutable"),
        ("/assets/app.css", "public, max-age=31536000, immutable"),
    ],
)
async def test_only_what_has_a_hash_in_its_name_is_kept_for_good(
    built: httpx.AsyncClient, path: str, cached: str
) -> None:
    answer = await built.get(path)
    assert answer.headers["cache-control"] == cached
    unchanged = await built.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    assert unchanged.headers["cache-control"] == cached


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"run() in Brotli"),
        ("gzip;q=1.0, br;q=0.1", "br", b"run() in Brotli"),
        ("BR", "br", b"run() in Brotli"),
        ("*", "br", b"run() in Brotli"),
        ("gzip", "gzip", b"run() in gzip"),
        ("br;q=0, gzip", "gzip", b"run() in gzip"),
        ("br; q=0.000 ,*;q=0.5", "gzip", b"run() in gzip"),
        ("gzip;q=0, br;q=0", None, b"run()"),
        ("*;q=0", None, b"run()"),
        ("identity", None, b"run()"),
        ("deflate, brr, xgzip", None, b"run()"),
        ("", None, b"run()"),
    ],
)
async def test_a_script_comes_in_the_smallest_coding_that_the_browser_takes(
    built: httpx.AsyncClient, accepted: str, coding: str | None, body: bytes
) -> None:
    """Under its own type, and never to be mixed up in a cache."""
    answer, raw = await fetch_raw(built, "/assets/app.js", accepted)
    assert (answer.status_code, raw) == (200, body)
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == VARY


@pytest.mark.parametrize(
    ("path", "coding", "media_type"),
    [
        ("/assets/app.css", "gzip", "text/css; charset=utf-8"),
        ("/favicon.svg", None, "image/svg+xml"),
        ("/", "gzip", "text/html; charset=utf-8"),
    ],
)
async def test_what_the_build_has_not_compressed_so_comes_otherwise(
    built: httpx.AsyncClient, path: str, coding: str | None, media_type: str
) -> None:
    answer, _ = await fetch_raw(built, path, "br, gzip")
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-type"] == media_type


@pytest.mark.parametrize("path", ["/", "/assets/app.js"])
async def test_each_coding_is_revalidated_by_a_tag_of_its_own(
    built: httpx.AsyncClient, path: str
) -> None:
    tags: set[str] = set()
    for accepted in ("identity", "gzip", "br, gzip"):
        headers = {"accept-encoding": accepted}
        tag = (await fetch_raw(built, path, accepted))[0].headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            same = await built.get(path, headers=headers | {"if-none-match": known})
            assert (same.status_code, same.content) == (304, b"")
            assert (same.headers["etag"], same.headers["vary"]) == (tag, VARY)
        for unknown in ('"other"', tag[1:-1], "", *tags - {tag}):
            headers["if-none-match"] = unknown
            async with built.stream("GET", path, headers=headers) as other:
                assert other.status_code == 200
        tags.add(tag)
    assert len(tags) == (2 if path == "/" else 3)


async def test_another_page_has_another_tag(tmp_path: Path) -> None:
    """So a browser takes the page of a new build; two gateways agree on one build's."""
    tags: list[str] = []
    for name, page in (("a", PAGE), ("b", PAGE), ("c", "another")):
        async with serving(write_build(tmp_path / name, page)) as http:
            tags.append((await fetch_raw(http, "/", "gzip"))[0].headers["etag"])
    assert tags[0] == tags[1] != tags[2]


@pytest.mark.parametrize("path", ["/", "/s/a", "/favicon.svg", "/assets/app.js"])
@pytest.mark.parametrize("accepted", ["identity", "br, gzip"])
async def test_head_tells_what_get_would(
    built: httpx.AsyncClient, path: str, accepted: str
) -> None:
    told = await built.head(path, headers={"accept-encoding": accepted})
    answer, body = await fetch_raw(built, path, accepted)
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers == answer.headers
    assert told.headers["content-length"] == str(len(body))
