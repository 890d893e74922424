import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ReactNode, StrictMode, useState } from "react";
import { expect, it } from "vitest";
import { useFocusHeir } from "@/hooks/use-focus-heir";

function Passing({ onPress }: { onPress: () => void }) {
  const button = useFocusHeir<HTMLButtonElement>();
  return (
    <button type="button" ref={button} onClick={onPress}>
      Dismiss
    </button>
  );
}

function Page({ children }: { children?: (passing: ReactNode) => ReactNode }) {
  const [isThere, setThere] = useState(true);
  const passing = isThere && <Passing onPress={() => setThere(false)} />;
  return (
    <StrictMode>
      {children === undefined ? passing : children(passing)}
      <textarea id="composer-input" aria-label="Message" />
    </StrictMode>
  );
}

it("a button that its own click takes away leaves the focus to the message field", async () => {
  render(<Page />);
  screen.getByRole("button").focus();
  await userEvent.keyboard("{Enter}");
  expect(screen.queryByRole("button")).toBeNull();
  expect(screen.getByRole("textbox")).toHaveFocus();
});

it("a button in what scrolls leaves the focus there", async () => {
  render(
    <Page>
      {(passing) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard
        <div role="log" tabIndex={0}>
          {passing}
        </div>
      )}
    </Page>,
  );
  await userEvent.click(screen.getByRole("button"));
  expect(screen.getByRole("log")).toHaveFocus();
});

it("what goes away without the focus leaves it where it is", () => {
  const page = (passing: ReactNode) => (
    <>
      {passing}
      <button type="button">Other</button>
      <textarea id="composer-input" aria-label="Message" />
    </>
  );
  const { rerender } = render(page(<Passing onPress={() => undefined} />));
  screen.getByRole("button", { name: "Other" }).focus();
  rerender(page(null));
  expect(screen.getByRole("button", { name: "Other" })).toHaveFocus();
});
