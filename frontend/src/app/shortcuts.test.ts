import { afterEach, describe, expect, it } from "vitest";
import { SHORTCUTS, shortcutOf } from "@/app/shortcuts";

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
