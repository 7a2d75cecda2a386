import { printable } from '../printable.js';
import type { Vote } from '../vote.js';

/** One server's part in a failure, ready for a log. */
export interface VoteReport {
  readonly server: string;
  readonly outcome: Vote['outcome'];
  /** Which process holds the key, where the server said so. */
  readonly owner?: string;
  /** For how much longer, in milliseconds, unless extended or released. */
  readonly remainingMs?: number;
  /** Why the server did not answer, or not usefully. */
  readonly cause?: string;
}

/**
 * Marks the errors of this package. One process may load the package twice, as ES module and as CommonJS, and a bundler gives
 * classes other names. So `instanceof` goes by this mark and by `code`, and neither by the identity of a class nor by its name.
 */
const BRAND = Symbol.for('redlock-nestjs:error');

/** By this, `console.log` and the logger of Nest ask an object how to print it. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** How many keys of a lock a message names. */
const NAMED_KEYS = 3;

/**
 * What all errors of this package have in common. Safe to log and to `JSON.stringify`: server names carry no password. Tell
 * them apart by `code` or by `instanceof`; both also hold in bundles, whatever those make of the names of classes.
 *
 * @publicApi
 */
export abstract class RedlockError extends Error {
  static {
    named(this, 'RedlockError');
    // The message has what matters of the votes. Printed with its properties, an error is thirty lines long.
    Object.defineProperty(this.prototype, INSPECT, { value: stackOf, configurable: true, writable: true });
  }

  /** The same for all errors of a class, and stable across versions. */
  abstract readonly code: string;

  /** The keys as they were asked for, without prefix. */
  readonly keys: readonly string[];

  /** One entry per server; `unanswered` where the decision did not wait for it. */
  readonly votes: readonly VoteReport[];

  protected constructor(message: string, keys: readonly string[] = [], votes: readonly Vote[] = []) {
    super(message);
    this.keys = [...keys];
    this.votes = votes.map(report);
    Object.defineProperty(this, BRAND, { value: true });
  }

  toJSON(): object {
    const { name, code, message, keys, votes } = this;
    return { name, code, message, keys, votes };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class of the user's that extends one of these has no code of its own, and is told by its identity.
    const own = Object.getOwnPropertyDescriptor(this, BRAND)?.value as string | true | undefined;
    if (own === undefined) return Function.prototype[Symbol.hasInstance].call(this, value);
    return isRedlockError(value) && (own === true || value.code === own);
  }
}

function stackOf(this: RedlockError): string {
  return this.stack ?? `${this.name}: ${this.message}`;
}

/** Gives an error class its name and, but for the class of them all, its code: as literals, which no minifier changes. */
export function named(type: { readonly prototype: Error }, name: string, code: string | true = true): void {
  Object.defineProperty(type, 'name', { value: name, configurable: true });
  Object.defineProperty(type, BRAND, { value: code });
  Object.defineProperty(type.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** Whether it is an error of this package, and with this code if one is given. */
export function isRedlockError(value: unknown, code?: string): value is RedlockError {
  if (typeof value !== 'object' || value === null) return false;
  if (!Object.hasOwn(value, BRAND)) return false;
  return code === undefined || (value as RedlockError).code === code;
}

function report(vote: Vote): VoteReport {
  const { server, outcome } = vote;
  switch (vote.outcome) {
    case 'denied':
    case 'taken':
    case 'seen':
      return { server, outcome, owner: printable(vote.holder.owner), remainingMs: vote.holder.remainingMs };
    case 'failed':
      return { server, outcome, cause: causeOf(vote.cause) };
    case 'granted':
    case 'confirmed':
    case 'renewed':
    case 'absent':
    case 'released':
    case 'told':
    case 'steered':
    case 'read':
    case 'unanswered':
      return { server, outcome };
    default:
      return vote satisfies never;
  }
}

/** A hash of a script, as Redis puts it into its errors. It changes with each version and would tell log groupers apart. */
const SCRIPT_HASH = /\b(f_)?[0-9a-f]{40}\b/g;

/** What a server or the connection to it said, on one line, without what is different each time. */
export function causeOf({ message }: Error): string {
  return printable(message.replace(SCRIPT_HASH, 'script')).replace(/\.$/, '');
}

/** `"a", "b"`, as messages name the keys: the first few of them, and how many there are. */
export function quoted(keys: readonly string[]): string {
  const shown = keys.slice(0, NAMED_KEYS).map((key) => `"${printable(key, 100)}"`);
  const more = keys.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more (${keys.length} keys)` : shown.join(', ');
}

/** The reasons of the servers that failed, and the names of those whose answer could not change the outcome any more. */
export function reasonsOf(votes: readonly Vote[]): readonly string[] {
  const failed = votes.flatMap((vote) => (vote.outcome === 'failed' ? [`${vote.server}: ${causeOf(vote.cause)}`] : []));
  const unanswered = votes.filter(({ outcome }) => outcome === 'unanswered').map(({ server }) => server);
  return unanswered.length === 0 ? failed : [...failed, `not waited for: ${unanswered.join(', ')}`];
}
