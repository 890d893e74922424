import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { copyText } from "./copy-text";

describe("copying a text", () => {
  let selected: string | null;
  const button = document.createElement("button");

  beforeEach(() => {
    selected = null;
    document.body.append(button);
    button.focus();
    Object.assign(document, {
      execCommand: () => {
        const field = document.activeElement;
        selected = field instanceof HTMLTextAreaElement ? field.value : null;
        return selected !== null;
      },
    });
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    button.remove();
  });

  it("uses the clipboard where the page has one", async () => {
    const writeText = vi.fn(async (_: string) => {});
    vi.stubGlobal("navigator", { clipboard: { writeText } });
    expect(await copyText("a")).toBe(true);
    expect(writeText).toHaveBeenCalledExactlyOnceWith("a");
    expect(selected).toBeNull();
  });

  it("selects the text where the page is on plain http, and gives the focus back", async () => {
    vi.stubGlobal("navigator", {});
    expect(await copyText("line 1\nline 2")).toBe(true);
    expect(selected).toBe("line 1\nline 2");
    expect(button).toHaveFocus();
    expect(document.querySelector("textarea")).toBeNull();
  });

  it("selects the text when the clipboard refuses", async () => {
    const refuse = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    vi.stubGlobal("navigator", { clipboard: { writeText: refuse } });
    expect(await copyText("a")).toBe(true);
    expect(selected).toBe("a");
  });

  it("tells when neither worked, and does not throw", async () => {
    vi.stubGlobal("navigator", {});
    Object.assign(document, {
      execCommand: () => {
        throw new Error("not supported");
      },
    });
    expect(await copyText("a")).toBe(false);
  });
});
