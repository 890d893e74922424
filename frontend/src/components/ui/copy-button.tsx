import { Check, Copy, X } from "lucide-react";
import type { ComponentProps } from "react";
import { useCopy } from "@/hooks/use-copy";
import { Button } from "./button";

const icons = {
  idle: <Copy aria-hidden />,
  copied: <Check aria-hidden />,
  failed: <X aria-hidden />,
};

type CopyButtonProps = Omit<ComponentProps<typeof Button>, "onClick" | "children" | "asChild"> & {
  /** What to copy; a function when it is costly to make. */
  text: string | (() => string);
  /** The accessible name at rest, such as "Copy code". */
  label: string;
};

/** Copies a text and says for two seconds, by icon and by name, whether it did. */
export function CopyButton({ text, label, variant, size, ...props }: CopyButtonProps) {
  const { outcome, copy } = useCopy();
  const name = { idle: label, copied: "Copied", failed: "Copying failed" }[outcome];
  return (
    <Button
      data-copy={outcome}
      variant={variant ?? "ghost"}
      size={size ?? "icon-sm"}
      {...props}
      aria-label={name}
      onClick={() => copy(typeof text === "function" ? text() : text)}
    >
      {icons[outcome]}
    </Button>
  );
}
