/** The assistant is at work and there is nothing else to see of it. */
export function TypingIndicator() {
  return (
    <p className="flex h-6 items-center gap-1">
      <span className="sr-only">The assistant is working</span>
      {[0, 150, 300].map((delay) => (
        <span
          key={delay}
          aria-hidden
          style={{ animationDelay: `${delay}ms` }}
          className="size-1.5 rounded-full bg-muted-foreground motion-safe:animate-bounce"
        />
      ))}
    </p>
  );
}
