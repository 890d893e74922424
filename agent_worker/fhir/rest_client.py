"""HTTP to one FHIR server: requests that stay below its base URL, and answers that are bounded.

Whatever goes wrong becomes one sentence: no address, no body and no exception of the server's
reaches a model or a log.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import quote, urlencode

import httpx2 as httpx

from agent_worker.fhir.source import SourceFailed
from agent_worker.fhir.summaries import Resource

MOST_BYTES = 8 * 1024 * 1024
"""Of one answer."""
AWAY = "The FHIR server cannot be reached."
TOO_SLOW = "The FHIR server did not answer in time."
TOO_LARGE = "The FHIR server's answer is too large: ask for less."
NOT_FHIR = "The FHIR server's answer is not FHIR."
ELSEWHERE = "The FHIR server's next page is not below its base URL, so it was not read."
REFUSALS = {
    401: "The FHIR server refused our credentials.",
    403: "The FHIR server does not allow us to read this.",
    429: "The FHIR server is busy: ask again later.",
}
HEADERS = {
    "Accept": "application/fhir+json",
    # A server that passes over a search parameter would answer with everybody's records.
    "Prefer": "handling=strict",
}
_STEPS = re.compile(r"//|\\|%2e|%2f|%5c|/\.{1,2}(?:/|$)", re.IGNORECASE)
"""What could lead out of a path that begins right."""


class RestClient:
    """A client of the server at `base_url`: one for the process, connected when it is needed.

    Raises `ValueError` for what is no base URL, or a token that no header can carry.
    """

    def __init__(
        self,
        base_url: str,
        timeout_seconds: float,
        token: str = "",
        credentials: tuple[str, str] | None = None,
    ) -> None:
        self._base = _parse_base(base_url)
        if re.fullmatch(r"[!-~]*", token) is None:
            raise ValueError("FHIR_TOKEN: a token is letters, digits and signs, without spaces")
        self._timeout_seconds = timeout_seconds
        self._headers = HEADERS | ({"Authorization": f"Bearer {token}"} if token else {})
        self._auth = httpx.BasicAuth(*credentials) if credentials and not token else None
        self._http: httpx.AsyncClient | None = None

    def url_of(self, *path: str, parameters: Sequence[tuple[str, str]] = ()) -> httpx.URL:
        """The address below the base URL; every part and every value is encoded."""
        address = "/".join([str(self._base).rstrip("/"), *(quote(part, safe="") for part in path)])
        query = urlencode(parameters, quote_via=quote, safe="")
        return httpx.URL(f"{address}?{query}" if query else address)

    def next_of(self, page: httpx.URL, bundle: Resource) -> httpx.URL | None:
        """Where the page after this one is. Raises `SourceFailed` when that is somewhere else."""
        links: object = bundle.get("link")
        for link in cast(list[Any], links) if isinstance(links, list) else []:
            if isinstance(link, dict) and cast(Resource, link).get("relation") == "next":
                return self._check(page, str(cast(Resource, link).get("url")))
        return None

    def is_here(self, url: str) -> bool:
        """Whether this absolute address is one of this server's."""
        return url.startswith(f"{str(self._base).rstrip('/')}/")

    def relative(self, url: str) -> str:
        """`Type/id` of a resource here, also when it is named by an absolute address."""
        return url[len(str(self._base).rstrip("/")) + 1 :] if self.is_here(url) else url

    async def get(self, url: httpx.URL) -> Resource | None:
        """What is there; `None` for nothing. Raises `SourceFailed`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, body = await self._fetch(url)
        except (TimeoutError, httpx.TimeoutException):
            raise SourceFailed(TOO_SLOW) from None
        except httpx.RequestError:
            raise SourceFailed(AWAY) from None
        if status in (404, 410):
            return None
        if status != 200:
            said = f"The FHIR server did not answer the question (HTTP {status})."
            raise SourceFailed(REFUSALS.get(status, said))
        return _parse(body)

    async def aclose(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _fetch(self, url: httpx.URL) -> tuple[int, bytes]:
        try:
            return await self._fetch_once(url)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # An idle connection that the server had closed meanwhile; reading twice is harmless.
            return await self._fetch_once(url)

    async def _fetch_once(self, url: httpx.URL) -> tuple[int, bytes]:
        if self._http is None:
            self._http = httpx.AsyncClient(
                headers=self._headers,
                auth=self._auth,
                timeout=self._timeout_seconds,
                follow_redirects=False,
            )
        body = bytearray()
        async with self._http.stream("GET", url) as response:
            if response.status_code == 200:
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise SourceFailed(TOO_LARGE)
            return response.status_code, bytes(body)

    def _check(self, page: httpx.URL, link: str) -> httpx.URL:
        try:
            url = page.join(link)
        except (httpx.InvalidURL, ValueError):
            raise SourceFailed(ELSEWHERE) from None
        base_path, path = _path_of(self._base).rstrip("/"), _path_of(url)
        stays = (
            (url.scheme, url.host, url.port)
            == (self._base.scheme, self._base.host, self._base.port)
            and not url.userinfo
            and (path == base_path or path.startswith(f"{base_path}/"))
            and _STEPS.search(path) is None
        )
        if not stays:
            raise SourceFailed(ELSEWHERE)
        return url


def _parse_base(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        raise ValueError("FHIR_BASE_URL: it is not a URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("FHIR_BASE_URL: it begins with http:// or https:// and names a host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("FHIR_BASE_URL: it holds no credentials, no ? and no #")
    return url


def _path_of(url: httpx.URL) -> str:
    return url.raw_path.partition(b"?")[0].decode("ascii", "replace")


def _parse(body: bytes) -> Resource:
    try:
        read: object = json.loads(body)
    except (ValueError, RecursionError):
        raise SourceFailed(NOT_FHIR) from None
    if not isinstance(read, dict) or "resourceType" not in read:
        raise SourceFailed(NOT_FHIR)
    return cast(Resource, read)
