import { CopyButton } from "@/components/ui/copy-button";

/** Code as it was written, with its language and a button that copies it. */
export function CodeBlock({ language, code }: { language: string; code: string }) {
  const text = code.replace(/\n$/, "");
  return (
    <div className="md-code">
      <div className="md-code-bar">
        <span>{language || "text"}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre role="group" aria-label={language ? `Code, ${language}` : "Code"} tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  );
}
