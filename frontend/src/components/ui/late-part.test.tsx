import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { latePart } from "./late-part";

function Guest({ name }: { name: string }) {
  return <p>Here is {name}</p>;
}

const offline = () => Promise.reject(new TypeError("Failed to fetch"));

it("a part that is fetched late is there when it has come, and at once from then on", async () => {
  const fetch = vi.fn(async () => Guest);
  const Late = latePart<{ name: string }>({ what: "The guest", fetch, waiting: "Loading…" });
  const first = render(<Late name="Ada" />);
  expect(screen.getByText("Loading…")).toBeVisible();
  expect(await screen.findByText("Here is Ada")).toBeVisible();
  first.unmount();
  render(<Late name="Grace" />);
  expect(screen.getByText("Here is Grace")).toBeVisible();
  expect(fetch).toHaveBeenCalledOnce();
});

it("a part that could not be fetched can be asked for again", async () => {
  const fetch = vi.fn(async () => Guest).mockImplementationOnce(offline);
  const Late = latePart<{ name: string }>({ what: "The guest", fetch });
  render(<Late name="Ada" />);
  expect(await screen.findByRole("alert")).toHaveTextContent("The guest could not be fetched.");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Here is Ada")).toBeVisible();
});

it("a part that could not be fetched is asked for when it is shown the next time", async () => {
  const fetch = vi.fn(async () => Guest).mockImplementationOnce(offline);
  const Late = latePart<{ name: string }>({ what: "The guest", fetch });
  const first = render(<Late name="Ada" />);
  await screen.findByRole("alert");
  first.unmount();
  render(<Late name="Ada" />);
  expect(await screen.findByText("Here is Ada")).toBeVisible();
});
