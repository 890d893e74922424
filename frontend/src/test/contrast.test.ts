// @vitest-environment node

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** WCAG 1.4.3 and 1.4.11 for the tokens, computed from the style sheet itself. */

const css = readFileSync(new URL("../index.css", import.meta.url), "utf8");

function tokensOf(selector: string): Map<string, string> {
  const start = css.indexOf(`\n${selector} {`);
  const block = css.slice(start, css.indexOf("\n}", start));
  return new Map(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, k, v]) => [`${k}`, `${v}`]),
  );
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ["background", "card", "popover", "muted", "accent", "bubble-assistant"];
const spans = ["span-llm", "span-tool", "span-agent", "span-queue", "span-error"];

const textPairs = [
  ...surfaces.flatMap((surface) => [
    ["foreground", surface],
    ["muted-foreground", surface],
    ["link", surface],
  ]),
  ...["primary", "primary-hover"].map((fill) => ["primary-foreground", fill]),
  ...["secondary", "secondary-hover"].map((fill) => ["secondary-foreground", fill]),
  ...["destructive", "destructive-hover"].map((fill) => ["destructive-foreground", fill]),
  ...["destructive", "success", "warning"].flatMap((tone) => [
    [tone, `${tone}-soft`],
    [tone, "background"],
    [tone, "card"],
    [tone, "popover"],
    [tone, "muted"],
    ["foreground", `${tone}-soft`],
  ]),
  ...["card", "popover", "accent", "code", "bubble-user", "bubble-assistant"].map((surface) => [
    `${surface}-foreground`,
    surface,
  ]),
  ["muted-foreground", "code"],
  ["background", "foreground"],
  ...spans.flatMap((span) => [
    [span, `${span}-soft`],
    [span, "background"],
    [span, "card"],
    [span, "muted"],
    ["foreground", `${span}-soft`],
    ["muted-foreground", `${span}-soft`],
  ]),
];

const graphicPairs = [
  ...["background", "card", "popover", "muted", "accent", "code", "bubble-assistant"].map((s) => [
    "ring",
    s,
  ]),
  ...["background", "card", "popover"].map((surface) => ["input", surface]),
  ...surfaces.map((surface) => ["primary", surface]),
  ...spans.map((span) => [span, "accent"]),
];

describe.each([
  ["light", ":root"],
  ["dark", ".dark"],
])("in the %s theme", (_, selector) => {
  const tokens = tokensOf(selector);
  const colour = (name: string): string => {
    const value = tokens.get(name);
    if (!value) throw new Error(`${selector} has no --${name}`);
    return value;
  };

  it.each(textPairs)("text in --%s is readable on --%s", (text, surface) => {
    expect(contrast(colour(`${text}`), colour(`${surface}`))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(graphicPairs)("a mark in --%s is seen on --%s", (mark, surface) => {
    expect(contrast(colour(`${mark}`), colour(`${surface}`))).toBeGreaterThanOrEqual(3);
  });
});

it("both themes define the same tokens", () => {
  expect([...tokensOf(".dark").keys()]).toEqual([...tokensOf(":root").keys()]);
});
