import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A text field of several lines that grows with its text; 16 px on touch, below which iOS zooms. */
export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      data-slot="textarea"
      className={cn(
        "field-sizing-content block min-h-12 w-full min-w-0 resize-none rounded-md border border-input bg-background px-3 py-2.5 text-sm text-foreground placeholder:text-muted-foreground disabled:opacity-60 touch:min-h-11 touch:text-base",
        className,
      )}
      {...props}
    />
  );
}
