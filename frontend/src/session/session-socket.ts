/**
 * One socket, from the request for its ticket, where this gateway wants one, to its end. It ends
 * once: by itself, which is told with what there is to do, or by being left, which is told nobody.
 */
import { wantsTickets } from "@/lib/sign-in";
import { judgeClose, type Verdict } from "@/session/reconnect";
import type { Id } from "@/session/state";
import { askForTicket } from "@/session/ticket";

export type SocketListener = {
  readonly sessionId: Id;
  /** The address to open now, with the cursor, and with the ticket where one is wanted. */
  readonly address: (ticket: string | null) => string;
  readonly onOpen: () => void;
  readonly onText: (data: unknown) => void;
  readonly onEnd: (verdict: Verdict) => void;
};

export class SessionSocket {
  private readonly leaving = new AbortController();
  private socket: WebSocket | null = null;

  constructor(private readonly listener: SocketListener) {
    if (wantsTickets()) void this.openWithTicket();
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
    const answer = await askForTicket(this.listener.sessionId, this.leaving.signal);
    this.unlessLeft(() => {
      if (answer.kind === "open") this.open(answer.ticket);
      else this.listener.onEnd(answer);
    });
  }

  private open(ticket: string | null): void {
    const socket = new WebSocket(this.listener.address(ticket));
    const { onOpen, onText, onEnd } = this.listener;
    socket.onopen = () => this.unlessLeft(onOpen);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.unlessLeft(() => onText(data));
    socket.onclose = ({ code, reason }) => this.unlessLeft(() => onEnd(judgeClose(code, reason)));
    this.socket = socket;
  }

  private unlessLeft(tell: () => void): void {
    if (!this.leaving.signal.aborted) tell();
  }
}
