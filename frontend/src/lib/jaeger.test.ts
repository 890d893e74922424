import { afterEach, describe, expect, it } from "vitest";
import { jaegerUiUrl, traceUrl } from "@/lib/jaeger";
import { writeMeta } from "@/test/write-meta";

const pageWith = (content: string | null) => writeMeta("jaeger-ui-url", content);

afterEach(() => pageWith(null));

describe("the address of Jaeger", () => {
  it.each([
    ["http://localhost:16686", "http://localhost:16686"],
    [" https://jaeger.example/ui/ ", "https://jaeger.example/ui"],
  ])("is what the page carries: %s", (content, url) => {
    pageWith(content);
    expect(jaegerUiUrl()).toBe(url);
  });

  it.each([null, "", "__JAEGER_UI_URL__", "javascript:alert(1)", "localhost:16686"])(
    "is unset: %s",
    (content) => {
      pageWith(content);
      expect(jaegerUiUrl()).toBeNull();
    },
  );
});

describe("a link into Jaeger", () => {
  it("leads to the trace", () => {
    expect(traceUrl("http://jaeger", "abc", null)).toBe("http://jaeger/trace/abc");
  });

  it("marks the span", () => {
    expect(traceUrl("http://jaeger", "abc", "def")).toBe("http://jaeger/trace/abc?uiFind=def");
  });

  it("carries odd ids as text", () => {
    expect(traceUrl("http://jaeger", "a/b", "c&d")).toBe("http://jaeger/trace/a%2Fb?uiFind=c%26d");
  });
});
