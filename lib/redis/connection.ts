import type { NodeState } from '../core/ports/lock-node.js';
import type { ServerWarning } from './server-status.js';
import { serverText } from './server-text.js';

/** One server's connection, ours or a given one: how commands get there and whether they would. */
export interface Connection {
  /** `host:port` or a path: what people call the server. Never a password. */
  readonly name: string;
  /** Whether it is a Cluster: one server to us, but its keys lie on many. */
  readonly clustered: boolean;
  /** What about the client endangers locks. */
  readonly warnings: readonly ServerWarning[];
  /** The number of the database that the locks lie in. It is selected before the server may vote. */
  readonly database: number;
  /** The database, and the prefix of the client's own: releases in another one are none of ours. */
  readonly space: string;
  reach(): NodeState;
  /** Counts the connections so far: a new one may speak to a server that knows nothing of the one before. */
  readonly epoch: number;
  /** Called with each new state: a caller of `reach` might see the next try already. */
  onChange(listener: (state: NodeState) => void): void;
  /**
   * Called when a server that was asked has not answered for so many milliseconds, and with undefined when it answers again.
   * The connection stands meanwhile.
   */
  onSilence(listener: (forMs: number | undefined) => void): void;
  /** Rejects with a {@link ServerError} when the server answered with an error, otherwise when the connection broke. */
  call(command: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Ends what was made here; leaves what was given as it is. */
  close(): void;
}

/** A connection that is told what others publish. */
export interface SubscriberConnection extends Connection {
  /** Whether it has given up for good. */
  readonly ended: boolean;
  onMessage(listener: (channel: string, message: string) => void): void;
}

/** A name for where the keys of a client are, of all the places that its server has. */
export function spaceOf({ db = 0, keyPrefix = '' }: { db?: number; keyPrefix?: string } = {}): string {
  return `@${db}${keyPrefix === '' ? '' : `:${keyPrefix}`}`;
}

/** Why a connection is down that was closed on purpose. */
export const CLOSED = new Error('the connection was closed at shutdown');

/** The server has answered, with an error. */
export class ServerError extends Error {}

/** The server is there, and has not answered in time. */
export class SilenceError extends Error {}

/** A server that does not know AUTH, or calls it otherwise, repeats in its error what it was sent: the password. */
const ARGUMENTS = /,? with args beginning with:.*/s;

/** Passwords that are shorter than this are not looked for: their letters are everywhere. */
const SHORTEST_SECRET = 4;

/** Takes the passwords of a connection out of what its server says: it was sent them, and may repeat them anywhere. */
export class Secrets {
  readonly #secrets: readonly string[];

  constructor(...options: readonly Credentials[]) {
    const all = options.flatMap(({ password, sentinelPassword, tls }) => [
      password,
      sentinelPassword,
      (tls as { passphrase?: unknown } | undefined)?.passphrase,
    ]);
    this.#secrets = all.filter((each) => typeof each === 'string' && each.length >= SHORTEST_SECRET) as string[];
  }

  cut(text: string): string {
    return this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  }

  /** In all texts of a reply, however deep. */
  cutAll(reply: unknown): unknown {
    if (this.#secrets.length === 0) return reply;
    if (typeof reply === 'string') return this.cut(reply);
    return Array.isArray(reply) ? reply.map((each) => this.cutAll(each)) : reply;
  }

  /** What of an error may be shown: its message on one line, without the command and its arguments, which may be a password. */
  messageOf({ name, message }: Error): string {
    return serverText(this.cut(message.replace(ARGUMENTS, '')) || name);
  }

  /** ioredis marks the server's own errors by this name; everything else means that the answer is unknown. */
  toCallError(error: unknown): Error {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // A copy: the original carries the command with its arguments.
    const shown = this.messageOf({ name, message });
    return name === 'ReplyError' ? new ServerError(shown) : new Error(shown);
  }
}

interface Credentials {
  readonly password?: unknown;
  readonly sentinelPassword?: unknown;
  readonly tls?: unknown;
}
