/**
 * One tab's connection: over as many sockets as it takes, until it is closed.
 *
 * It knows nothing of what frames mean, but for `connection`, which says how the socket stands.
 */
import { type Frame, parseFrame } from "@/protocol/guard";
import { MANY_FAILURES, STABLE_MS, type Verdict, waitMs } from "@/session/reconnect";
import { SessionSocket, type SocketListener } from "@/session/session-socket";
import type { ConnectionReason, ConnectionState, ConnectionView } from "@/session/state";
import type { Watcher } from "@/session/surroundings";

const OPEN_MS = 10_000;
const READY_MS = 3000;
/** Until the gateway has said how often its heart beats. */
const SILENCE_MS = 30_000;

export type Listener = Pick<SocketListener, "sessionId" | "surroundings" | "address"> & {
  readonly onFrame: (frame: Frame) => void;
  /** The gateway is there and has its Redis: say what is due. */
  readonly onConnected: () => void;
  /** The gateway could not take what was said: one message less, before the next socket. */
  readonly onTooBig: () => void;
  readonly onChange: (view: ConnectionView) => void;
};

export class Connection implements Watcher {
  private socket: SessionSocket | null = null;
  private isWanted = false;
  /** The gateway has said that this tab is not to come back as it is. */
  private isRefused = false;
  /** What `/readyz` said of this outage: asked once, after the first handshake that failed. */
  private cause: ConnectionReason | null = null;
  private hasAsked = false;
  private failures = 0;
  private openedAt: number | null = null;
  private lastFrameAt = 0;
  private silenceMs = SILENCE_MS;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private unwatch: () => void = () => {};
  private view: ConnectionView = { state: "reconnecting", reason: null, reconnects: 0 };

  constructor(private readonly listener: Listener) {}

  /** Connect, and stay connected. */
  open(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    this.unwatch = this.listener.surroundings.watch(this);
    this.connect();
  }

  /** No further socket is opened until `open`. */
  close(): void {
    this.isWanted = false;
    this.isRefused = false;
    this.view = { ...this.view, state: "reconnecting", reason: null };
    this.unwatch();
    clearTimeout(this.retryTimer);
    this.leaveSocket();
  }

  /** Try at once, with a new socket: instead of waiting, instead of one that leads nowhere, and
   * also after the gateway has refused this tab. */
  readonly retryNow = (): void => {
    if (!this.isWanted || this.view.state === "connected") return;
    // Why nothing was tried holds until the answer comes.
    const reason = this.isRefused ? this.view.reason : null;
    this.isRefused = false;
    this.leaveSocket();
    this.show("reconnecting", reason);
    this.comeBackNow();
  };

  /** Whether the text was given to a socket. It may be lost with it all the same. */
  send(text: string): boolean {
    if (this.view.state !== "connected" || this.socket === null) return false;
    this.socket.send(text);
    return true;
  }

  private readonly comeBackNow = (): void => {
    clearTimeout(this.retryTimer);
    this.connect();
  };

  private connect(): void {
    this.silenceMs = SILENCE_MS;
    this.watchFor(OPEN_MS);
    this.socket = new SessionSocket({
      ...this.listener,
      onOpen: () => {
        this.openedAt = Date.now();
        this.lastFrameAt = Date.now();
        this.watchFor(this.silenceMs);
      },
      onText: (data) => this.take(data),
      onEnd: (verdict) => this.lose(verdict),
    });
  }

  private take(data: unknown): void {
    this.lastFrameAt = Date.now();
    const frame = typeof data === "string" ? parseFrame(data) : null;
    if (frame === null) {
      console.warn("not a frame of ours", data);
      return;
    }
    this.listener.onFrame(frame);
    if (frame.type === "connection" && typeof frame.id !== "string") this.follow(frame);
  }

  private follow(frame: Frame): void {
    if (typeof frame.heartbeat_seconds === "number") {
      this.silenceMs = 2000 * frame.heartbeat_seconds;
      this.watchFor(this.silenceMs);
    }
    if (frame.status === "connected") {
      this.hasAsked = false;
      this.cause = null;
      this.show("connected", null);
      this.listener.onConnected();
    } else {
      this.show("reconnecting", "unavailable");
    }
  }

  private lose(verdict: Verdict): void {
    const wasOpen = this.openedAt !== null;
    if (this.openedAt !== null && Date.now() - this.openedAt >= STABLE_MS) this.failures = 0;
    this.leaveSocket();
    if (wasOpen) this.view = { ...this.view, reconnects: this.view.reconnects + 1 };
    if (verdict.kind === "stop") {
      this.isRefused = true;
      this.show("disconnected", verdict.reason);
      return;
    }
    if (verdict.kind === "too big") this.listener.onTooBig();
    if (verdict.cause !== undefined) this.takeCause(verdict.cause);
    else if (!wasOpen && !this.hasAsked && this.isOnline) void this.findCause();
    this.comeBack(waitMs(verdict, this.failures));
  }

  private comeBack(ms: number): void {
    this.failures += 1;
    const reason = this.isOnline ? this.cause : "offline";
    this.show(this.failures < MANY_FAILURES ? "reconnecting" : "disconnected", reason);
    this.retryTimer = setTimeout(this.comeBackNow, ms);
  }

  /** It was told, so there is nothing to ask, and no answer to wait for. */
  private takeCause(cause: ConnectionReason): void {
    this.cause = cause;
    this.hasAsked = false;
  }

  /** A browser does not tell why a handshake failed; whether the gateway is ready tells most. */
  private async findCause(): Promise<void> {
    this.hasAsked = true;
    const cause = await askReadiness(this.listener.surroundings.gateway);
    if (!this.hasAsked || this.isRefused || !this.isWanted) return; // it is answered by now
    this.cause = cause;
    this.show(this.view.state, cause);
  }

  private get isOnline(): boolean {
    return this.listener.surroundings.isOnline();
  }

  private watchFor(silenceMs: number): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.judgeSilence(silenceMs), silenceMs);
  }

  private judgeSilence(silenceMs: number): void {
    const left = this.lastFrameAt + silenceMs - Date.now();
    if (this.openedAt !== null && left > 0) {
      this.watchdog = setTimeout(() => this.judgeSilence(silenceMs), left);
      return;
    }
    this.drop();
  }

  /** Not even a heartbeat: the connection only looks alive, and its close would take its time. */
  private drop(): void {
    this.lose({ kind: "back off" });
  }

  private leaveSocket(): void {
    clearTimeout(this.watchdog);
    this.socket?.leave();
    this.socket = null;
    this.openedAt = null;
  }

  readonly onOnline = (): void => {
    if (this.isWanted && this.socket === null && !this.isRefused) this.comeBackNow();
  };

  readonly onOffline = (): void => {
    if (this.socket !== null) this.drop();
  };

  readonly onVisible = (): void => {
    // Whoever was signed out may have signed in meanwhile, in another tab.
    if (this.view.reason === "unauthorized") this.isRefused = false;
    this.onOnline();
    if (this.openedAt !== null && Date.now() - this.lastFrameAt > this.silenceMs) this.drop();
  };

  private show(state: ConnectionState, reason: ConnectionReason | null): void {
    this.view = { ...this.view, state, reason };
    this.listener.onChange(this.view);
  }
}

async function askReadiness(gateway: string): Promise<ConnectionReason> {
  try {
    const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(READY_MS) });
    return answer.ok ? "refused" : "unavailable";
  } catch {
    return "unreachable";
  }
}
