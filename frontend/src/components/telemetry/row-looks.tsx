/** How each kind of row and each status looks: a word, an icon and a colour, never one alone. */
import {
  Brain,
  CircleCheck,
  CircleQuestionMark,
  CircleStop,
  CircleX,
  Database,
  FileQuestionMark,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  Play,
  Unplug,
  Zap,
} from "lucide-react";
import type { Row, RowKind, RowStatus } from "@/lib/waterfall-rows";

type KindLooks = {
  readonly label: string;
  readonly icon: LucideIcon;
  /** Of text and icon. */
  readonly ink: string;
  /** Of the edge on the left. */
  readonly edge: string;
  /** What the bar is drawn with; it sets the text colour, and the bar uses that. */
  readonly bar: string;
};

const LLM = { ink: "text-span-llm", edge: "border-l-span-llm", bar: "text-span-llm" };
const TOOL = { ink: "text-span-tool", edge: "border-l-span-tool", bar: "text-span-tool" };
const AGENT = { ink: "text-span-agent", edge: "border-l-span-agent", bar: "text-span-agent" };
const QUEUE = { ink: "text-span-queue", edge: "border-l-span-queue", bar: "text-span-queue" };
const ERROR = { ink: "text-span-error", edge: "border-l-span-error", bar: "text-span-error" };

const KIND_LOOKS: Readonly<Record<RowKind, KindLooks>> = {
  model: { label: "Model", icon: Brain, ...LLM },
  tool: { label: "Tool", icon: Database, ...TOOL },
  attempt: { label: "Attempt", icon: Play, ...AGENT },
  custom: { label: "Event", icon: Zap, ...AGENT },
  queue: { label: "Queue", icon: Hourglass, ...QUEUE },
  unknown: { label: "Unknown", icon: FileQuestionMark, ...QUEUE },
  error: { label: "Error", icon: CircleX, ...ERROR },
};

/** A failed call keeps its icon and label; its edge and its bar are those of an error. */
export function looksOf({ kind, status }: Row): KindLooks {
  const looks = KIND_LOOKS[kind];
  return status === "failed" ? { ...looks, edge: ERROR.edge, bar: ERROR.bar } : looks;
}

/** The kind's word: an attempt is told by its number. */
export function labelOf({ kind, attempt }: Row): string {
  return kind === "attempt" ? `Attempt ${attempt}` : KIND_LOOKS[kind].label;
}

const STATUS_LOOKS: Readonly<Record<RowStatus, { icon: LucideIcon; className: string }>> = {
  waiting: { icon: Hourglass, className: "text-span-queue" },
  running: { icon: LoaderCircle, className: "text-span-tool [&_svg]:motion-safe:animate-spin" },
  done: { icon: CircleCheck, className: "text-success" },
  failed: { icon: CircleX, className: "text-destructive" },
  stopped: { icon: CircleStop, className: "text-warning" },
  lost: { icon: Unplug, className: "text-warning" },
  "no result": { icon: CircleQuestionMark, className: "text-warning" },
};

/** A status as icon and word. */
export function Status({ status }: { status: RowStatus }) {
  const { icon: Icon, className } = STATUS_LOOKS[status];
  return (
    <span className={`inline-flex items-center gap-1 whitespace-nowrap ${className}`}>
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {status}
    </span>
  );
}
