import { type TokenKind, tokensOf } from "@/lib/json-text";

const INK: Readonly<Record<TokenKind, string | null>> = {
  key: "text-span-tool",
  string: "text-span-agent",
  number: "text-span-llm",
  word: "text-warning",
  punctuation: null,
};

/** A JSON text with its tokens coloured. It is text: nothing in it is ever read as HTML. */
export function JsonView({ json }: { json: string }) {
  return tokensOf(json).map(({ kind, text }, index) =>
    INK[kind] === null ? (
      text
    ) : (
      <span key={index} className={INK[kind]}>
        {text}
      </span>
    ),
  );
}
