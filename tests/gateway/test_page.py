"""The built page: served when it is there, after everything else that has a name."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2 as httpx
import pytest

from dev.embedded_redis import EmbeddedRedis
from gateway.app import build_app
from gateway.settings import GatewaySettings
from tests.gateway.raw_tab import a_session

PAGE = "<!doctype html><title>Fanline</title>"


@pytest.fixture
async def built(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A gateway in this process, that serves a page of the test's own."""
    frontend = tmp_path / "dist"
    (frontend / "assets").mkdir(parents=True)
    (frontend / "index.html").write_text(PAGE)
    (frontend / "assets" / "app.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    async with client_of(redis_server, frontend) as http:
        yield http


def client_of(server: EmbeddedRedis, frontend: Path) -> httpx.AsyncClient:
    settings = GatewaySettings.model_validate({"redis_url": server.url})
    app = build_app(settings, frontend)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://gateway.example"
    )


async def test_the_page_and_its_assets_are_served(built: httpx.AsyncClient) -> None:
    """R53."""
    page = await built.get("/")
    assert (page.status_code, page.text) == (200, PAGE)
    assert page.headers["content-type"].startswith("text/html")
    assert (await built.get("/assets/app.js")).text == "run()"


async def test_a_deep_link_is_the_page(built: httpx.AsyncClient) -> None:
    """REQUIREMENTS 2.4: `/s/ID`; what is no session id has no page."""
    assert (await built.get(f"/s/{a_session()}")).text == PAGE
    for path in ("/s/a*b", "/s/" + "a" * 129, "/s/", "/s/a/b"):
        assert (await built.get(path)).status_code == 404


async def test_the_api_comes_before_the_page(built: httpx.AsyncClient) -> None:
    """R96."""
    assert (await built.get("/healthz")).json() == {"status": "ok"}
    assert (await built.get("/docs")).status_code == 200
    assert (await built.get("/ws")).status_code == 426
    assert (await built.post("/chat")).status_code == 410
    assert (await built.get("/telemetry/a")).status_code == 410


@pytest.mark.parametrize("path", ["/nothing", "/assets/none.js", "/..%2fsecret.txt", "/S/a"])
async def test_any_other_path_is_404_as_json(built: httpx.AsyncClient, path: str) -> None:
    """DESIGN section 5."""
    answer = await built.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"]


async def test_without_a_page_the_api_works_alone(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    """REQUIREMENTS 2.4: then `/` is 404."""
    async with client_of(redis_server, tmp_path / "not built") as http:
        for path in ("/", f"/s/{a_session()}"):
            answer = await http.get(path)
            assert answer.status_code == 404
            assert answer.json()["detail"]
        assert (await http.get("/healthz")).status_code == 200
