import { afterEach, describe, expect, it } from "vitest";
import { isStop, SHORTCUTS, shortcutOf } from "@/app/shortcuts";

afterEach(() => {
  document.body.innerHTML = "";
});

/** The shortcut of a key pressed while `target` has the focus. */
function pressed(key: string, init: KeyboardEventInit = {}, target: Element = document.body) {
  let name: ReturnType<typeof shortcutOf> = null;
  const hear = (event: KeyboardEvent): void => {
    name = shortcutOf(event, document);
  };
  document.addEventListener("keydown", hear);
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init }));
  document.removeEventListener("keydown", hear);
  return name;
}

/** Whether Esc, pressed while `target` has the focus, is a wish to stop. */
function stops(init: KeyboardEventInit = {}, target: Element = document.body): boolean {
  let isAsked = false;
  const hear = (event: KeyboardEvent): void => {
    isAsked = isStop(event, document);
  };
  window.addEventListener("keydown", hear, { once: true });
  const press = { key: "Escape", bubbles: true, cancelable: true, ...init };
  target.dispatchEvent(new KeyboardEvent("keydown", press));
  return isAsked;
}

function put(html: string): Element {
  document.body.innerHTML = html;
  return document.body.querySelector("[data-target]") ?? document.body;
}

describe("a shortcut", () => {
  it.each(SHORTCUTS.map(({ key, name }) => [key, name]))("%s means %s", (key, name) => {
    expect(pressed(key)).toBe(name);
  });

  it("is no other key", () => {
    expect(pressed("x")).toBeNull();
    expect(pressed("N", { shiftKey: true })).toBeNull();
  });

  it("may need Shift to be written", () => {
    expect(pressed("?", { shiftKey: true })).toBe("help");
    expect(pressed("/", { shiftKey: true })).toBe("composer");
  });

  it.each([[{ ctrlKey: true }], [{ metaKey: true }], [{ altKey: true }], [{ repeat: true }]])(
    "is not meant with %j",
    (init) => {
      expect(pressed("n", init)).toBeNull();
    },
  );

  it("is not meant in the middle of a composition", () => {
    expect(pressed("n", { isComposing: true })).toBeNull();
  });

  it.each([
    ["<textarea data-target></textarea>"],
    ["<input data-target>"],
    ["<select data-target></select>"],
    ['<div contenteditable="true"><b data-target>x</b></div>'],
  ])("is text in %s", (html) => {
    expect(pressed("n", {}, put(html))).toBeNull();
  });

  it("works while a button has the focus", () => {
    expect(pressed("n", {}, put("<button data-target>x</button>"))).toBe("new-session");
  });

  it.each([["dialog"], ["alertdialog"], ["menu"]])("rests while a %s is open", (role) => {
    put(`<div role="${role}"></div>`);
    expect(pressed("n")).toBeNull();
  });
});

describe("Esc", () => {
  it("stops the reply, also while a field or a row of the telemetry has the focus", () => {
    expect(stops()).toBe(true);
    expect(stops({}, put("<textarea data-target></textarea>"))).toBe(true);
    expect(stops({}, put("<aside><button data-target>row</button></aside>"))).toBe(true);
  });

  it.each([[{ isComposing: true }], [{ repeat: true }], [{ ctrlKey: true }], [{ key: "x" }]])(
    "does not with %j",
    (init) => expect(stops(init)).toBe(false),
  );

  it.each([["dialog"], ["alertdialog"], ["menu"]])("closes an open %s first", (role) => {
    put(`<div role="${role}"></div>`);
    expect(stops()).toBe(false);
  });

  it("is not heard where a tooltip or a search has taken it for itself", () => {
    const taken = (event: Event): void => event.preventDefault();
    document.addEventListener("keydown", taken, { capture: true, once: true });
    expect(stops()).toBe(false);
  });
});
