import { MarkdownReply } from "./markdown-reply";
import { ReplyBoundary } from "./reply-boundary";

type MarkdownProps = { text: string; streaming?: boolean };

/**
 * A reply's text, well set; as it was written where it cannot be set. It fetches nothing, runs
 * nothing, and opens no address by itself.
 *
 * While `streaming`, what is still open (bold, a link, a fence) is shown as if it were closed.
 */
export function Markdown(props: MarkdownProps) {
  const asWritten = <div className="md whitespace-pre-wrap">{props.text}</div>;
  return (
    <ReplyBoundary fallback={asWritten}>
      <MarkdownReply {...props} />
    </ReplyBoundary>
  );
}
