/**
 * GitHub's Markdown, for reading only: what `remark-gfm` adds to the parser, without the half of it
 * that writes Markdown and that no page needs.
 */
import type { Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

// "~20 to ~30" means "about", so one tilde strikes nothing out.
const syntax = [gfm({ singleTilde: false })];
const nodes = gfmFromMarkdown();

/** The tree of a text. */
export function parseMarkdown(text: string): Root {
  return fromMarkdown(text, { extensions: syntax, mdastExtensions: nodes });
}

type ParserData = { micromarkExtensions?: unknown[]; fromMarkdownExtensions?: unknown[] };

/** The same for react-markdown's own parser. */
export function gfmPlugin(this: { data(): object }): void {
  const data: ParserData = this.data();
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), ...syntax];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), ...nodes];
}
