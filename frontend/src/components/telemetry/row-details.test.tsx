import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { useLink } from "@/app/link";
import { fetchRowDetails } from "@/app/parts";
import { FrameWriter, TURN } from "@/test/builders";
import { at, renderPanel } from "./panel-fixture";

vi.mock("@/app/parts", { spy: true });

/** Opens the row of the only tool call, whose result is `result`. */
async function openToolCall(result = '{"total":1}', fields = {}) {
  const log = new FrameWriter();
  const { container } = renderPanel([
    log.message(at(0)),
    log.started(at(10)),
    log.toolCall({ ...at(20), parent_span_id: "0123456789abcdef" }),
    log.toolResult({ ...at(140), result, ...fields }),
  ]);
  const button = screen.getByRole("button", { name: /^Tool search_patients/ });
  await userEvent.click(button);
  await screen.findByText("Tool call id");
  return { button, container };
}

const factNamed = (label: string) =>
  screen.getByText(label, { selector: "dt" }).nextSibling?.textContent;

beforeAll(() => import("./row-details"));

afterEach(() => {
  document.head.innerHTML = "";
});

describe("the details of a row", () => {
  it("that cannot be fetched leave the panel as it is, and can be asked for again", async () => {
    vi.mocked(fetchRowDetails).mockRejectedValueOnce(new TypeError("Failed to fetch"));
    const log = new FrameWriter();
    renderPanel([log.message(), log.started(), log.toolCall()]);
    await userEvent.click(screen.getByRole("button", { name: /^Tool search_patients/ }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The details could not be fetched.");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("Tool call id")).toBeVisible();
    expect(screen.getByRole("group", { name: "Waterfall" })).toHaveFocus();
  });

  it("open below it and tell its ids, its times and its attempt", async () => {
    const { button } = await openToolCall();
    expect(button).toHaveAttribute("aria-expanded", "true");
    expect(document.getElementById(button.getAttribute("aria-controls") ?? "")).not.toBeNull();
    expect(factNamed("Tool call id")).toBe("tool-1");
    expect(factNamed("Span")).toBe("3089ec5532e1d161");
    expect(factNamed("Parent span")).toBe("0123456789abcdef");
    expect(factNamed("Trace")).toBe("51d9e5b587ef14f844c2fd21a4384826");
    expect(factNamed("Duration")).toBe("120 ms");
    expect(factNamed("Attempt")).toBe("1");
  });

  it("show arguments and result as indented JSON", async () => {
    await openToolCall();
    const textOf = (name: string) => screen.getByRole("group", { name }).textContent;
    expect(textOf("Arguments of search_patients")).toBe('{\n  "name": "Ada"\n}');
    expect(textOf("Result of search_patients")).toBe('{\n  "total": 1\n}');
  });

  it("show text as text, and never as HTML", async () => {
    const { container } = await openToolCall('<img src=x onerror="alert(1)"><script>1</script>');
    expect(screen.getByRole("group", { name: /^Result/ })).toHaveTextContent("<img src=x");
    expect(container.querySelector("img, script, [onerror]")).toBeNull();
  });

  it("say that it failed, and how much of the result was cut off", async () => {
    await openToolCall("It broke.", { is_error: true, truncated_bytes: 1234 });
    expect(screen.getByRole("group", { name: "Error of search_patients" })).toHaveTextContent(
      "It broke.",
    );
    expect(factNamed("Cut off")).toBe("1,234 bytes");
  });

  it("show the beginning of a long result, then more of it, then all", async () => {
    const result = "x".repeat(30_000);
    await openToolCall(result);
    const shown = () => screen.getByRole("group", { name: /^Result/ }).textContent?.length;
    expect(shown()).toBe(501);
    await userEvent.click(screen.getByRole("button", { name: "Show more" }));
    expect(shown()).toBe(20_001);
    await userEvent.click(screen.getByRole("button", { name: /^Show all 30,000/ }));
    expect(shown()).toBe(30_000);
    await userEvent.click(screen.getByRole("button", { name: "Show less" }));
    expect(shown()).toBe(501);
  });

  it("copy every value, a result as it came", async () => {
    const user = userEvent.setup();
    await openToolCall();
    await user.click(screen.getByRole("button", { name: "Copy tool call id" }));
    expect(await navigator.clipboard.readText()).toBe("tool-1");
    await user.click(screen.getByRole("button", { name: "Copy result" }));
    expect(await navigator.clipboard.readText()).toBe('{"total":1}');
  });

  it("tell what a model call came to", async () => {
    const log = new FrameWriter();
    renderPanel([log.message(), log.started(), log.modelCall(), log.modelResponse()]);
    await userEvent.click(screen.getByRole("button", { name: /^Model g/ }));
    await screen.findByText("Call id");
    expect(factNamed("Model")).toBe("gpt-5-mini");
    expect(factNamed("Provider")).toBe("openai");
    expect(factNamed("First token after")).toBe("80 ms");
    expect(factNamed("Tokens in")).toBe("11");
    expect(factNamed("Tokens out")).toBe("7");
    expect(factNamed("Finish reason")).toBe("stop");
  });

  it("show the data of an agent's own event, and the fields of one that is not known", async () => {
    const log = new FrameWriter();
    renderPanel([
      log.message(),
      log.started(),
      log.event("custom", { attempt: 1, name: "progress", data: { step: 2 } }),
      log.event("from_the_future", { attempt: 1, colour: "teal" }),
    ]);
    await userEvent.click(screen.getByRole("button", { name: /^Event progress/ }));
    await userEvent.click(screen.getByRole("button", { name: /^Unknown from_the_future/ }));
    expect(await screen.findByRole("group", { name: "Data of progress" })).toHaveTextContent(
      '"step": 2',
    );
    expect(
      await screen.findByRole("group", { name: "Fields of from_the_future" }),
    ).toHaveTextContent('"colour": "teal"');
  });
});

describe("the links of a row", () => {
  it("lead to its span and its trace where the page knows a Jaeger", async () => {
    document.head.innerHTML = '<meta name="jaeger-ui-url" content="http://jaeger.test/" />';
    await openToolCall();
    const trace = "http://jaeger.test/trace/51d9e5b587ef14f844c2fd21a4384826";
    expect(screen.getByRole("link", { name: /^Open trace in Jaeger/ })).toHaveAttribute(
      "href",
      trace,
    );
    const span = screen.getByRole("link", { name: "Open span in Jaeger (opens in a new tab)" });
    expect(span).toHaveAttribute("href", `${trace}?uiFind=3089ec5532e1d161`);
    expect(span).toHaveAttribute("rel", "noreferrer noopener");
  });

  it("are not there where it knows none", async () => {
    document.head.innerHTML = '<meta name="jaeger-ui-url" content="__JAEGER_UI_URL__" />';
    await openToolCall();
    expect(screen.queryByRole("link")).toBeNull();
  });

  it("show its place in the conversation", async () => {
    const { container } = await openToolCall();
    const details = container.querySelector<HTMLElement>('[data-row="tool"]');
    const button = within(details as HTMLElement).getByRole("button", {
      name: "Show in conversation",
    });
    await userEvent.click(button);
    expect(useLink.getState().chatPlace).toMatchObject({ turnId: TURN, itemId: "tool-1" });
  });

  it("show its place in the conversation as soon as it is opened beside that", async () => {
    vi.stubGlobal("matchMedia", () => Object.assign(new EventTarget(), { matches: true }));
    const { button } = await openToolCall();
    const place = useLink.getState().chatPlace;
    expect(place).toMatchObject({ turnId: TURN, itemId: "tool-1", isGlance: true });
    expect(button).toHaveFocus();
    await userEvent.click(button);
    expect(useLink.getState().chatPlace).toBe(place);
    vi.unstubAllGlobals();
  });

  it("show nothing in a conversation that their drawer covers", async () => {
    await openToolCall();
    expect(useLink.getState().chatPlace).toBeNull();
  });

  it("light it up in the chat while it is pointed at, and the other way round", async () => {
    const { button, container } = await openToolCall();
    await userEvent.hover(button);
    expect(useLink.getState().hovered).toBe("tool-1");
    expect(container.querySelector("[data-hovered]")).toContainElement(button);
    await userEvent.unhover(button);
    expect(useLink.getState().hovered).toBeNull();
  });
});
