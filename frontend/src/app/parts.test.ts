import { expect, it, vi } from "vitest";
import { fetchTheRestWhenIdle } from "@/app/parts";

const fetched = vi.hoisted(() => new Set<string>());

function aPart(name: string): Record<string, unknown> {
  fetched.add(name);
  return { default: name, TelemetryPanel: name, TelemetryDrawer: name, RowDetails: name };
}

vi.mock("@/components/shell/help-dialog", () => aPart("help"));
vi.mock("@/components/shell/plain-text", () => aPart("plain text"));
vi.mock("@/components/shell/session-list", () => aPart("sessions"));
vi.mock("@/components/shell/telemetry-drawer", () => aPart("drawer"));
vi.mock("@/components/telemetry/TelemetryPanel", () => aPart("panel"));
vi.mock("@/components/telemetry/row-details", () => aPart("row details"));

it("everything that the first view lacks is fetched after it, for when there is no network", async () => {
  vi.useFakeTimers();
  fetchTheRestWhenIdle()();
  expect(vi.getTimerCount()).toBe(0);
  fetchTheRestWhenIdle();
  expect([...fetched]).toEqual([]);
  vi.runAllTimers();
  vi.useRealTimers();
  await vi.waitFor(() =>
    expect([...fetched].toSorted()).toEqual([
      "drawer",
      "help",
      "panel",
      "plain text",
      "row details",
      "sessions",
    ]),
  );
});
