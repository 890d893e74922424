/**
 * Where a session runs: a page, or a plain process such as Node.
 *
 * Everything that only one of them has is behind this: the session's own code uses what both have
 * (`fetch`, timers, `URL`, `crypto`). The page's is `lib/page-surroundings.ts`.
 */

/** A WebSocket, as far as a session uses it: a browser's, Node's, or that of the package `ws`. */
export type Socket = {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
};

/** What the surroundings tell of the person and of the network. */
export type Watcher = {
  readonly onOnline: () => void;
  readonly onOffline: () => void;
  /** Somebody looks at it again. */
  readonly onVisible: () => void;
};

/** By name. */
export type TicketHeaders = Readonly<Record<string, string>>;

export type Surroundings = {
  /** The gateway's origin: `https://fanline.example`, without a path. */
  readonly gateway: string;
  readonly openSocket: (url: string) => Socket;
  /** What a request for a ticket says besides, by which the gateway knows who asks; null where it
   * wants no tickets. */
  readonly ticketHeaders: (() => TicketHeaders | Promise<TicketHeaders>) | null;
  /** What outlives a reload and not the tab; null: nothing does. */
  readonly storage: () => Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  readonly isOnline: () => boolean;
  /** Tells from here on, until what it returns is called. */
  readonly watch: (watcher: Watcher) => () => void;
  /** Calls `flush` once, when a new state can be seen; what it returns takes that back. */
  readonly schedule: (flush: () => void) => () => void;
};

export type PlainOptions = {
  /** Opens a WebSocket; where it is left out, the process has one of its own (Node 22 has). */
  readonly openSocket?: (url: string) => Socket;
  /** A token for a gateway with authentication, asked for before every socket. What it raises is
   * logged, and the socket tried again later. */
  readonly token?: () => string | Promise<string>;
};

/** A process without a page: nothing is stored, the network is taken to be there, and a state can
 * be seen as soon as what has arrived together is applied. */
export function plainSurroundings(gateway: string, options: PlainOptions = {}): Surroundings {
  const { openSocket = ownSocket(), token } = options;
  return {
    gateway: new URL(gateway).origin,
    openSocket,
    ticketHeaders:
      token === undefined ? null : async () => ({ Authorization: `Bearer ${await token()}` }),
    storage: () => null,
    isOnline: () => true,
    watch: () => () => {},
    schedule: (flush) => {
      const timer = setTimeout(flush, 0);
      return () => clearTimeout(timer);
    },
  };
}

function ownSocket(): (url: string) => Socket {
  const WebSocketHere = globalThis.WebSocket;
  if (WebSocketHere === undefined) {
    throw new Error("There is no WebSocket here: pass `openSocket`, with one of the package `ws`.");
  }
  return (url) => new WebSocketHere(url);
}
