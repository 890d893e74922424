"""What guards the tests of this folder: nothing that goes wrong on a page stays unseen."""

import re

import pytest

from dev.embedded_redis import free_port
from tests.browser.axe import run_axe
from tests.browser.browsing import Browsing, page_address
from tests.browser.lighthouse import read_report, run_lighthouse
from tests.support.deployment import Deployment
from tests.support.eventually import eventually

WRONG = {
    "^console warning: careful$": "console.warn('careful')",
    "^error: .*uncaught": "setTimeout(() => { throw new Error('uncaught') })",
    "^response 404 .*/not-there$": "fetch('/not-there')",
    "^request GET .*/cut-off: net::ERR_FAILED$": "fetch('/cut-off').catch(() => 0)",
    "^console error: .*Content Security Policy": "new Image().src = 'http://elsewhere.invalid/'",
}
"""What is complained of, and what brings it about."""


async def test_whatever_goes_wrong_on_a_page_is_a_complaint_until_it_is_allowed(
    browsing: Browsing, system: Deployment
) -> None:
    page = await browsing.open(page_address(system.processes[0], "guards"))
    await page.route("**/cut-off", lambda route: route.abort())
    for pattern, code in WRONG.items():
        await page.evaluate(f"() => {{ {code} }}")
        await eventually(
            lambda pattern=pattern: any(re.search(pattern, c) for c in browsing.unexpected()),
            f"{pattern} is a complaint",
        )
        browsing.allow(pattern)
        assert not any(re.search(pattern, c) for c in browsing.unexpected())
    # Each of these is complained of twice.
    browsing.allow("^console error: Failed to load resource")
    browsing.allow("^request GET http://elsewhere.invalid/: csp$")


async def test_axe_names_the_element_that_breaks_a_rule(
    browsing: Browsing, system: Deployment
) -> None:
    page = await browsing.open(page_address(system.processes[0], "guards"))
    await page.evaluate(
        "document.querySelector('h1').after("
        "Object.assign(document.createElement('button'), { id: 'nameless' }))"
    )
    found = (await run_axe(page)).violations
    (line,) = [line for line in found if line.startswith("button-name (critical)")]
    assert "; ['#nameless']: Fix any of the following:" in line


async def test_lighthouse_that_cannot_see_the_page_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="Lighthouse has made no report"):
        await run_lighthouse(f"http://127.0.0.1:{free_port()}/")


def test_lighthouse_names_the_audits_that_failed_and_no_other() -> None:
    audits = {"good": 1.0, "bad": 0.0, "nothing-to-judge": None}
    report = read_report(
        {
            "categories": {
                "accessibility": {
                    "score": 0.5,
                    "auditRefs": [{"id": name, "weight": 1} for name in audits],
                }
            },
            "audits": {name: {"title": name.title(), "score": audits[name]} for name in audits},
        }
    )
    assert (report.score, report.failed) == (0.5, ["bad: Bad"])


def test_a_page_that_lighthouse_could_not_judge_is_a_failure() -> None:
    with pytest.raises(AssertionError, match="could not judge"):
        read_report(
            {"categories": {"accessibility": {"score": None, "auditRefs": []}}, "audits": {}}
        )
