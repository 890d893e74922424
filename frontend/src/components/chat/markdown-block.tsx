import { memo } from "react";
import ReactMarkdown, { type Options } from "react-markdown";
import { gfmPlugin } from "@/lib/gfm";
import { elements } from "./markdown-elements";
import { markdownRules, safeUrl } from "./markdown-rules";

const remarkPlugins: Options["remarkPlugins"] = [gfmPlugin];

type MarkdownBlockProps = {
  text: string;
  /** The headings it stands under, as `splitBlocks` tells. */
  outline: string;
  /** Before every id, so that two replies with footnotes share none. */
  idPrefix: string;
};

/** One block of a reply, rendered again only when its own text changes. Raw HTML is text. */
export const MarkdownBlock = memo(function MarkdownBlock({
  text,
  outline,
  idPrefix,
}: MarkdownBlockProps) {
  return (
    <ReactMarkdown
      remarkPlugins={remarkPlugins}
      rehypePlugins={[[markdownRules, outline]]}
      remarkRehypeOptions={{
        clobberPrefix: `${idPrefix}-`,
        footnoteLabel: "Notes",
        footnoteLabelTagName: "p",
      }}
      urlTransform={safeUrl}
      components={elements}
    >
      {text}
    </ReactMarkdown>
  );
});
