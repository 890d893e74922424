import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

/** What jsdom lacks and the page uses: observers, media queries, scrolling, pointer capture. */

class StubObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
  takeRecords(): [] {
    return [];
  }
}

function stubMatchMedia(query: string) {
  return Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener() {},
    removeListener() {},
  });
}

// Tests of files run under Node, where there is no window to mend.
if (typeof window !== "undefined") {
  Object.assign(window, {
    ResizeObserver: StubObserver,
    IntersectionObserver: StubObserver,
    matchMedia: stubMatchMedia,
    scrollTo() {},
  });
  Object.assign(Element.prototype, {
    scrollTo() {},
    scrollIntoView() {},
    hasPointerCapture: () => false,
    setPointerCapture() {},
    releasePointerCapture() {},
  });
}

// On a machine that is busy a lazy chunk takes its time.
configure({ asyncUtilTimeout: 10_000 });

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
