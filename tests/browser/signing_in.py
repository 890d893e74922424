"""People with a token, kept where a browser keeps it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import BrowserContext

from tests.gateway.signing_in import a_token
from tests.support.deployment import Process

SHORT_SECONDS = 3
LONG_SECONDS = 3600
RENEWED_SECONDS = 0.5


async def sign_in(
    context: BrowserContext, gateway: Process, *sessions: str, seconds: int = LONG_SECONDS
) -> None:
    """As a page that signs people in does: by a cookie that no script can read."""
    token = a_token(seconds=seconds, sub="ada", sessions=list(sessions))
    await context.add_cookies(
        [
            {
                "name": "fanline_token",
                "value": token,
                "url": gateway.http,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )


@asynccontextmanager
async def signed_in_for_moments(
    context: BrowserContext, gateway: Process, session_id: str
) -> AsyncGenerator[None, None]:
    """Each token is good for seconds, and there is always a good one."""

    async def renew() -> None:
        while True:
            await sign_in(context, gateway, session_id, seconds=SHORT_SECONDS)
            await asyncio.sleep(RENEWED_SECONDS)

    await sign_in(context, gateway, session_id, seconds=SHORT_SECONDS)
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
