import type { Release } from './servers/release.js';

export type { Release } from './servers/release.js';

export interface FleetOptions {
  /** No relay in front of the servers: fewer hops, for benchmarks. `slow()` refuses. Default: false. */
  direct?: boolean;
  /** Extra arguments for `redis-server`. */
  args?: readonly string[];
  /** Extra environment of the server with this name, each time that it starts. Only for processes, not for containers. */
  env?: (server: string) => Readonly<Record<string, string>>;
  /** Forces one family of servers, and wins over `REDLOCK_FLEET` and `REDLOCK_SERVERS`. */
  kind?: FleetKind;
  /** Only servers of this kind, which are never those of `REDLOCK_SERVERS`. */
  release?: Release;
}

/** `local`: processes, of an installed server or of Debian's unpacked one. `docker`: containers. */
export type FleetKind = 'local' | 'docker';

/** Independent Redis masters, for one test, demo or benchmark. `await using` stops them, too. */
export interface Fleet extends AsyncDisposable {
  readonly servers: readonly FleetServer[];
  /** One url a server, in the order of `servers`. */
  readonly urls: string[];
  /** Where the servers come from, for people: `redis-server 7.0.15 from PATH`. */
  readonly origin: string;
  /** Ends whatever the fleet started, frozen servers included, and removes its data. May be called at any time and again. */
  stop(): Promise<void>;
}

/**
 * One server and its faults. The verbs of one server take their turns: each starts when the one before has settled.
 * On a server that the fleet did not start, every verb of fault rejects.
 */
export interface FleetServer {
  /** `server-1` and so on. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What clients connect to: `redis://127.0.0.1:PORT`. */
  readonly url: string;
  /** Whether the server exists. One that is paused does. */
  readonly running: boolean;
  /** SIGKILL. Resolves when it is dead and connections are refused. */
  kill(): Promise<void>;
  /** SIGSTOP: TCP accepts, nothing answers. What is sent meanwhile is executed after `resume()`. */
  pause(): Promise<void>;
  /** SIGCONT. Resolves when it answers PING. */
  resume(): Promise<void>;
  /** Kills it if it runs and starts it on the same port, by default with its data. Resolves when it answers PING. */
  restart(options?: { data?: boolean }): Promise<void>;
  /** Every answer takes so much longer from now on; 0 is back to normal. */
  slow(delayMs: number): Promise<void>;
  /** The keys in it that match, in order: a direct look that no fault of the network stands in the way of. */
  keys(pattern?: string): Promise<string[]>;
  /** Any command, on a connection of its own that goes past the relay and ends afterwards. */
  command(...args: string[]): Promise<unknown>;
}
