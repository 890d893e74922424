import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { useFocusHeir } from "@/hooks/use-focus-heir";
import { cn } from "@/lib/cn";
import { Button } from "./button";

type LatePartOptions<P> = {
  /** What cannot be shown when it cannot be fetched, as the sentence begins: "The details". */
  what: string;
  fetch: () => Promise<ComponentType<P>>;
  /** What stands there until it has come. */
  waiting?: ReactNode;
  /** Of what stands there when it does not come. */
  className?: string;
};

/**
 * A part of the page that is fetched when it is first shown. Unlike with `React.lazy`, a fetch that
 * fails, offline or while a gateway restarts, is no end: it can be tried again, and is by itself
 * when the part is shown the next time.
 */
export function latePart<P extends object>(options: LatePartOptions<P>): ComponentType<P> {
  let fetched: ComponentType<P> | null = null;

  return function LatePart(props: P) {
    // In an object, as a function would be called for the state.
    const [known, setKnown] = useState({ Part: fetched, hasFailed: false });
    const isWanted = known.Part === null && !known.hasFailed;
    useEffect(() => {
      if (!isWanted) return;
      let isMounted = true;
      options.fetch().then(
        (Part) => {
          fetched = Part;
          if (isMounted) setKnown({ Part, hasFailed: false });
        },
        () => {
          if (isMounted) setKnown({ Part: null, hasFailed: true });
        },
      );
      return () => {
        isMounted = false;
      };
    }, [isWanted]);

    if (known.Part !== null) return <known.Part {...props} />;
    if (!known.hasFailed) return options.waiting;
    return (
      <NotFetched
        what={options.what}
        className={options.className}
        onRetry={() => setKnown({ Part: null, hasFailed: false })}
      />
    );
  };
}

type NotFetchedProps = { what: string; className: string | undefined; onRetry: () => void };

function NotFetched({ what, className, onRetry }: NotFetchedProps) {
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <div role="alert" className={cn("flex flex-wrap items-center gap-3 text-sm", className)}>
      <p>{what} could not be fetched.</p>
      <Button ref={button} variant="outline" size="sm" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
