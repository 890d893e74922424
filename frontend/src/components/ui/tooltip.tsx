import { Tooltip as TooltipPrimitive } from "radix-ui";
import type { ReactNode } from "react";

type TooltipProps = {
  content: ReactNode;
  side?: "top" | "right" | "bottom" | "left";
  /** One focusable element, usually a Button. */
  children: ReactNode;
};

/** A hint on hover and on focus. Touch shows none, so it may only repeat or explain a visible name. */
export function Tooltip({ content, side = "bottom", children }: TooltipProps) {
  return (
    <TooltipPrimitive.Provider delayDuration={400}>
      <TooltipPrimitive.Root>
        <TooltipPrimitive.Trigger asChild>{children}</TooltipPrimitive.Trigger>
        <TooltipPrimitive.Portal>
          {/* It is drawn at the end of the page, where text outside every landmark gets lost. */}
          <section aria-label="Hint">
            <TooltipPrimitive.Content
              data-slot="tooltip-content"
              side={side}
              sideOffset={6}
              collisionPadding={8}
              className="z-60 max-w-72 rounded-md bg-foreground px-2.5 py-1.5 text-xs text-background shadow-md wrap-anywhere motion-safe:animate-in motion-safe:fade-in-0"
            >
              {content}
            </TooltipPrimitive.Content>
          </section>
        </TooltipPrimitive.Portal>
      </TooltipPrimitive.Root>
    </TooltipPrimitive.Provider>
  );
}
