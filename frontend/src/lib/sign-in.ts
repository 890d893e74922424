/** Whether this gateway wants to know who comes, and where people sign in. */
import { readMeta } from "@/lib/page-meta";

/** Where the address of the page goes, so that a person comes back to it. */
const RETURN_TO = "{return_to}";

/** Whether each socket needs a ticket. */
export function wantsTickets(page: Document = document): boolean {
  return readMeta("auth-mode", page) === "jwt";
}

/** Where to sign in, to come back to `returnTo`; null when the page does not say. Neither a script
 * nor, under the guise of a path, another host. */
export function signInUrl(returnTo: string, page: Document = document): string | null {
  const template = readMeta("auth-sign-in-url", page);
  const isPath = template.startsWith("/");
  if (!isPath && !/^https?:\/\//i.test(template)) return null;
  try {
    const filled = template.replaceAll(RETURN_TO, encodeURIComponent(returnTo));
    const url = new URL(filled, location.origin);
    return isPath && url.origin !== location.origin ? null : url.href;
  } catch {
    return null;
  }
}
