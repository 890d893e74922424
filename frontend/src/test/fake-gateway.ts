/** A gateway as a tab's sockets meet it: what was opened, what was said, what is answered. */
import { vi } from "vitest";
import type { Frame } from "@/protocol/guard";

export class FakeSocket {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly said: Frame[] = [];
  isClosed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.said.push(JSON.parse(text));
  }

  /** The page closes it. */
  close(): void {
    this.isClosed = true;
  }

  /** The gateway takes the handshake and says these frames. */
  open(...frames: readonly Frame[]): void {
    this.onopen?.(new Event("open"));
    this.say(...frames);
  }

  say(...frames: readonly Frame[]): void {
    for (const frame of frames) this.sayText(JSON.stringify(frame));
  }

  sayText(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** The connection ends; a handshake that never was ends with 1006, too. */
  end(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason } as CloseEvent); // Node 20 has no CloseEvent
  }

  get query(): URLSearchParams {
    return new URL(this.url).searchParams;
  }
}

export class FakeGateway {
  readonly sockets: FakeSocket[] = [];
  /** Every request for a ticket. */
  readonly asked: RequestInit[] = [];
  /** What the next of them are answered; each of the others gets a ticket with its number. */
  readonly answers: (Response | Promise<Response>)[] = [];

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  async giveTicket(request: RequestInit): Promise<Response> {
    const number = this.asked.push(request);
    return this.answers.shift() ?? Response.json({ ticket: `ticket-${number}`, expires_in: 30 });
  }
}

/** From here on `new WebSocket` opens a socket of this gateway; `/readyz` answers `status`, or not
 * at all. */
export function fakeGateway(status: number | null = 200): FakeGateway {
  const gateway = new FakeGateway();
  function openSocket(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    gateway.sockets.push(socket);
    return socket;
  }
  vi.stubGlobal(
    "WebSocket",
    vi.fn(function WebSocket(url: string) {
      return openSocket(url);
    }),
  );
  const answer = (url: string, request: RequestInit = {}) => {
    if (new URL(url).pathname === "/tickets") return gateway.giveTicket(request);
    return status === null
      ? Promise.reject(new TypeError("Failed to fetch"))
      : Promise.resolve(new Response(null, { status }));
  };
  vi.stubGlobal("fetch", vi.fn(answer));
  return gateway;
}
