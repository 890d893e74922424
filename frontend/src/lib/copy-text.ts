/** Selects the text in a field of its own and copies that, as pages without a clipboard API do. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.setAttribute("aria-hidden", "true");
  field.style.cssText = "position:fixed;top:0;opacity:0";
  // Beside the button, not at the end of the page: a modal dialog takes back focus from outside it.
  (focused?.parentElement ?? document.body).append(field);
  field.focus({ preventScroll: true });
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}

/**
 * Puts a text on the clipboard and tells whether that worked; it never throws.
 *
 * `navigator.clipboard` exists on https and localhost only, and may be refused; the older way works
 * on plain http as well.
 */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused, or the page lost the focus: the older way asks nobody.
    }
  }
  return copyBySelection(text);
}
