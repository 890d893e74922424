"""One Chromium for all tests; each has windows of its own, in which nothing may go wrong."""

import re
import shutil
from collections.abc import AsyncGenerator, Generator
from uuid import uuid4

import pytest
from playwright.async_api import Browser, async_playwright, expect

from dev.embedded_redis import EmbeddedRedis
from tests.browser.browsing import Browsing
from tests.browser.figures import write_figures
from tests.browser.stage import Stage, build_stage
from tests.support.deployment import ROOT, Deployment, deploy

PAGE = ROOT / "frontend" / "dist" / "index.html"
EVIDENCE = ROOT / "var" / "browser"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 20_000
"""What is expected of a page may need another process, a lease or a second try to connect."""

BROWSER_NOTICES = (
    # What the browser itself writes when nobody is behind the address, and the one question of the
    # page about it.
    r"^console error: WebSocket connection to .* failed",
    r"^console error: Failed to load resource: net::ERR_(CONNECTION|EMPTY|NETWORK|SOCKET|ABORTED)",
    r"^request GET http\S+/readyz: net::ERR_",
    # The parts that an idle page fetches may be cut off as well; it asks again when one is wanted.
    r"^request GET http\S+/assets/\S+: net::ERR_",
)

HAS_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[HAS_FAILED] = item.stash.get(HAS_FAILED, False) or report.failed
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    write_figures(terminalreporter)


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    """Debian's Chromium; the gateways of the tests have a page to show it."""
    program = shutil.which("chromium")
    assert program, "There is no Chromium: please install the system package chromium."
    assert PAGE.exists(), "The page is not built: run `make frontend`."
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=program, args=FLAGS)


@pytest.fixture
async def browsing(
    browser: Browser, deployment: Deployment, request: pytest.FixtureRequest
) -> AsyncGenerator[Browsing, None]:
    """The test's windows, closed before its deployment is; pictures and traces of a test that
    failed are kept below `var/browser`."""
    windows = Browsing(browser)
    yield windows
    unexpected = windows.unexpected()
    try:
        if unexpected or request.node.stash.get(HAS_FAILED, False):
            name = re.sub(r"[^\w.-]+", "-", request.node.nodeid.removeprefix("tests/browser/"))
            await windows.keep_evidence(EVIDENCE / name)
    finally:
        await windows.close()
    assert unexpected == []


@pytest.fixture(scope="session")
async def stage(
    redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Stage, None]:
    """A gateway without workers that many tests share; each writes a session of its own."""
    folder = tmp_path_factory.mktemp("stage")
    async with deploy(redis_server, folder, LINGER_SECONDS="0.1", MAX_INBOX="3") as shared:
        async with build_stage(shared) as built:
            yield built
        await shared.check_nothing_is_left()


@pytest.fixture
def shaky(browsing: Browsing) -> Browsing:
    """Windows whose browser may notice that a connection has failed."""
    for pattern in BROWSER_NOTICES:
        browsing.allow(pattern)
    return browsing


@pytest.fixture
def session_id() -> str:
    """Names the test's session, and is the question that the stub model knows it by."""
    return f"s-{uuid4()}"
