import { useId, useMemo } from "react";
import { MarkdownBlock } from "./markdown-block";
import { splitBlocks } from "./markdown-blocks";

/**
 * What `Markdown` promises, done block by block.
 *
 * Its headings begin at h4: the message it belongs to has the h3.
 */
export function MarkdownReply({ text, streaming = false }: { text: string; streaming?: boolean }) {
  const idPrefix = useId();
  const blocks = useMemo(() => splitBlocks(text, streaming), [text, streaming]);
  if (!blocks) return <div className="md whitespace-pre-wrap">{text}</div>;
  return (
    <div className="md">
      {blocks.map((block, index) => (
        // A growing text only adds blocks and changes the last, so the index is its name.
        <MarkdownBlock key={index} idPrefix={idPrefix} {...block} />
      ))}
    </div>
  );
}
