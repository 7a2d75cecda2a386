import type { NodeState } from '../core/ports/lock-node.js';

/** One server's connection, ours or a given one: how commands get there and whether they would. */
export interface Connection {
  /** `host:port` or a path: what people call the server. Never a password. */
  readonly name: string;
  /** Whether it is a Cluster: one server to us, but its keys lie on many. */
  readonly clustered: boolean;
  /** What about the way there is not as it should be, one sentence each. */
  readonly caveats: readonly string[];
  /** The database, and the prefix of the client's own: releases in another one are none of ours. */
  readonly space: string;
  reach(): NodeState;
  /** Counts the connections so far: a new one may speak to a server that knows nothing of the one before. */
  readonly epoch: number;
  /** Called with each new state as it is: whoever asks with `reach` might see the next try already. */
  onChange(listener: (state: NodeState) => void): void;
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

/** A server that does not know AUTH, or calls it otherwise, repeats in its error what it was sent: the password. */
const ARGUMENTS = /,? with args beginning with:.*/s;

/** What of an error may be shown: its message, without the command and its arguments, which may be a password. */
export function publicMessage({ name, message }: Error): string {
  return message.replace(ARGUMENTS, '') || name;
}

/** ioredis marks the server's own errors by this name; everything else means that the answer is unknown. */
export function toCallError(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  // A copy: the original carries the command with its arguments.
  const shown = publicMessage({ name, message });
  return name === 'ReplyError' ? new ServerError(shown) : new Error(shown);
}
