"""Tokens as an identity provider makes them, and a gateway's answers to those who bring them."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx
import jwt
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.gateway.raw_tab import RawTab
from tests.support.deployment import Process

SECRET = "a secret of the tests, long enough that HS512 would take it as well, were it asked to"
OTHER_SECRET = "somebody else's secret, just as long as it"
WITH_TOKENS = {"AUTH_MODE": "jwt", "AUTH_SECRET": SECRET, "AUTH_LEEWAY_SECONDS": "0"}


def a_token(*, seconds: float = 600, secret: str = SECRET, **claims: Any) -> str:
    """A token that is good for so many seconds, or was until so many ago."""
    return jwt.encode({"exp": time.time() + seconds, **claims}, secret, "HS256")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(token: str) -> dict[str, str]:
    return {"Cookie": f"other=1; fanline_token={token}"}


async def ask_for_ticket(
    gateway: Process, session_id: object, headers: dict[str, str]
) -> httpx.Response:
    """`POST /tickets`."""
    async with httpx.AsyncClient(base_url=gateway.http) as http:
        return await http.post("/tickets", json={"session_id": session_id}, headers=headers)


async def a_ticket(gateway: Process, session_id: str, token: str) -> str:
    """A ticket that was given."""
    answer = await ask_for_ticket(gateway, session_id, bearer(token))
    assert answer.status_code == 200, answer.text
    return answer.json()["ticket"]


async def handshake(gateway: Process, query: str, **headers: str) -> tuple[int, str]:
    """The status of a handshake and the sentence of its refusal; (101, "") for an open socket."""
    try:
        async with connect(
            f"{gateway.url}?{query}", additional_headers=headers, proxy=None, compression=None
        ):
            return 101, ""
    except InvalidStatus as refused:
        answer = refused.response
    return answer.status_code, json.loads(answer.body)["detail"]


@asynccontextmanager
async def with_ticket(
    gateway: Process, session_id: str, token: str, **query: str
) -> AsyncGenerator[RawTab]:
    """A tab that has asked for its ticket, as the page does."""
    ticket = await a_ticket(gateway, session_id, token)
    words = urlencode({"session_id": session_id, "ticket": ticket, **query})
    async with connect(f"{gateway.url}?{words}", compression=None, proxy=None) as socket:
        yield RawTab(socket, session_id)
