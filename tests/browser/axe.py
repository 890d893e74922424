"""axe-core on a page: what it finds wrong, and what it could not decide, as lines to be read."""

from dataclasses import dataclass
from functools import cache
from typing import TypedDict, cast

from playwright.async_api import Page

from tests.support.deployment import ROOT

SOURCE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


class Place(TypedDict):
    """One element that a rule is about."""

    target: list[str | list[str]]
    failureSummary: str


class Rule(TypedDict):
    """One rule of axe, with what it found."""

    id: str
    impact: str | None
    help: str
    nodes: list[Place]


class Results(TypedDict):
    """What we read of the answer of `axe.run`."""

    violations: list[Rule]
    incomplete: list[Rule]
    passes: list[Rule]


@dataclass(frozen=True)
class AxeReport:
    """One line for each element that breaks a rule, and for each that axe leaves to people."""

    violations: list[str]
    incomplete: list[str]


async def run_axe(page: Page) -> AxeReport:
    """Look at the page as it is now. Raises when axe had nothing to look at."""
    # Through the debugger: the page's Content-Security-Policy takes no script from elsewhere.
    if not await page.evaluate("() => 'axe' in globalThis"):
        await page.evaluate(_source())
    # Of what is in order one element for each rule is enough; style sheets are not fetched again.
    options = {
        "runOnly": TAGS,
        "resultTypes": ["violations", "incomplete"],
        "preload": False,
    }
    results = cast(
        Results, await page.evaluate("options => globalThis.axe.run(document, options)", options)
    )
    if not results["passes"]:
        raise AssertionError("axe has found nothing on the page that it could judge")
    return AxeReport(_lines(results["violations"]), _lines(results["incomplete"]))


@cache
def _source() -> str:
    return SOURCE.read_text()


def _lines(rules: list[Rule]) -> list[str]:
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}; {place['target']}: "
        + " ".join(place.get("failureSummary", "").split())
        for rule in rules
        for place in rule["nodes"]
    ]
