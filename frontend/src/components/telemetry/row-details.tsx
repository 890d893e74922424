import { MessageSquare } from "lucide-react";
import { useLink } from "@/app/link";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { formatJson, prettyText } from "@/lib/json-text";
import type { Row } from "@/lib/waterfall-rows";
import type { Id } from "@/session/state";
import { JaegerLink } from "./jaeger-link";
import { LongText } from "./long-text";
import { factsOf, spanOf } from "./row-facts";

type RowDetailsProps = { row: Row; traceId: Id | null };

/** All that is known of a row: its facts, what went in, what came out. Loaded when first opened. */
export function RowDetails({ row, traceId }: RowDetailsProps) {
  return (
    <div className="min-w-0 rounded-md border bg-background p-2 text-xs">
      <dl>
        {factsOf(row, traceId).map(({ label, value, place }) => (
          <div
            key={label}
            className="flex min-h-7 min-w-0 items-center gap-2 border-b border-border/60"
          >
            <dt className="w-24 shrink-0 text-muted-foreground">{label}</dt>
            <dd className="flex min-w-0 flex-1 items-center justify-end">
              <span className="min-w-0 flex-1 py-0.5 font-mono wrap-anywhere">{value}</span>
              {place === "trace" && <JaegerLink traceId={traceId} label="Open trace in Jaeger" />}
              {place === "span" && (
                <JaegerLink
                  traceId={traceId}
                  spanId={spanOf(row.item)}
                  label="Open span in Jaeger"
                />
              )}
              <CopyButton text={value} label={`Copy ${label.toLowerCase()}`} />
            </dd>
          </div>
        ))}
      </dl>
      <RowTexts row={row} />
      {row.item !== null && row.turnId !== "" && (
        <ShowInConversation turnId={row.turnId} itemId={row.item.id} />
      )}
    </div>
  );
}

function RowTexts({ row: { item, name } }: { row: Row }) {
  switch (item?.kind) {
    case "tool_call":
      return (
        <>
          <Json label="Arguments" owner={name} value={item.arguments} />
          {item.end !== null && (
            <Text
              label={item.end.isError ? "Error" : "Result"}
              owner={name}
              text={item.end.result}
            />
          )}
        </>
      );
    case "custom":
      return <Json label="Data" owner={name} value={item.data} />;
    case "unknown":
      return <Json label="Fields" owner={name} value={item.fields} />;
    default:
      return null;
  }
}

function Json({ label, owner, value }: { label: string; owner: string; value: unknown }) {
  const text = formatJson(value);
  return <LongText label={label} owner={owner} text={text} isJson original={text} />;
}

function Text({ label, owner, text }: { label: string; owner: string; text: string }) {
  if (text === "") return <p className="mt-2 text-muted-foreground">{label}: nothing</p>;
  return <LongText label={label} owner={owner} {...prettyText(text)} original={text} />;
}

function ShowInConversation({ turnId, itemId }: { turnId: Id; itemId: Id }) {
  const showInChat = useLink((link) => link.showInChat);
  return (
    <Button variant="outline" size="sm" className="mt-2" onClick={() => showInChat(turnId, itemId)}>
      <MessageSquare aria-hidden />
      Show in conversation
    </Button>
  );
}
