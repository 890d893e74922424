/**
 * What a reply may do to the page: the rules that need the tree, as a plugin of react-markdown.
 *
 * No React in here; how an element looks is `markdown-elements.tsx`.
 */

import type { ExtraProps } from "react-markdown";
import { nextOutline } from "./markdown-blocks";

type HtmlElement = NonNullable<ExtraProps["node"]>;
type HtmlNode = HtmlElement["children"][number] | { type: "raw"; value: string };
type Walk = { outline: number[]; inLink: boolean };

/** A reply stands below the message's own heading, an h3. */
const MESSAGE_LEVEL = 3;

/** Addresses that leave the page; all others, relative ones too, are no links. */
const OUTSIDE = /^(?:https?:\/\/|mailto:)/i;

/** Lets outside addresses and the reply's own footnotes through. */
export function safeUrl(url: string): string {
  return OUTSIDE.test(url) || url.startsWith("#") ? url : "";
}

/** Headings nest without a gap, whatever depth the model began with. */
function demoteHeading(node: HtmlElement, walk: Walk): void {
  walk.outline = nextOutline(walk.outline, Number(node.tagName.slice(1)));
  node.tagName = `h${Math.min(MESSAGE_LEVEL + walk.outline.length, 6)}`;
}

/** A fetched image would carry whatever its address says to a stranger, so it is a link instead. */
function linkImage(node: HtmlElement, walk: Walk): void {
  const { alt, src } = node.properties;
  node.tagName = walk.inLink ? "span" : "a";
  node.properties = walk.inLink ? {} : { href: src };
  node.children = [{ type: "text", value: `image: ${alt || "without a description"}` }];
}

/** The only raw HTML that is obeyed: the line break, which table cells cannot do without. */
function lineBreak(node: HtmlNode): HtmlElement | null {
  if (node.type !== "raw" || !/^<br\s*\/?>$/i.test(node.value.trim())) return null;
  return { type: "element", tagName: "br", properties: {}, children: [] };
}

function visit(parent: { children: HtmlNode[] }, walk: Walk): void {
  for (const [index, node] of parent.children.entries()) {
    const br = lineBreak(node);
    if (br) parent.children[index] = br;
    if (node.type !== "element") continue;
    if (/^h[1-6]$/.test(node.tagName)) demoteHeading(node, walk);
    const inLink = walk.inLink || node.tagName === "a";
    if (node.tagName === "img") linkImage(node, walk);
    const below = { outline: walk.outline, inLink };
    visit(node, below);
    walk.outline = below.outline;
  }
}

/** The plugin: changes the tree of a block that stands under the given headings. */
export function markdownRules(outline: string) {
  return (tree: { children: HtmlNode[] }): void => {
    const depths = outline === "" ? [] : outline.split(",").map(Number);
    visit(tree, { outline: depths, inLink: false });
  };
}

/** All text below an element, as it was written. */
export function textOf(node: HtmlNode): string {
  if (node.type === "text" || node.type === "raw") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}
