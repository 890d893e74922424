"""Measures, inside the page, how long people wait for what they see.

What is painted is known late. A change made in an animation frame's callback is drawn with that
frame, any other with the next one; a frame is drawn when a task that was asked for in it runs, or
when the one after it begins, whichever is earlier. What the browser's other processes need to bring
a frame to the screen is not in the figures.
"""

from dataclasses import dataclass

from playwright.async_api import BrowserContext, Page

SHORTEST_EVENT_MS = 16
"""The browser itself reports no event that took less."""

MEASURE = """(() => {
    const native = requestAnimationFrame.bind(window);
    const nextTask = then => {
        const channel = new MessageChannel();
        channel.port1.onmessage = then;
        channel.port2.postMessage(null);
    };
    let isInFrame = false;
    window.requestAnimationFrame = callback => native(time => {
        isInFrame = true;
        nextTask(() => { isInFrame = false; });
        callback(time);
    });
    const afterFrame = then => {
        let isDrawn = false;
        const once = () => {
            if (!isDrawn) then();
            isDrawn = true;
        };
        nextTask(once);
        native(once);
    };
    const afterNextFrame = then => native(() => afterFrame(then));
    const afterPaint = then => isInFrame ? afterFrame(then) : afterNextFrame(then);

    window.keys = {pressed: 0, frames: [], events: []};
    let pressedAt = 0;
    addEventListener('keydown', event => { pressedAt = event.timeStamp; }, true);
    addEventListener('input', () => {
        const at = pressedAt;
        window.keys.pressed += 1;
        // A key can come between a frame's picture and the task that ends the frame: its character
        // is never counted as drawn with that one.
        afterNextFrame(() => window.keys.frames.push(performance.now() - at));
    }, true);
    new PerformanceObserver(list => {
        for (const {name, duration} of list.getEntries()) {
            if (name === 'keydown') window.keys.events.push(duration);
        }
    }).observe({type: 'event', durationThreshold: 16});

    const waiting = new Map();
    window.marks = {seen: 0, inDom: [], painted: []};
    const known = new Set();
    const marksIn = text => text.match(/mark-\\d+/g) ?? [];
    const Native = WebSocket;
    window.WebSocket = class extends Native {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({data}) => {
                for (const mark of marksIn(data)) {
                    if (known.has(mark)) continue;
                    known.add(mark);
                    waiting.set(mark, performance.now());
                }
            });
        }
    };
    const look = text => {
        for (const mark of marksIn(text)) {
            const at = waiting.get(mark);
            if (at === undefined) continue;
            waiting.delete(mark);
            window.marks.inDom.push(performance.now() - at);
            afterPaint(() => {
                window.marks.painted.push(performance.now() - at);
                window.marks.seen += 1;
            });
        }
    };
    new MutationObserver(changes => {
        if (waiting.size === 0) return;
        for (const change of changes) {
            if (change.type === 'characterData') look(change.target.data);
            else for (const node of change.addedNodes) look(node.textContent);
        }
    }).observe(document, {subtree: true, childList: true, characterData: true});
})()"""


@dataclass(frozen=True)
class KeyTimes:
    """From a key press until its character is on the screen, in milliseconds."""

    frames: list[float]
    """By counting frames."""
    events: list[float]
    """By the browser's own Event Timing; where it reports nothing, the most that it may be."""


@dataclass(frozen=True)
class FrameTimes:
    """From a WebSocket frame's arrival in the page until what it says is there, in milliseconds."""

    in_dom: list[float]
    painted: list[float]


async def measure_in(context: BrowserContext) -> None:
    """Every page that this context opens from here on measures itself."""
    await context.add_init_script(MEASURE)


async def until_idle(page: Page) -> None:
    """The page has done what it had to do when it was opened."""
    await page.evaluate("() => new Promise(done => requestIdleCallback(done))")


async def read_key_times(page: Page, presses: int) -> KeyTimes:
    """What has been measured, when so many keys have been painted; the next begin anew."""
    await page.wait_for_function("presses => window.keys.frames.length >= presses", arg=presses)
    keys = await page.evaluate("() => window.keys")
    await page.evaluate("() => { window.keys = {pressed: 0, frames: [], events: []}; }")
    quick = [float(SHORTEST_EVENT_MS)] * (presses - len(keys["events"]))
    return KeyTimes(keys["frames"], [*keys["events"], *quick])


async def until_painted(page: Page, marks: int) -> None:
    """So many marks (`mark-1`, `mark-2`, ...) have come and are on the screen."""
    await page.wait_for_function("marks => window.marks.seen >= marks", arg=marks)


async def read_frame_times(page: Page) -> FrameTimes:
    """What has been measured since the page was loaded."""
    marks = await page.evaluate("() => window.marks")
    return FrameTimes(marks["inDom"], marks["painted"])
