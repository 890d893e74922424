import { ChevronRight, Lightbulb } from "lucide-react";
import { Collapsible, CollapsibleContent, CollapsibleTrigger } from "@/components/ui/collapsible";
import type { Text } from "@/session/state";
import { Markdown } from "./markdown";

/** What a model shows of its thinking; closed until the reader wants it. */
export function Thinking({ texts, isGrowing }: { texts: readonly Text[]; isGrowing: boolean }) {
  return (
    <Collapsible className="min-w-0">
      <CollapsibleTrigger className="group -mx-1.5 inline-flex min-h-6 items-center gap-1.5 rounded-md px-1.5 text-xs font-medium text-muted-foreground transition-colors duration-150 hover:text-foreground touch:-my-2 touch:min-h-11">
        <Lightbulb aria-hidden className="size-3.5" />
        <span className={isGrowing ? "motion-safe:animate-pulse" : undefined}>
          {isGrowing ? "Thinking…" : "Thinking"}
        </span>
        <ChevronRight
          aria-hidden
          className="size-3.5 transition-transform group-data-[state=open]:rotate-90"
        />
      </CollapsibleTrigger>
      <CollapsibleContent className="mt-1 flex min-w-0 flex-col gap-2 border-s-2 border-input ps-3 text-[0.8125rem] text-muted-foreground">
        {texts.map((text) => (
          <Markdown key={text.id} text={text.content} streaming={isGrowing && !text.isWhole} />
        ))}
      </CollapsibleContent>
    </Collapsible>
  );
}
