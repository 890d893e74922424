import { lazy, Suspense } from "react";

type MarkdownProps = { text: string; streaming?: boolean };

/** The text as it was written: until the code that sets it is there, and if that cannot be had. */
function AsWritten({ text }: MarkdownProps) {
  return <div className="md whitespace-pre-wrap">{text}</div>;
}

async function load() {
  try {
    const { MarkdownReply } = await import("./markdown-reply");
    return { default: MarkdownReply };
  } catch {
    // The connection broke, or a newer release took the file away: the reply can still be read.
    return { default: AsWritten };
  }
}

// A third of the page's code, so the page opens without it; asked for at once, it is there before
// the first reply as a rule.
const loading = load();
const Reply = lazy(() => loading);

/**
 * A reply's text, well set. It fetches nothing, runs nothing, and opens no address by itself.
 *
 * While `streaming`, what is still open (bold, a link, a fence) is shown as if it were closed.
 */
export function Markdown(props: MarkdownProps) {
  return (
    <Suspense fallback={<AsWritten {...props} />}>
      <Reply {...props} />
    </Suspense>
  );
}
