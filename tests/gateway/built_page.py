"""A build of the web app, small enough to be read here, and a gateway that serves it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx

from gateway.app import build_app
from gateway.settings import GatewaySettings

PAGE = "<!doctype html><title>Fanline</title>"


def write_build(folder: Path, page: str = PAGE) -> Path:
    """`dist` in `folder`, with a secret beside it and traps in it. What the build has compressed
    are other bytes here, so that a test can tell what it was given."""
    frontend = folder / "dist"
    for name, text in {
        "dist/index.html": page,
        "dist/index.html.br": "a page that nobody has put the settings into",
        "dist/index.html.gz": "a page that nobody has put the settings into",
        "dist/favicon.svg": "<svg/>",
        "dist/healthz": "not the gateway's health",
        "dist/.env": "secret",
        "dist/.git/config": "secret",
        "dist/assets/app.js": "run()",
        "dist/assets/app.js.br": "run() in Brotli",
        "dist/assets/app.js.gz": "run() in gzip",
        "dist/assets/app.css": "a{}",
        "dist/assets/app.css.gz": "a{} in gzip",
        "secret.txt": "secret",
        "elsewhere/secret.txt": "secret",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (frontend / "link.txt").symlink_to(folder / "secret.txt")
    (frontend / "linked").symlink_to(folder / "elsewhere")
    return frontend


@asynccontextmanager
async def serving(frontend: Path, **settings: str) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client of a gateway in this process. It takes nothing compressed unless a test asks."""
    app = build_app(GatewaySettings.model_validate(settings), frontend)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://localhost",
        headers={"accept-encoding": "identity"},
    ) as http:
        yield http


async def fetch_raw(
    http: httpx.AsyncClient, path: str, accept_encoding: str
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it travelled."""
    headers = {"accept-encoding": accept_encoding}
    async with http.stream("GET", path, headers=headers) as answer:
        return answer, b"".join([piece async for piece in answer.aiter_raw()])
