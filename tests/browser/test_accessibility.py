"""axe finds nothing in any state of the page, light and dark, wide, narrow and zoomed in."""

import re
from typing import Literal

import pytest

from tests.browser.axe import run_axe
from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.page_layout import until_still
from tests.browser.stage import Stage
from tests.browser.walk import begin_walk

SIZES = {"wide": (1280, 800), "narrow": (320, 640), "zoomed": (640, 400)}
"""What a window of 1280 by 800 shows at 200 % is what one of 640 by 400 shows."""
REVIEWED = {
    # The lines of the time axis, an edge of a scroller or an open layer. Every pair of colours is
    # measured in frontend/src/test/contrast.test.ts.
    r"^color-contrast .*(overlapped by|obscured by|partially overlaps) (an)?other elements?",
    # A text that is scrolled out of a scroller within a scroller: axe asks for a point of it.
    r"^color-contrast .*Axe encountered an error",
    # The names of keys in the help.
    r"^color-contrast .*> kbd.*content is too short to determine",
    # The page behind an open dialog, which keeps the focus (test_keyboard.py).
    r"^aria-hidden-focus .*not tabbable in the current state",
}
"""What axe leaves to people, as patterns of its lines, and what people have found."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong_in_any_state(
    browsing: Browsing, stage: Stage, scheme: Literal["light", "dark"], size: str
) -> None:
    context = await browsing.context(size=SIZES[size], color_scheme=scheme, traced=False)
    chat = ChatPage(await context.new_page())
    wrong: list[str] = []
    async with begin_walk(browsing, stage, chat) as walk:
        async for state in walk.states():
            await until_still(chat.page)
            report = await run_axe(chat.page)
            wrong += [f"{state}: breaks {line}" for line in report.violations]
            wrong += [
                f"{state}: unclear {line}" for line in report.incomplete if not is_reviewed(line)
            ]
    assert not wrong, "\n".join(wrong)


def is_reviewed(line: str) -> bool:
    return any(re.search(pattern, line) for pattern in REVIEWED)
