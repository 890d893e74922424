/** The conversation is still being read. */
export function LogSkeleton() {
  return (
    <div
      role="status"
      className="mx-auto flex w-full max-w-[800px] min-w-0 flex-1 flex-col gap-5 p-4"
    >
      <span className="sr-only">Loading the conversation</span>
      {["h-10 w-1/2 self-end", "h-24 w-2/3", "h-10 w-2/5 self-end", "h-16 w-3/5"].map((size) => (
        <div
          key={size}
          aria-hidden
          className={`${size} rounded-xl bg-muted motion-safe:animate-pulse`}
        />
      ))}
    </div>
  );
}
