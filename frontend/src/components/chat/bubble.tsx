import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

type BubbleProps = ComponentProps<"div"> & {
  /** The reader was led here a moment ago. */
  isMarked: boolean;
};

/** What somebody says, set apart; outlined while it is marked and while its message has the focus. */
export function Bubble({ isMarked, className, ...props }: BubbleProps) {
  return (
    <div
      data-bubble
      data-marked={isMarked ? "" : undefined}
      className={cn(
        "max-w-[90%] min-w-0 rounded-xl px-4 py-2.5 text-sm outline-offset-2 outline-ring group-focus-visible/message:outline-2 md:max-w-[70%]",
        isMarked && "outline-2",
        className,
      )}
      {...props}
    />
  );
}
