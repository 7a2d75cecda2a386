import type { AcquirePlan } from './acquire.js';
import type { Grant } from './grant.js';
import { Question, type Asker } from './ask-servers.js';
import { QuorumUnreachableError } from './errors/quorum-unreachable.error.js';
import { nodeTimeoutMs, type Quorum } from './quorum.js';
import { GivenBack, ReleaseRequest } from './requests.js';
import type { RunNote } from './run-note.js';
import { claimsToUndo } from './undo.js';
import { releaseVerdict, releaseVerdictSoFar, type Release } from './verdicts.js';
import type { Vote } from './vote.js';
import type { Turn } from './turn.js';
import { toError } from './error-text.js';

/**
 * Told once how a release has ended.
 *
 * - `'gone'`: so many servers did not have the lock any more that no majority can have had it: another process may have held it. They
 *   are believed because this is their answer to the first delivery; a release that is delivered again finds nothing in any case.
 * - A {@link QuorumUnreachableError}: no majority has confirmed it, so other processes may have to wait for the ttl.
 */
export type OnReleaseEnd = (end: 'released' | 'gone' | Error, votes: readonly Vote[]) => void;

/**
 * Gives a lock that was held back on every server, also on those that never answered, and lets the next waiter in (P14): the next one
 * of this process asks for the lock in the same turn. If there is none, or it has been so for a while, the waiters of other processes
 * are told, and may go first.
 *
 * Settles when a majority has confirmed, within one node timeout; the rest is delivered behind, whenever those servers answer again.
 */
export function releaseAndHandOver(
  quorum: Quorum,
  plan: AcquirePlan,
  { token, fence, grantedAtMs, turn }: Grant,
  minHoldMs: number,
  onEnd: OnReleaseEnd,
  run?: RunNote,
): void {
  const { clock, rules } = quorum;
  const { keys, ttlMs } = plan;
  const claims = run?.cancelledBy === undefined ? plan.claims : claimsToUndo(plan);
  const releasedAtMs = clock.nowMs();
  const stays = grantedAtMs + minHoldMs > releasedAtMs;
  // A process that waits for the end of the ttl must hear that it has come nearer.
  const successor = stays ? undefined : turn?.findSuccessor();
  const given = claims.map(({ key }) => new GivenBack(key, successor === undefined ? key : undefined));
  const keepUntilMs = stays ? grantedAtMs + minHoldMs : undefined;
  const request = new ReleaseRequest(token, rules.owner, given, keepUntilMs, fence, run?.toNote());
  // The successor asks after this, so the release is ahead of it in every queue.
  if (successor !== undefined) turn?.handOver();
  const releasing = new Releasing(quorum, keys, turn, releasedAtMs, onEnd);
  new Question<Release>(quorum, releasing).ask(request, nodeTimeoutMs(rules, ttlMs));
}

class Releasing implements Asker<Release> {
  constructor(
    private readonly quorum: Quorum,
    private readonly keys: readonly string[],
    private readonly turn: Turn | undefined,
    private readonly startedAtMs: number,
    private readonly onEnd: OnReleaseEnd,
  ) {}

  verdictOf(votes: readonly Vote[], servers: number): Release | 'undecided' | undefined {
    return releaseVerdict(votes, servers);
  }

  verdictSoFar(votes: readonly Vote[], servers: number): Release | undefined {
    return releaseVerdictSoFar(votes, servers);
  }

  onVerdict(verdict: Release, votes: readonly Vote[]): void {
    const { quorum, turn } = this;
    if (verdict === 'unknown') {
      this.onError(new QuorumUnreachableError('release', this.keys, quorum.queues.length, votes));
      return;
    }
    // The waiters of other processes that have heard of it go first.
    if (turn !== undefined && isHeard(votes)) turn.openRemoteWindow(quorum.clock.nowMs() - this.startedAtMs);
    turn?.leave();
    this.onEnd(verdict, votes);
  }

  onError(error: unknown): void {
    this.turn?.leave();
    this.onEnd(toError(error), []);
  }
}

/** Whether listeners have received the message of the release. */
function isHeard(votes: readonly Vote[]): boolean {
  return votes.some((vote) => vote.outcome === 'released' && (vote.heard ?? 0) > 0);
}
