"""The built page: served when it is there, after everything else that has a name."""

import gzip
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2 as httpx
import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from tests.gateway.built_page import PAGE, fetch_raw, serving, write_build
from tests.gateway.raw_tab import a_session

WITH_JAEGER = '<meta name="jaeger-ui-url" content="__JAEGER_UI_URL__" />'
SECRET = "0123456789" * 4
WITH_SIGN_IN = "__AUTH_MODE__ __AUTH_SIGN_IN_URL__ __ELSE__ __auth_mode__"


@pytest.fixture
async def built(tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A gateway in this process, that serves a page of the test's own."""
    async with serving(write_build(tmp_path)) as http:
        yield http


async def test_the_page_and_its_assets_are_served(built: httpx.AsyncClient) -> None:
    """R53."""
    page = await built.get("/")
    assert (page.status_code, page.text) == (200, PAGE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (await built.get("/assets/app.js")).text == "run()"
    assert (await built.get("/favicon.svg")).text == "<svg/>"


async def test_a_deep_link_is_the_page(built: httpx.AsyncClient) -> None:
    """REQUIREMENTS 2.4: `/s/ID`; what is no session id has no page."""
    assert (await built.get(f"/s/{a_session()}")).text == PAGE
    for path in ("/s/a*b", "/s/" + "a" * 129, "/s/", "/s", "/s/a/b", "/s/a%2Fb", "/s/%C3%A4"):
        answer = await built.get(path)
        assert answer.status_code == 404
        assert answer.json()["detail"]


async def test_the_api_comes_before_the_page(built: httpx.AsyncClient) -> None:
    """R96; `healthz` is a file of the build too."""
    assert (await built.get("/healthz")).json() == {"status": "ok"}
    assert (await built.get("/docs")).status_code == 200
    assert (await built.get("/redoc")).status_code == 200
    assert (await built.get("/ws")).status_code == 426
    assert (await built.post("/chat")).status_code == 410
    assert (await built.get("/telemetry/a")).status_code == 410
    assert (await built.get("/openapi.json")).json()["paths"].keys() == {
        "/healthz", "/readyz", "/metrics", "/sessions/{session_id}", "/patient", "/tickets",
        "/sessions/{session_id}/messages", "/sessions/{session_id}/cancel",
        "/sessions/{session_id}/events",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/S/a", "/assets", "/assets/", "/assets/none.js", "/index.html",
        "/s/a/", "/assets/app.js/", "/healthz/",
        # What the build has compressed has no name of its own.
        "/index.html.br", "/index.html.gz", "/assets/app.js.br", "/assets/app.js.gz",
        # Nothing hidden, and nothing from outside of the build's folder.
        "/.env", "/.git/config", "/link.txt", "/linked/secret.txt", "/secret.txt",
        "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/..%5csecret.txt", "/assets%2fapp.js%00",
        "/assets/..%2f..%2fsecret.txt", "/linked/..%2fsecret.txt", "/%2fetc/passwd",
    ],
)  # fmt: skip
async def test_any_other_path_is_404_as_json(built: httpx.AsyncClient, path: str) -> None:
    """DESIGN section 5."""
    answer = await built.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/s/a", "/assets/app.js"])
async def test_the_page_is_only_read(built: httpx.AsyncClient, path: str) -> None:
    answer = await built.post(path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize("has_folder", [False, True])
async def test_without_a_page_the_api_works_alone(tmp_path: Path, has_folder: bool) -> None:
    """REQUIREMENTS 2.4: then `/` is 404; so it is while a build has not written its page."""
    frontend = tmp_path / "dist"
    if has_folder:
        frontend.mkdir()
    async with serving(frontend) as http:
        for path in ("/", f"/s/{a_session()}"):
            answer = await http.get(path)
            assert answer.status_code == 404
            assert answer.json()["detail"]
        assert (await http.get("/healthz")).status_code == 200


async def test_a_page_is_served_as_it_was_when_the_gateway_started(tmp_path: Path) -> None:
    """A build that is half written is nobody's page."""
    frontend = write_build(tmp_path)
    async with serving(frontend) as http:
        (frontend / "index.html").write_text("another")
        (frontend / "assets" / "app.js").unlink()
        assert (await http.get("/")).text == PAGE
        assert (await http.get("/assets/app.js")).text == "run()"


@pytest.mark.parametrize(
    ("setting", "written"),
    [
        ("", ""),
        ("http://localhost:16686", "http://localhost:16686"),
        ("https://traces.example/jaeger/", "https://traces.example/jaeger"),
        ("https://traces.example/a&b'c", "https://traces.example/a&amp;b&#x27;c"),
        ('https://traces.example/"><script>', "https://traces.example/%22%3E%3Cscript%3E"),
    ],
)
async def test_the_page_says_where_traces_are(tmp_path: Path, setting: str, written: str) -> None:
    """`JAEGER_UI_URL`, in every coding of the page and at every URL of it."""
    expected = f'<meta name="jaeger-ui-url" content="{written}" />'
    async with serving(write_build(tmp_path, WITH_JAEGER), jaeger_ui_url=setting) as http:
        for path in ("/", f"/s/{a_session()}"):
            assert (await http.get(path)).text == expected
            _, squeezed = await fetch_raw(http, path, "gzip, br")
            assert gzip.decompress(squeezed).decode() == expected


@pytest.mark.parametrize(
    "bad",
    [
        "javascript:alert(1)", "ftp://traces.example", "traces.example", "http://", "/jaeger",
        "http://me:secret@traces.example", "http://traces.example/?a=b", "http://traces.example/#a",
    ],
)  # fmt: skip
def test_a_gateway_does_not_start_with_what_is_no_address_of_jaeger(bad: str) -> None:
    with pytest.raises(ValidationError, match="jaeger_ui_url"):
        GatewaySettings.model_validate({"jaeger_ui_url": bad})


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ({}, "none "),
        ({"auth_mode": "none"}, "none "),
        (
            {
                "auth_mode": "jwt",
                "auth_secret": SECRET,
                "auth_sign_in_url": "/in?a=1&to={return_to}",
            },
            "jwt /in?a=1&amp;to={return_to}",
        ),
        ({"auth_sign_in_url": "/in?to=__AUTH_MODE__"}, "none /in?to=__AUTH_MODE__"),
    ],
)
async def test_the_page_says_whether_and_where_people_sign_in(
    tmp_path: Path, settings: dict[str, str], written: str
) -> None:
    """`AUTH_MODE` and `AUTH_SIGN_IN_URL`; nothing else of the page is replaced, and no secret of
    the gateway's is in it."""
    async with serving(write_build(tmp_path, WITH_SIGN_IN), **settings) as http:
        assert (await http.get("/")).text == f"{written} __ELSE__ __auth_mode__"


@pytest.mark.parametrize(
    "good",
    [
        "", "/sign-in", "/sign-in?to={return_to}#top", "https://id.example/start?rd={return_to}",
        "http://localhost:4180/oauth2/start?rd={return_to}&also={return_to}",
    ],
)  # fmt: skip
def test_an_address_to_sign_in_at_is_kept_as_it_is(good: str) -> None:
    settings = GatewaySettings.model_validate({"auth_sign_in_url": good})
    assert settings.auth_sign_in_url == good


@pytest.mark.parametrize(
    "bad",
    [
        "javascript:alert(1)", "//id.example", "/\\id.example", "id.example", "sign-in", "http://",
        "https://me:secret@id.example", "/sign-in?to={returnTo}", "/sign in", "/sign-in\n",
        "https://id.example/\t", "data:text/html,x", " /sign-in",
    ],
)  # fmt: skip
def test_a_gateway_does_not_start_with_what_is_no_address_to_sign_in_at(bad: str) -> None:
    with pytest.raises(ValidationError, match="auth_sign_in_url"):
        GatewaySettings.model_validate({"auth_sign_in_url": bad})
