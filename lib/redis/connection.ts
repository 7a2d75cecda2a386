import type { NodeState } from '../core/ports/lock-node.js';
import type { ServerWarning } from './server-status.js';
import { serverText } from './server-text.js';
import { errorText, toError } from '../core/error-text.js';

/** The connection to one server, made by this package or provided by the application. It sends commands, and knows whether it can. */
export interface Connection {
  /** The server in log lines and errors: `host:port` or a path. It never contains a password. */
  readonly name: string;
  /** Whether it is a Cluster: it has one vote, but its keys lie on several servers. */
  readonly clustered: boolean;
  /** What endangers locks in the options of the client. */
  readonly warnings: readonly ServerWarning[];
  /** The number of the database in which the locks are. It is selected before the server may vote. */
  readonly database: number;
  /** The database and the client's own prefix, as one text. Release messages of another keyspace do not concern our locks. */
  readonly keyspace: string;
  ensureConnected(): NodeState;
  /** The number of connections so far. The server behind a new connection may have lost everything that the last one had sent. */
  readonly epoch: number;
  /** Called with each new state. A later call of `ensureConnected` may return the state of the next try already. */
  onChange(listener: (state: NodeState) => void): void;
  /**
   * Called with the number of milliseconds for which the server has not answered a command, and with undefined when it answers
   * again. The connection stays open meanwhile.
   */
  onSilence(listener: (forMs: number | undefined) => void): void;
  /**
   * Sends a command. Exactly one of the callbacks is called, once, after this has returned: `onReply`, or `onError` with a
   * {@link ServerError} when the server answered with an error, and with another error when the connection broke. In that case the
   * listeners of {@link onChange} are called first. The callbacks do not throw.
   */
  send(
    command: string,
    args: readonly (string | number)[],
    onReply: (reply: unknown) => void,
    onError: (cause: Error) => void,
  ): void;
  /** Closes a connection of this package. A client of the application stays as it is. */
  close(): void;
}

/** Sends one command, and waits for its reply: for the rare commands, for which a promise more does not matter. */
export function call(
  connection: Pick<Connection, 'send'>,
  command: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    connection.send(command, args, resolve, reject);
  });
}

/** A connection that can subscribe to channels, and receives what other clients publish there. */
export interface SubscriberConnection extends Connection {
  /** Whether it has ended, and will not connect again. */
  readonly ended: boolean;
  onMessage(listener: (channel: string, message: string) => void): void;
}

/** The part of a server in which the keys of a client are, as one text: its database, and the client's own prefix. */
export function keyspaceOf({ db = 0, keyPrefix = '' }: { db?: number; keyPrefix?: string } = {}): string {
  return `@${db}${keyPrefix === '' ? '' : `:${keyPrefix}`}`;
}

/** The client's own prefix in such a text. */
export function ownPrefixIn(keyspace: string): string {
  return /^@\d+:(.*)$/s.exec(keyspace)?.[1] ?? '';
}

export const READY: NodeState = { status: 'ready' };
export const CONNECTING: NodeState = { status: 'connecting' };

/** The cause of the state `down` after the connection was closed on purpose. */
export const CLOSED = new Error('the connection was closed at shutdown');

/** The server has answered with an error. */
export class ServerError extends Error {}

/** The server is connected, but has not answered in time. */
export class SilenceError extends Error {}

/** A server that does not know AUTH, or has renamed it, repeats the arguments in its error: the password. */
const ARGUMENTS = /,? with args beginning with:.*/s;

/** Shorter passwords are not cut, because their letters occur in ordinary texts. */
const SHORTEST_SECRET = 4;

/** Of INFO: what is shown to people. */
const SHOWN_FIELDS = /^(redis_version|valkey_version|maxmemory_policy):(.*)$/gm;

/** Cuts the passwords of a connection out of what its server sends: the server knows them, and may repeat them in any text. */
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

  /**
   * Cuts what people may see of the reply to a command. A reply without a secret, as nearly every reply is, is returned as it is. A short
   * password may stand in a number, a token or the name of a field by chance: these are not shown, and must stay as they are.
   */
  cutReply(command: string, reply: unknown): unknown {
    if (!this.#isIn(reply)) return reply;
    if (command === 'info' && typeof reply === 'string') {
      return reply.replaceAll(SHOWN_FIELDS, (_, name: string, value: string) => `${name}:${this.cut(value)}`);
    }
    if (command.startsWith('eval') && Array.isArray(reply)) {
      return reply.map((each) => (Array.isArray(each) ? this.#cutScriptReply(each) : (each as unknown)));
    }
    return this.#cutDeep(reply);
  }

  /** One reply of the lock script. Its token is the text before a number: see scripts/lock.script.ts. */
  #cutScriptReply(reply: readonly unknown[]): unknown[] {
    const token = reply[0] === 0 ? 3 : reply[0] === 1 ? 4 : -1;
    return reply.map((each, index) => {
      if (typeof each !== 'string' || index === token) return each;
      const lines = each
        .split('\n')
        .map((line) => line.split(' ').map((word) => (/^\d*$/.test(word) ? word : this.cut(word))));
      return lines.map((words) => words.join(' ')).join('\n');
    });
  }

  #isIn(reply: unknown): boolean {
    if (typeof reply === 'string') return this.#secrets.some((secret) => reply.includes(secret));
    return this.#secrets.length > 0 && Array.isArray(reply) && reply.some((each) => this.#isIn(each));
  }

  #cutDeep(reply: unknown): unknown {
    if (typeof reply === 'string') return this.cut(reply);
    return Array.isArray(reply) ? reply.map((each) => this.#cutDeep(each)) : reply;
  }

  /** The part of an error that may be shown: its message on one line, without the command's arguments, which may contain a password. */
  messageOf(error: Error): string {
    return serverText(this.cut(errorText(error).replace(ARGUMENTS, '')) || error.name);
  }

  /** An error without secrets: a {@link ServerError} where the server has answered with it. */
  toCallError(error: unknown): Error {
    const thrown = toError(error);
    // A new one, because the original carries the command with its arguments.
    const shown = this.messageOf(thrown);
    return isReplyError(thrown) ? new ServerError(shown) : new Error(shown);
  }
}

/** ioredis gives this name to the errors that the server has answered with. Every other error means that the answer is unknown. */
export function isReplyError({ name }: Pick<Error, 'name'>): boolean {
  return name === 'ReplyError';
}

interface Credentials {
  readonly password?: unknown;
  readonly sentinelPassword?: unknown;
  readonly tls?: unknown;
}
