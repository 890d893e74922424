/** Writes a `meta` into the page, as the gateway does; null takes it away. */
export function writeMeta(name: string, content: string | null): void {
  document.head.querySelector(`meta[name="${name}"]`)?.remove();
  if (content === null) return;
  const meta = document.createElement("meta");
  meta.name = name;
  meta.content = content;
  document.head.append(meta);
}
