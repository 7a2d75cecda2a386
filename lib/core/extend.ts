import type { AcquirePlan } from './acquire.js';
import type { Grant } from './grant.js';
import type { Asker } from './ask-servers.js';
import type { SentExtension } from './deadline.js';
import type { Claim, NodeRequest } from './ports/lock-node.js';
import { extendVerdict, type Renewal } from './verdicts.js';
import type { Vote } from './vote.js';

/** The first try to extend comes when this part of the ttl is over: two more fit in before the end. */
const EXTEND_AFTER = 1 / 3;

/**
 * The extensions of all locks leave at multiples of this part of the ttl, so that those that are due at about the same time share one
 * round trip. They are sent earlier for it, never later.
 */
const GRID = 0.01;

/** The longest such step: more locks at once would keep the process from other work. */
const LONGEST_GRID_MS = 50;

/** What has sent an extension. */
export interface ExtensionCaller {
  /** Once. `unknown` where too few servers have answered: the old validity goes on. */
  onRenewal(extension: Extension, renewal: Renewal, votes: readonly Vote[]): void;
  /** Told of each vote that comes after a majority has renewed the lock. */
  onLateVote(vote: Vote): void;
}

/**
 * One extension: every server is asked once to begin the ttl anew, and puts nothing back where the lock is gone. Only a server that
 * still has the lock counts, and what an operator has removed must not come back by itself.
 */
export class Extension implements Asker<Renewal> {
  constructor(
    readonly ttlMs: number,
    readonly sent: SentExtension,
    private readonly caller: ExtensionCaller,
    /** Told last, where a call waits for it. */
    readonly onDone?: (renewal: Renewal, votes: readonly Vote[]) => void,
  ) {}

  verdictOf(votes: readonly Vote[], servers: number): Renewal | undefined {
    return extendVerdict(votes, servers);
  }

  onVerdict(renewal: Renewal, votes: readonly Vote[]): void {
    this.caller.onRenewal(this, renewal, votes);
    this.onDone?.(renewal, votes);
  }

  onError(): void {
    this.onVerdict('unknown', []);
  }

  onLateVote(vote: Vote, renewal: Renewal): void {
    if (renewal === 'renewed') this.caller.onLateVote(vote);
  }
}

/** @param isShorter the ttl becomes shorter: what waits for its end must hear of it */
export function extendRequest(
  owner: string,
  plan: AcquirePlan,
  { token, fence }: Grant,
  ttlMs: number,
  isShorter: boolean,
): NodeRequest {
  return { kind: 'extend', token, owner, claims: claimsFor(plan, ttlMs, isShorter), fence };
}

/** The claims of a held lock with this ttl. The hold of an interval keeps its guard. */
export function claimsFor({ claims }: AcquirePlan, ttlMs: number, isTold = false): readonly Claim[] {
  // Without the rest of a spread, which takes longer than everything else here.
  return claims.map(({ key, counter, retentionMs = 0, quarantineMs = 0, staysBehind = false }) => ({
    key,
    ttlMs,
    counter,
    retentionMs,
    quarantineMs: Math.max(ttlMs, quarantineMs),
    staysBehind,
    channel: isTold ? key : undefined,
  }));
}

/** When the extension after the one that was sent then is due. */
export function nextExtensionAtMs(sentAtMs: number, ttlMs: number): number {
  const gridMs = Math.min(ttlMs * GRID, LONGEST_GRID_MS);
  return Math.floor((sentAtMs + ttlMs * EXTEND_AFTER) / gridMs) * gridMs;
}
