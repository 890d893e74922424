import { goToNewSession } from "@/app/routes";
import { Button } from "@/components/ui/button";

/** What an address shows that names a session which cannot exist. */
export function NotASession() {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-4 p-6 text-center">
      <h1 className="text-xl font-semibold">This is not the address of a session</h1>
      <p className="max-w-prose text-muted-foreground">
        A session's name has only letters, digits, <code>-</code> and <code>_</code>, at most 128 of
        them. Part of the link may be missing.
      </p>
      <div className="flex flex-wrap justify-center gap-2">
        <Button onClick={goToNewSession}>New session</Button>
        <Button asChild variant="outline">
          <a href="/">Last session</a>
        </Button>
      </div>
    </main>
  );
}
