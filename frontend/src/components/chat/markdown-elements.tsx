import type { ComponentProps } from "react";
import type { Components, ExtraProps } from "react-markdown";
import { CodeBlock } from "./code-block";
import { textOf } from "./markdown-rules";

/** How each element of a reply looks where the plain one would not do. */

type Of<Tag extends "a" | "input" | "p" | "pre" | "table" | "th"> = ComponentProps<Tag> &
  ExtraProps;

/** An outside link opens a tab of its own; a footnote stays here; a refused address is text. */
function Link({ node, href, children }: Of<"a">) {
  const { dataFootnoteRef, dataFootnoteBackref, id } = node?.properties ?? {};
  if (dataFootnoteRef !== undefined || dataFootnoteBackref !== undefined) {
    const back = dataFootnoteBackref !== undefined;
    const label = back ? "Back to the text" : `Note ${node ? textOf(node) : ""}`;
    return (
      <a id={typeof id === "string" ? id : undefined} href={href} aria-label={label}>
        {children}
      </a>
    );
  }
  if (!href || href.startsWith("#")) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
      <span className="sr-only"> (opens in a new tab)</span>
    </a>
  );
}

/** A paragraph; the label of the footnotes loses its id, which every reply would repeat. */
function Paragraph({ id: _, node: __, ...props }: Of<"p">) {
  return <p {...props} />;
}

/** A fenced or indented block of code with the language its fence named. */
function Pre({ node }: Of<"pre">) {
  const code = node?.children.find((child) => child.type === "element");
  if (!code) return null;
  const classes = code.properties.className;
  const named = Array.isArray(classes) ? String(classes[0] ?? "") : "";
  return <CodeBlock language={named.replace(/^language-/, "")} code={textOf(code)} />;
}

/** A table scrolls by itself, by keyboard too, instead of widening the page. */
function Table({ node: _, ...props }: Of<"table">) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <div className="md-table" role="group" aria-label="Table" tabIndex={0}>
      <table {...props} />
    </div>
  );
}

/** A column's name; an empty one is a plain cell, for a header without a name confuses. */
function HeaderCell({ node: _, children, ...props }: Of<"th">) {
  return children ? <th {...props}>{children}</th> : <td {...props} />;
}

/** A task's box: a picture of its state, as nothing here can be ticked. */
function TaskBox({ checked }: Of<"input">) {
  return (
    <span
      className="md-task"
      data-done={checked ? "" : undefined}
      role="img"
      aria-label={checked ? "Done" : "To do"}
    />
  );
}

export const elements: Components = {
  a: Link,
  input: TaskBox,
  p: Paragraph,
  pre: Pre,
  table: Table,
  th: HeaderCell,
};
