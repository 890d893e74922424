import { cva, type VariantProps } from "class-variance-authority";
import { X } from "lucide-react";
import { Dialog as SheetPrimitive } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";
import { Button } from "./button";
import { useReturnFocus } from "./use-return-focus";

/** A modal drawer that comes from an edge of the window. */
export function Sheet(props: ComponentProps<typeof SheetPrimitive.Root>) {
  return <SheetPrimitive.Root {...props} />;
}

const sheetVariants = cva(
  "fixed z-50 flex flex-col bg-background text-foreground shadow-lg duration-200 motion-safe:data-[state=open]:animate-in",
  {
    variants: {
      side: {
        bottom:
          "inset-x-0 bottom-0 h-[clamp(60dvh,32rem,100dvh-3rem)] rounded-t-xl border-t pb-[env(safe-area-inset-bottom)] motion-safe:data-[state=open]:slide-in-from-bottom",
        left: "inset-y-0 left-0 w-80 max-w-[85vw] border-r motion-safe:data-[state=open]:slide-in-from-left",
      },
    },
    defaultVariants: { side: "bottom" },
  },
);

type SheetContentProps = Omit<ComponentProps<typeof SheetPrimitive.Content>, "title"> &
  VariantProps<typeof sheetVariants> & { title: ReactNode; description: ReactNode };

/** The drawer: its title shown, its description for assistive tech, its body scrolled by its owner. */
export function SheetContent({
  className,
  side,
  title,
  description,
  children,
  ...props
}: SheetContentProps) {
  const returnFocus = useReturnFocus();
  return (
    <SheetPrimitive.Portal>
      <SheetPrimitive.Overlay
        data-slot="sheet-overlay"
        className="fixed inset-0 z-50 bg-black/50 motion-safe:data-[state=open]:animate-in motion-safe:data-[state=open]:fade-in-0"
      />
      <SheetPrimitive.Content
        data-slot="sheet-content"
        className={cn(sheetVariants({ side }), className)}
        {...returnFocus}
        {...props}
      >
        <div className="flex shrink-0 items-center justify-between gap-2 border-b py-2 pr-2 pl-4">
          <SheetPrimitive.Title className="truncate text-base font-semibold">
            {title}
          </SheetPrimitive.Title>
          <SheetPrimitive.Close asChild>
            <Button variant="ghost" size="icon" aria-label="Close">
              <X aria-hidden />
            </Button>
          </SheetPrimitive.Close>
        </div>
        <SheetPrimitive.Description className="sr-only">{description}</SheetPrimitive.Description>
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">{children}</div>
      </SheetPrimitive.Content>
    </SheetPrimitive.Portal>
  );
}
