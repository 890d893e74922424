"""Whatever is said by people, models, tools and agents is text in the page, and never runs."""

import json

from playwright.async_api import Page, Request, expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage
from tests.browser.stage import Stage, ToldSession

BEACON = "http://beacon.example/?q=secret"
HOSTILE = (
    f'<img src=x onerror="window.__pwned=1"><img src="{BEACON}">',
    "<script>window.__pwned=2</script>",
    "<svg onload=window.__pwned=3></svg>",
    '<iframe srcdoc="<script>parent.__pwned=4</script>"></iframe>',
    '<a href="javascript:window.__pwned=5" onclick="window.__pwned=6">link in HTML</a>',
    f'<link rel=stylesheet href="{BEACON}"><style>body{{background:url({BEACON})}}</style>',
    "</div></article></body><body onload=window.__pwned=7>",
    '"><input autofocus onfocus=window.__pwned=8>',
)
MARKDOWN = f"""![the beacon]({BEACON})

![][beacon]

[a script](javascript:window.__pwned=9)
[a hidden script](java&Tab;script:window.__pwned=10)
[data](data:text/html,<script>window.__pwned=11</script>)
[vb](vbscript:window.__pwned=12)
<javascript:window.__pwned=13>

| <img src=x onerror=window.__pwned=14> |
|---|
| <script>window.__pwned=15</script> |

# <iframe src="{BEACON}">

```"><img src=x onerror=window.__pwned=16>
code
```

[beacon]: {BEACON}
"""
LOOK = """() => {
    const wrong = [];
    const own = new Set([...document.querySelectorAll('head script, head link, body > script')]);
    const active = 'script, img, iframe, object, embed, link, style, base, form[action]';
    for (const element of document.querySelectorAll('*')) {
        if (document.head.contains(element) || own.has(element)) continue;
        if (element.matches(active)) wrong.push(element.outerHTML.slice(0, 200));
        for (const {name, value} of element.attributes) {
            if (/^on/i.test(name)) wrong.push(`${name}=${value}`);
            const isAddress = /^(href|src|srcset|action|formaction|xlink:href)$/i.test(name);
            if (isAddress && !/^(https?:|mailto:|[/#])/.test(value)) wrong.push(`${name}=${value}`);
        }
    }
    return wrong;
}"""
POLICY = "default-src 'self'"


async def test_nothing_that_anybody_says_becomes_part_of_the_page(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    await _tell_everything(session)
    page, requested = await _open_watched(browsing, session.address)
    await expect(page.get_by_text("The last word")).to_be_visible()
    await _open_everything(page)
    for text in HOSTILE:
        # As text it is all there: in the question, the answer and the panel.
        assert await page.get_by_text(text).count() >= 3, text
    await _check_nothing_happened(page, requested)
    for name in ("a script", "a hidden script", "data", "vb"):
        assert await page.get_by_role("link", name=name, exact=True).count() == 0, name


async def test_what_is_typed_and_what_streams_is_text_from_the_first_moment(
    browsing: Browsing, stage: Stage
) -> None:
    session = stage.session()
    page, requested = await _open_watched(browsing, session.address)
    chat = ChatPage(page)
    await chat.until_connected()
    await chat.ask(" ".join(HOSTILE))
    await expect(chat.questions.last).to_contain_text(HOSTILE[-1])
    turn_id = await chat.log.locator("li[data-message]").first.get_attribute("data-message")
    await session.begin(turn_id or "")
    text = MARKDOWN + "\n".join(HOSTILE)
    for first in range(0, len(text), 40):
        await session.tell(session.piece("t1", text[first : first + 40]))
    await expect(chat.texts()).to_contain_text([HOSTILE[-1]])
    await _check_nothing_happened(page, requested)
    await session.finish("cancelled")


async def test_the_policy_is_sent_with_the_page(browsing: Browsing, stage: Stage) -> None:
    page = await (await browsing.context()).new_page()
    answer = await page.goto(stage.session().address)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    for rule in (POLICY, "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    await ChatPage(page).until_connected()


async def _tell_everything(session: ToldSession) -> None:
    evil = "\n".join(HOSTILE)
    turn_id = await session.ask(evil)
    await session.begin(turn_id, worker=evil)
    fields = {text: text for text in HOSTILE}
    await session.tell(
        session.model_call("m1", evil),
        session.model_end("m1", evil, finish_reason=evil),
        session.tool_call("c1", evil, fields),
        session.tool_end("c1", evil),
        session.tool_call("c2", "in_json", {"nested": [fields]}),
        session.tool_end("c2", json.dumps(fields), is_error=True),
        session.custom(evil, fields),
        session.whole("t1", evil),
        session.whole("t2", MARKDOWN),
        session.whole("t3", "The last word"),
    )
    await session.finish()


async def _open_watched(browsing: Browsing, address: str) -> tuple[Page, list[str]]:
    """The page, and every address that its browser asks for."""
    context = await browsing.context()
    requested: list[str] = []

    def note(request: Request) -> None:
        requested.append(request.url)

    context.on("request", note)
    return await browsing.open(address, context), requested


async def _open_everything(page: Page) -> None:
    panel = page.get_by_role("complementary", name="Telemetry")
    closed = panel.get_by_role("list", name="Steps").get_by_role("button", expanded=False)
    while await closed.count():
        await closed.first.click()
    await expect(panel.get_by_text("Loading")).to_have_count(0)
    await page.get_by_role("button", name="Used 2 tools").click()


async def _check_nothing_happened(page: Page, requested: list[str]) -> None:
    """Nothing of it is alive, nothing ran, nothing was asked for; `browsing` sees to it that the
    policy had nothing to refuse."""
    assert await page.evaluate(LOOK) == []
    assert await page.evaluate("() => window.__pwned") is None
    assert [address for address in requested if "beacon" in address] == []
