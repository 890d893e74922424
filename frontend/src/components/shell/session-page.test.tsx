import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { forgetSession, sessionList, touchSession } from "@/app/session-list";
import { announcements } from "@/components/shell/announcement-queue";
import { SessionPage } from "@/components/shell/session-page";
import { dismissToast, readToasts } from "@/components/ui/toast-store";
import type { Frame } from "@/protocol/guard";
import { connected, FrameWriter, SESSION, TURN } from "@/test/builders";
import { type FakeGateway, fakeGateway } from "@/test/fake-gateway";

let gateway: FakeGateway;

beforeEach(() => {
  window.localStorage.clear();
  window.sessionStorage.clear();
  sessionList.setState({ sessions: [] });
  for (const { id } of readToasts()) dismissToast(id);
  gateway = fakeGateway();
  vi.spyOn(announcements, "announce");
});

/** The page, beside whose chat there is room for the panel, after a socket that says these frames. */
async function openPage(...frames: readonly Frame[]): Promise<void> {
  vi.stubGlobal("matchMedia", (query: string) =>
    Object.assign(new EventTarget(), { matches: query.includes("min-width") }),
  );
  const nothing = (): void => undefined;
  render(<SessionPage sessionId={SESSION} onShowSessions={nothing} onShowHelp={nothing} />);
  act(() => gateway.socket.open(...frames));
  await screen.findByRole("complementary", { name: "Telemetry" });
}

const listed = () => sessionList.getState().sessions.map(({ id }) => id);
const toasts = () => readToasts().map(({ text }) => text);

it("a session that was deleted elsewhere and is used on comes back into the list", async () => {
  await openPage(connected());
  act(() => {
    forgetSession(SESSION);
    touchSession("another", Date.now());
  });
  await userEvent.type(screen.getByRole("textbox", { name: "Message" }), "hi{Enter}");
  expect(listed()).toEqual([SESSION, "another"]);
});

it("a session that is emptied under the reader says why, once", async () => {
  const log = new FrameWriter();
  const whole = [log.message({ content: "How many?" }), log.started(), log.finished()];
  await openPage(connected(), ...whole);
  expect(await screen.findByText("How many?", { selector: "article *" })).toBeVisible();
  act(() => gateway.socket.say(connected({ reset: true })));
  await waitFor(() => expect(toasts()).toEqual(["This session was deleted or has expired."]));
  expect(announcements.announce).toHaveBeenCalledWith({
    region: "note",
    text: "This session was deleted or has expired.",
  });
});

it("a session that starts over and reads the same from the log says nothing", async () => {
  const whole = (epoch: number) => {
    const log = new FrameWriter(epoch);
    return [log.message({ content: "How many?" }), log.started(), log.finished()];
  };
  await openPage(connected(), ...whole(7));
  const question = await screen.findByText("How many?", { selector: "article *" });
  const search = await screen.findByRole("searchbox", { name: "Search the telemetry" });
  await userEvent.type(search, "worker");
  act(() => gateway.socket.say(connected({ reset: true, head: "8-3" })));
  await new Promise(requestAnimationFrame);
  act(() => gateway.socket.say(...whole(8)));
  await new Promise(requestAnimationFrame);
  expect(question).toBeVisible();
  expect(search).toHaveFocus();
  expect(search).toHaveValue("worker");
  expect(toasts()).toEqual([]);
});

it("Esc stops the run also while the focus is in the telemetry", async () => {
  const log = new FrameWriter();
  await openPage(connected(), log.message(), log.started());
  const row = await screen.findByRole("button", { name: /^Attempt 1/ });
  fireEvent.keyDown(row, { key: "Escape" });
  expect(gateway.socket.said.at(-1)).toMatchObject({ type: "cancel", turn_id: TURN });
});

it("Esc in a search with a text clears it, and stops nothing", async () => {
  const log = new FrameWriter();
  await openPage(connected(), log.message(), log.started());
  const search = await screen.findByRole("searchbox", { name: "Search the telemetry" });
  await userEvent.type(search, "worker{Escape}");
  expect(search).toHaveValue("");
  expect(gateway.socket.said).toEqual([]);
});
