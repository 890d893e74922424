"""The web app's page: what the frontend's build has written, served from memory.

The folder is read once, when the gateway is built, and each file in it gets a route of its own. No
request names a file, so no path leads out of the folder, and nothing is read, compressed or hashed
on the event loop, on which every tab's frames wait. A new build is served after a restart.
"""

import gzip
import hashlib
import html
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.settings import GatewaySettings
from shared.ids import parse_session_id

INDEX = "index.html"
PLACEHOLDER = re.compile(r"__([A-Z]+(?:_[A-Z]+)*)__")
"""In the page, for a setting of this name."""
CODINGS = {"br": ".br", "gzip": ".gz"}
"""What the build writes beside each text file, the smallest first."""

REVALIDATED = "no-cache"
SHORT = "public, max-age=3600"
IMMUTABLE = "public, max-age=31536000, immutable"
"""For `assets/`, where a name has the hash of its content."""

# Everything of the page, its socket included, comes from where the page came from. Styles of
# elements are set by the libraries that place menus and dialogs.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    # Whoever knows a session's id can open it, and it is in the page's URL.
    "Referrer-Policy": "no-referrer",
}

_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


class SafeHeaders:
    """ASGI middleware: the headers that every HTTP answer has. Sockets pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(EVERYWHERE)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class PageFile:
    """One file: its bytes in each coding, and `identity` among them."""

    def __init__(self, media_type: str, cache: str, codings: Mapping[str, bytes]) -> None:
        self._media_type = media_type
        self._bodies = codings
        self._headers = {
            coding: PAGE_HEADERS
            | {"Cache-Control": cache, "ETag": make_etag(body), "Vary": "Accept-Encoding"}
            | ({} if coding == "identity" else {"Content-Encoding": coding})
            for coding, body in codings.items()
        }

    async def serve(self, request: Request) -> Response:
        """The smallest coding that the client takes; 304 when it has that one."""
        coding = self._choose(request.headers.get("accept-encoding", ""))
        headers, body = self._headers[coding], self._bodies[coding]
        if has_current(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if request.method == "HEAD":
            headers, body = headers | {"Content-Length": str(len(body))}, b""
        return Response(body, headers=headers, media_type=self._media_type)

    def _choose(self, accepted: str) -> str:
        usable = (coding for coding in CODINGS if coding in self._bodies)
        return next((coding for coding in usable if accepts(accepted, coding)), "identity")


def build_page_routes(frontend: Path, settings: GatewaySettings) -> APIRouter:
    """The page at `/` and at every `/s/{session_id}`, and its files; no route without a page."""
    router = APIRouter()
    if not (frontend / INDEX).is_file():
        return router
    page = read_page(frontend / INDEX, settings)

    async def serve_session(request: Request) -> Response:
        try:
            parse_session_id(request.path_params["session_id"])
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, 404)
        return await page.serve(request)

    # A route for GET answers HEAD too.
    routes = {"/": page.serve, "/s/{session_id}": serve_session}
    routes |= {f"/{name}": read_file(frontend, name).serve for name in find_files(frontend)}
    for path, serve in routes.items():
        router.add_route(path, serve, methods=["GET"], include_in_schema=False)
    return router


def find_files(frontend: Path) -> Iterator[str]:
    """The paths below `frontend` that have a URL: nothing hidden, nothing that a link takes from
    elsewhere, and neither the page, which has URLs of its own, nor a coding of another file."""
    root = frontend.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        is_hidden = any(part.startswith(".") for part in name.parts)
        is_inside = path.is_file() and path.resolve().is_relative_to(root)
        is_content = path.suffix not in CODINGS.values() and name != Path(INDEX)
        if is_inside and is_content and not is_hidden:
            yield name.as_posix()


def read_page(index: Path, settings: GatewaySettings) -> PageFile:
    """The page, told what it has to know of its gateway, and everybody who opens it may; the
    build's own codings know nothing of it."""
    told = {
        "JAEGER_UI_URL": settings.jaeger_ui_url,
        "AUTH_MODE": settings.auth_mode or "none",
        "AUTH_SIGN_IN_URL": settings.auth_sign_in_url,
    }
    text = PLACEHOLDER.sub(
        lambda found: html.escape(told.get(found[1], found[0])), index.read_text("utf-8")
    )
    plain = text.encode()
    # Without a time in it, the page of every gateway behind one address has the same ETag.
    codings = {"gzip": gzip.compress(plain, mtime=0), "identity": plain}
    return PageFile("text/html", REVALIDATED, codings)


def read_file(frontend: Path, name: str) -> PageFile:
    """A file, with the codings that lie beside it."""
    codings = {"identity": (frontend / name).read_bytes()}
    for coding, suffix in CODINGS.items():
        encoded = frontend / f"{name}{suffix}"
        if encoded.is_file():
            codings[coding] = encoded.read_bytes()
    cache = IMMUTABLE if name.startswith("assets/") else SHORT
    return PageFile(media_type_of(name), cache, codings)


def media_type_of(name: str) -> str:
    """The same on every machine: a script under a wrong type does not run, for `nosniff`."""
    known = mimetypes.MimeTypes()
    known.add_type("text/javascript", ".js")
    known.add_type("font/woff2", ".woff2")
    return known.guess_type(name)[0] or "application/octet-stream"


def make_etag(body: bytes) -> str:
    """From the bytes that travel, so that each coding of a file has its own."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def has_current(if_none_match: str, etag: str) -> bool:
    """Whether the client's copy is this one (RFC 9110, 13.1.2: compared weakly)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def accepts(accept_encoding: str, coding: str) -> bool:
    """Whether the client takes `coding` (RFC 9110, 12.5.3); `q=0` says that it does not."""
    parts = (part.partition(";") for part in accept_encoding.lower().split(","))
    offered = {name.strip(): parameters for name, _, parameters in parts}
    parameters = offered.get(coding, offered.get("*"))
    return parameters is not None and _REFUSED.fullmatch(parameters) is None
