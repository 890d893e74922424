/** A reply as it is read aloud: its words without the marks of Markdown. */
import type { Nodes } from "mdast";
import { parseMarkdown } from "@/lib/gfm";

/** Beyond this a listener cannot skip or repeat: then only the beginning is spoken. */
const SPOKEN_CHARACTERS = 600;

/** What is said of a reply: all of it, or its first sentence and where the rest is. */
export function spokenReply(markdown: string): string {
  const text = plainTextOf(markdown);
  if (text.length <= SPOKEN_CHARACTERS) return text;
  return `${firstSentenceOf(text)} Full reply in the transcript.`;
}

/** The words of a Markdown text, a line for each block, row and list item. */
export function plainTextOf(markdown: string): string {
  return textOf(parseMarkdown(markdown))
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n[\s]*/g, "\n")
    .trim();
}

function textOf(node: Nodes): string {
  switch (node.type) {
    case "break":
    case "thematicBreak":
      return "\n";
    case "image":
      return node.alt ?? "";
    case "code":
    case "html":
      return `\n${node.value}\n`;
    case "tableRow":
      return `\n${node.children.map(textOf).join(", ")}`;
    case "heading":
    case "paragraph":
    case "listItem":
      return `\n${textOfAll(node.children)}\n`;
    default:
      if ("children" in node) return textOfAll(node.children);
      return "value" in node ? node.value : "";
  }
}

function textOfAll(nodes: readonly Nodes[]): string {
  return nodes.map(textOf).join("");
}

function firstSentenceOf(text: string): string {
  const sentence = /^[\s\S]*?[.!?…。！？](?=\s|$)/.exec(text)?.[0];
  if (sentence !== undefined && sentence.length <= SPOKEN_CHARACTERS) return sentence;
  const cut = text.slice(0, SPOKEN_CHARACTERS);
  const lastSpace = cut.lastIndexOf(" ");
  return `${lastSpace > 0 ? cut.slice(0, lastSpace) : cut} …`;
}
