import { useEffect, useRef, useState } from "react";
import { copyText } from "@/lib/copy-text";

type Outcome = "idle" | "copied" | "failed";

const SHOWN_MS = 2000;

/** Copies on demand; the outcome stands for two seconds after the last copy. */
export function useCopy(): { outcome: Outcome; copy: (text: string) => Promise<void> } {
  const [outcome, setOutcome] = useState<Outcome>("idle");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const mounted = useRef(true);

  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
      clearTimeout(timer.current);
    };
  }, []);

  async function copy(text: string): Promise<void> {
    const copied = await copyText(text);
    if (!mounted.current) return;
    clearTimeout(timer.current);
    setOutcome(copied ? "copied" : "failed");
    timer.current = setTimeout(() => setOutcome("idle"), SHOWN_MS);
  }

  return { outcome, copy };
}
