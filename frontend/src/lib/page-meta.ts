/** What the gateway has written into the page about itself. */

/** What a `meta` carries where nobody has written into it. */
const UNSET = /^__[A-Z_]+__$/;

/** The content of the page's `meta` of this name; empty where there is none. */
export function readMeta(name: string, page: Document): string {
  const meta = page.querySelector<HTMLMetaElement>(`meta[name="${name}"]`);
  const content = meta?.content.trim() ?? "";
  return UNSET.test(content) ? "" : content;
}
