import { ArrowUpRight, MessageSquare } from "lucide-react";

/** What the demo agent, too, can answer. */
const EXAMPLES = [
  "How many patients are there?",
  "Which patients have diabetes, and what do they take?",
  "How many patients have hypertension?",
  "Which patients have asthma, and what allergies do they have?",
] as const;

/** A conversation that has not begun: what can be asked here, to be asked with one click. */
export function EmptyState({ onAsk }: { onAsk: (question: string) => void }) {
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col overflow-auto">
      <div className="m-auto flex w-full max-w-[800px] min-w-0 flex-col items-center gap-6 p-4 text-center">
        <div className="flex flex-col items-center gap-2">
          <span className="mb-1 flex size-12 items-center justify-center rounded-xl bg-span-tool-soft text-span-tool">
            <MessageSquare aria-hidden className="size-6" />
          </span>
          <h3 className="text-xl font-semibold text-balance">Ask about your clinical data</h3>
          <p className="max-w-md text-sm text-balance text-muted-foreground">
            The agent looks things up in FHIR records and answers here. Every call that it makes
            appears in the telemetry while it happens.
          </p>
        </div>
        <ul aria-label="Example questions" className="grid w-full max-w-xl gap-2 sm:grid-cols-2">
          {EXAMPLES.map((question) => (
            <li key={question} className="flex min-w-0">
              <button
                type="button"
                onClick={() => onAsk(question)}
                className="group flex min-h-14 w-full min-w-0 items-center justify-between gap-3 rounded-lg border border-border bg-card px-3.5 py-2.5 text-start text-sm transition-colors duration-150 hover:border-primary hover:bg-accent"
              >
                {question}
                <ArrowUpRight
                  aria-hidden
                  className="size-4 shrink-0 text-muted-foreground group-hover:text-primary"
                />
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
