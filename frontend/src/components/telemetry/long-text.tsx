import { useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { JsonView } from "./json-view";

/** What is shown at first, and what is shown without being asked twice. */
const SHORT = 500;
const LONG = 20_000;

type LongTextProps = {
  /** What it is, such as "Result". */
  label: string;
  /** Whose it is, such as "search_patients": two of them must not have the same name. */
  owner: string;
  text: string;
  isJson: boolean;
  /** What the copy button copies: the text as it came. */
  original: string;
};

/** A text that may be very long: its beginning, more of it on demand, all of it on demand. */
export function LongText({ label, owner, text, isJson, original }: LongTextProps) {
  const [limit, setLimit] = useState(SHORT);
  const shown = text.length > limit ? beginningOf(text, limit) : text;
  return (
    <div className="mt-2 min-w-0">
      <div className="flex items-center justify-between gap-2">
        <span className="text-xs font-medium text-muted-foreground">{label}</span>
        <CopyButton text={original} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
      <pre
        role="group"
        aria-label={`${label} of ${owner}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard
        tabIndex={0}
        className="max-h-80 overflow-auto rounded-md border border-code-border bg-code p-2 font-mono text-xs leading-relaxed whitespace-pre-wrap text-code-foreground wrap-anywhere"
      >
        {isJson ? <JsonView json={shown} /> : shown}
        {shown !== text && "…"}
      </pre>
      {text.length > SHORT && (
        <div className="mt-1 flex flex-wrap gap-2">
          {limit < text.length && limit < LONG && (
            <Button variant="secondary" size="sm" onClick={() => setLimit(LONG)}>
              Show more
            </Button>
          )}
          {limit < text.length && limit >= LONG && (
            <Button variant="secondary" size="sm" onClick={() => setLimit(text.length)}>
              Show all {text.length.toLocaleString("en")} characters
            </Button>
          )}
          {limit > SHORT && (
            <Button variant="secondary" size="sm" onClick={() => setLimit(SHORT)}>
              Show less
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** Never the half of a character that takes two places. */
function beginningOf(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
