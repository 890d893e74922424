import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

type BubbleProps = ComponentProps<"div"> & {
  /** The reader was led here a moment ago. */
  isMarked: boolean;
};

/** What somebody says, set apart; ringed while it is marked and while its message has the focus. */
export function Bubble({ isMarked, className, ...props }: BubbleProps) {
  return (
    <div
      data-bubble
      className={cn(
        "max-w-[90%] min-w-0 rounded-xl px-4 py-2.5 text-sm ring-ring ring-offset-background transition-shadow group-focus-visible/message:ring-2 group-focus-visible/message:ring-offset-2 md:max-w-[70%]",
        isMarked && "ring-2 ring-offset-2",
        className,
      )}
      {...props}
    />
  );
}
