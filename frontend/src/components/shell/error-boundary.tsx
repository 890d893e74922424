import { Component, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

type ErrorBoundaryProps = {
  /** What cannot be shown, as the sentence begins: "The conversation". */
  what: string;
  className?: string;
  children: ReactNode;
};

/** Keeps a failure in one part of the page from taking the other parts with it. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div
        role="alert"
        className={cn(
          "flex flex-col items-center justify-center gap-4 p-6 text-center",
          this.props.className,
        )}
      >
        <p>{this.props.what} cannot be shown because of an error in this page.</p>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </div>
    );
  }
}
