import { cn } from "@/lib/cn";
import type { Text } from "@/session/state";
import { fencedJson } from "./answer-segments";
import { Markdown } from "./markdown";

/** After the last word of a growing text, for those who do not mind motion. */
const CARET = cn(
  "[&_:is(.md>:is(p,h4,h5,h6),.md>:is(ul,ol):last-child>li:not(:has(p,ul,ol))):last-child]:motion-safe:after:text-primary",
  "[&_:is(.md>:is(p,h4,h5,h6),.md>:is(ul,ol):last-child>li:not(:has(p,ul,ol))):last-child]:motion-safe:after:content-['▍'/'']",
  "[&_:is(.md>:is(p,h4,h5,h6),.md>:is(ul,ol):last-child>li:not(:has(p,ul,ol))):last-child]:motion-safe:after:animate-pulse",
);

/** One text of an answer. One that is JSON is set as code, once it is whole. */
export function AnswerText({ text, isRunning }: { text: Text; isRunning: boolean }) {
  const isGrowing = isRunning && !text.isWhole;
  const json = isGrowing ? null : fencedJson(text.content);
  return (
    <div className={cn("min-w-0", isGrowing && CARET)}>
      <Markdown text={json ?? text.content} streaming={isGrowing} />
    </div>
  );
}
