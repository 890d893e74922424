"""What a test does with the browser: people's windows, and what their pages complained of.

A context is a browser of its own (nothing stored is shared); two tabs of one person are two pages
of one context.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.support.deployment import Process

WIDE: tuple[int, int] = (1280, 800)
FIRST_ERROR_STATUS = 400


def page_address(gateway: Process, session_id: str = "") -> str:
    """Where this gateway shows the session; without one, where everybody begins."""
    return f"{gateway.http}/s/{session_id}" if session_id else f"{gateway.http}/"


@dataclass
class Browsing:
    """The windows of one test. Whatever a page says on the console, any error it does not catch and
    any request that fails is a complaint; at the end only those that were allowed may be there."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=lambda: [])
    complaints: list[str] = field(default_factory=lambda: [])
    _allowed: list[str] = field(default_factory=lambda: [])
    _traced: list[BrowserContext] = field(default_factory=lambda: [])

    async def context(
        self,
        *,
        size: tuple[int, int] = WIDE,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: bool = False,
        traced: bool = True,
    ) -> BrowserContext:
        """A person's browser, without windows yet. `traced=False` where the time that the trace
        takes would be measured too."""
        width, height = size
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            reduced_motion="reduce" if reduced_motion else "no-preference",
            locale="en-GB",
        )
        self.contexts.append(context)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(f"error: {error.error}"))
        context.on("requestfailed", self._on_failure)
        context.on("response", self._on_response)
        if traced:
            await context.tracing.start(screenshots=True, snapshots=True)
            self._traced.append(context)
        return context

    async def open(self, address: str, context: BrowserContext | None = None) -> Page:
        """One more tab at this address: of this context, else of one of its own."""
        page = await (context or await self.context()).new_page()
        await page.goto(address)
        return page

    def allow(self, pattern: str) -> None:
        """Complaints that this regular expression finds are what the test is about."""
        self._allowed.append(pattern)

    def unexpected(self) -> list[str]:
        """The complaints that nobody has allowed."""
        return [
            complaint
            for complaint in self.complaints
            if not any(re.search(pattern, complaint) for pattern in self._allowed)
        ]

    async def keep_evidence(self, folder: Path) -> None:
        """A picture of every tab and a trace of every context (`playwright show-trace FILE`)."""
        for number, context in enumerate(self.contexts, start=1):
            for tab, page in enumerate(context.pages, start=1):
                await page.screenshot(path=folder / f"{number}-{tab}.png")
            if context in self._traced:
                await context.tracing.stop(path=folder / f"{number}-trace.zip")

    async def close(self) -> None:
        """Close every window."""
        for context in self.contexts:
            await context.close()

    def _on_console(self, message: ConsoleMessage) -> None:
        # What the Content-Security-Policy refuses is said here as well.
        self.complaints.append(f"console {message.type}: {message.text}")

    def _on_failure(self, request: Request) -> None:
        self.complaints.append(f"request {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= FIRST_ERROR_STATUS:
            self.complaints.append(f"response {response.status} {response.url}")
