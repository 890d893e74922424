/**
 * One socket, from the request for its ticket, where this gateway wants one, to its end. It ends
 * once: by itself, which is told with what there is to do, or by being left, which is told nobody.
 */
import { judgeClose, type Verdict } from "@/session/reconnect";
import type { Id } from "@/session/state";
import type { Socket, Surroundings } from "@/session/surroundings";
import { askForTicket } from "@/session/ticket";

export type SocketListener = {
  readonly sessionId: Id;
  readonly surroundings: Surroundings;
  /** The address to open now, with the cursor, and with the ticket where one is wanted. */
  readonly address: (ticket: string | null) => string;
  readonly onOpen: () => void;
  readonly onText: (data: unknown) => void;
  readonly onEnd: (verdict: Verdict) => void;
};

export class SessionSocket {
  private readonly leaving = new AbortController();
  private socket: Socket | null = null;

  constructor(private readonly listener: SocketListener) {
    if (listener.surroundings.ticketHeaders !== null) void this.openWithTicket();
    else this.open(null);
  }

  send(text: string): void {
    this.socket?.send(text);
  }

  leave(): void {
    this.leaving.abort();
    this.socket?.close();
  }

  private async openWithTicket(): Promise<void> {
    const { sessionId, surroundings } = this.listener;
    const answer = await askForTicket(sessionId, surroundings, this.leaving.signal);
    this.unlessLeft(() => {
      if (answer.kind === "open") this.open(answer.ticket);
      else this.listener.onEnd(answer);
    });
  }

  private open(ticket: string | null): void {
    const { surroundings, address, onOpen, onText, onEnd } = this.listener;
    const socket = surroundings.openSocket(address(ticket));
    socket.onopen = () => this.unlessLeft(onOpen);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.unlessLeft(() => onText(data));
    socket.onclose = ({ code, reason }: CloseEvent) =>
      this.unlessLeft(() => onEnd(judgeClose(code, reason)));
    // Its close follows, and tells as much. In Node an error that nobody hears ends the process.
    socket.onerror = () => {};
    this.socket = socket;
  }

  private unlessLeft(tell: () => void): void {
    if (!this.leaving.signal.aborted) tell();
  }
}
