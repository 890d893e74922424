"""What can be measured of how a page is laid out: one line for each thing that is wrong."""

from playwright.async_api import Page

FINGER_PX = 44
POINTER_PX = 24

DESCRIBE = """const describe = element => {
    const words = (element.getAttribute('aria-label') ?? element.textContent).trim();
    return `<${element.localName}> “${words.slice(0, 60)}” ${element.className}`.slice(0, 200);
};"""

# What may scroll sideways: code, values and tables, each by itself. A text that ends in an ellipsis
# is cut on purpose, and so is what only screen readers are to find.
OVERFLOWS = f"""() => {{
    {DESCRIBE}
    const mayScroll = 'pre, .md-table, [aria-label="Table of telemetry"]';
    const wrong = [];
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) wrong.push(`the page is ${{root.scrollWidth}} px wide`);
    for (const element of document.body.querySelectorAll('*')) {{
        if (element.scrollWidth - element.clientWidth <= 1 || element.clientWidth <= 1) continue;
        const style = getComputedStyle(element);
        if (style.overflowX === 'visible' || style.textOverflow === 'ellipsis') continue;
        if (style.overflowX !== 'hidden' && element.matches(mayScroll)) continue;
        if (element.matches('textarea, input, [data-bar]')) continue;
        wrong.push(`${{describe(element)}} has ${{element.scrollWidth}} px in `
            + `${{element.clientWidth}} px`);
    }}
    return wrong;
}}"""

CONTROLS = f"""async least => {{
    {DESCRIBE}
    const controls = 'a[href], button, input, textarea, select, [role^=menuitem]';
    const wrong = [];
    // What is open lies above all others, and is all that there is to be used.
    const layers = document.querySelectorAll('[role=dialog], [role=menu]');
    const layer = [...layers].at(-1) ?? document;
    for (const element of layer.querySelectorAll(controls)) {{
        const control = element.closest('label') ?? element;
        if (!control.checkVisibility({{visibilityProperty: true}})) continue;
        // The skip link is seen only while it has the focus.
        if (control.matches('a[href^="#"]')) continue;
        control.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}});
        const box = control.getBoundingClientRect();
        const isInText = getComputedStyle(control).display === 'inline';
        const [part] = isInText ? control.getClientRects() : [box];
        const findTop = () => document.elementFromPoint(
            part.left + part.width / 2, part.top + part.height / 2);
        let top = findTop();
        // Whoever has scrolled to the end does not need the way there, and it goes away.
        for (let frame = 0; frame < 9 && !control.contains(top); frame += 1) {{
            await new Promise(requestAnimationFrame);
            top = findTop();
        }}
        if (!control.contains(top)) {{
            wrong.push(`${{describe(control)}} is below `
                + (top ? describe(top) : 'the edge of the window'));
        }}
        if (!isInText && Math.min(box.width, box.height) < least) {{
            wrong.push(`${{describe(control)}} has only ${{Math.round(box.width)}} x `
                + `${{Math.round(box.height)}} px`);
        }}
    }}
    return wrong;
}}"""

STAND_STILL = """() => Promise.allSettled(document.getAnimations()
    .filter(animation => animation.effect.getTiming().iterations !== Infinity)
    .map(animation => animation.finished))"""

MOTION = """() => document.getAnimations()
    .filter(animation => animation.playState === 'running')
    .map(animation => animation.animationName ?? animation.transitionProperty)"""


async def until_still(page: Page) -> None:
    """What opens is open, and what fades in is there. What moves as long as something runs may."""
    await page.evaluate(STAND_STILL)


async def find_overflows(page: Page) -> list[str]:
    """What is wider than its place, and cannot be seen or has to be scrolled sideways."""
    return await page.evaluate(OVERFLOWS)


async def find_unusable_controls(page: Page) -> list[str]:
    """The controls that something lies on top of, or that are too small to be hit. In a window as
    narrow as a phone's, a finger has to hit them."""
    is_phone = await page.evaluate("innerWidth < 768")
    return await page.evaluate(CONTROLS, FINGER_PX if is_phone else POINTER_PX)


async def find_motion(page: Page) -> list[str]:
    """What moves at this moment."""
    return await page.evaluate(MOTION)
