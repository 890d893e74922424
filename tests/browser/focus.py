"""Where the keyboard is on a page."""

from typing import TypedDict

from playwright.async_api import Page

FOCUSED = """() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return null;
    const style = getComputedStyle(element);
    const ring = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none';
    const box = element.getBoundingClientRect();
    const layer = element.closest('[role=dialog]');
    window.numbered ??= new Map();
    if (!window.numbered.has(element)) window.numbered.set(element, window.numbered.size);
    const part = element.closest('header, aside, form, [role=log]');
    return {
        number: window.numbered.get(element),
        name: (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent
            ?? element.textContent).trim(),
        part: part?.getAttribute('aria-label') ?? part?.localName ?? '',
        dialog: layer?.querySelector('h2')?.textContent ?? '',
        isMarked: ring || style.boxShadow !== 'none',
        isInWindow: box.bottom > 0 && box.top < innerHeight && box.right > 0
            && box.left < innerWidth,
    };
}"""

# A list of tabs gives the focus on, to the tab that is chosen.
REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, input, textarea, select, [tabindex]:not([role=tablist])')]
    .filter(element => element.tabIndex >= 0 && element.checkVisibility())
    .filter(element => !element.closest('[aria-hidden=true]') && !element.disabled)
    .map(element => (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent
        ?? element.textContent).trim())"""


class Focus(TypedDict):
    """What has the focus."""

    number: int
    """Tells it from every other element of the page."""
    name: str
    part: str
    """The part of the page that it is in."""
    dialog: str
    """The title of the dialog that it is in, or empty."""
    isMarked: bool
    """A ring is drawn around it."""
    isInWindow: bool


async def read_focus(page: Page) -> Focus | None:
    """What has the focus; `None` when nothing has."""
    return await page.evaluate(FOCUSED)


async def walk_by_tab(page: Page, key: str = "Tab") -> list[Focus]:
    """Press Tab until it comes round, from the first stop on; what has had the focus, in order."""
    seen: list[Focus] = []
    await page.evaluate("() => document.activeElement?.blur()")
    while True:
        await page.keyboard.press(key)
        focus = await read_focus(page)
        if focus is None or (seen and focus["number"] == seen[0]["number"]):
            return seen
        assert focus["number"] not in [before["number"] for before in seen], f"a trap at {focus}"
        seen.append(focus)


async def read_reachable(page: Page) -> list[str]:
    """The names of all that the Tab key has to reach, in the order of the page."""
    return await page.evaluate(REACHABLE)
