import type { Vote } from '../vote.js';

/** One server's part in a failure, ready for a log. */
export interface VoteReport {
  readonly server: string;
  readonly outcome: Vote['outcome'];
  /** Who holds the key, where the server said so. */
  readonly owner?: string;
  /** For how much longer, in milliseconds, unless extended or released. */
  readonly remainingMs?: number;
  /** Why the server did not answer, or not usefully. */
  readonly cause?: string;
}

/**
 * Marks our errors, and says of which classes they are. One process may load this package twice, as ES module and as
 * CommonJS: `instanceof` must hold across both, so it goes by the brand and not by the identity of the class.
 */
const BRAND = Symbol.for('redlock-nestjs:error');

/**
 * What all errors of this package have in common. Safe to log and to `JSON.stringify`: server names carry no password.
 *
 * @publicApi
 */
export abstract class RedlockError extends Error {
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
    const brands: string[] = [];
    for (let type = new.target as object; type !== Error; type = Object.getPrototypeOf(type) as object) {
      brands.push((type as { name: string }).name);
    }
    this.name = brands[0] ?? 'RedlockError';
    Object.defineProperty(this, BRAND, { value: brands });
  }

  toJSON(): object {
    return { name: this.name, code: this.code, message: this.message, keys: this.keys, votes: this.votes };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const brands = (value as Record<symbol, unknown>)[BRAND];
    return Array.isArray(brands) && brands.includes(this.name);
  }
}

function report(vote: Vote): VoteReport {
  const { server, outcome } = vote;
  switch (vote.outcome) {
    case 'denied':
    case 'taken':
    case 'seen':
      return { server, outcome, owner: vote.holder.owner, remainingMs: vote.holder.remainingMs };
    case 'failed':
      return { server, outcome, cause: vote.cause.message };
    case 'granted':
    case 'confirmed':
    case 'renewed':
    case 'absent':
    case 'released':
    case 'told':
    case 'unanswered':
      return { server, outcome };
    default:
      return vote satisfies never;
  }
}

/** `"a" and "b"`, as messages name the keys. */
export function quoted(keys: readonly string[]): string {
  return keys.map((key) => `"${key}"`).join(', ');
}
