import type { NodeQueue } from './node-queue.js';
import type { Cancel } from './ports/clock.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { PendingRequest } from './pending-request.js';
import type { Vote } from './vote.js';
import { youngList } from './young-list.js';

/** How votes become a verdict. With all votes in there must be one. */
export interface VerdictRules<V> {
  /** A verdict; `undefined` for "more votes, please"; `'undecided'` for "more votes would be better, but do not wait long". */
  verdictOf(votes: readonly Vote[], servers: number): V | 'undecided' | undefined;
  /** For how long, in milliseconds from the question on, an undecided verdict is waited with. Default: 0. */
  readonly graceMs?: number;
  /** The verdict when an undecided one has been waited with for long enough. */
  verdictSoFar?(votes: readonly Vote[], servers: number): V | undefined;
}

/** What has asked the servers: it is called back once, with the verdict or with what the rules have thrown. */
export interface Asker<V> extends VerdictRules<V> {
  /** `votes` has one for each server that was asked, in their order; `unanswered` where the verdict did not wait for it. */
  onVerdict(verdict: V, votes: readonly Vote[]): void;
  onError(error: unknown): void;
  /** Told of each vote that comes after the verdict, and of all that there are by then. */
  onLateVote?(vote: Vote, verdict: V, votes: readonly Vote[]): void;
}

/** How long an undecided verdict waits for more votes, as a share of what those so far have taken. */
const GRACE = 0.5;

type Asked = Pick<Quorum, 'queues' | 'clock'>;
type Request = NodeRequest | ((position: number) => NodeRequest);

/**
 * Asks every server and settles with the first verdict that no missing vote can change, within
 * `timeoutMs` at the latest. It never waits for the slowest (P4, P5).
 *
 * What has not left by then does not leave any more; what has left goes on behind.
 */
export function askServers<V>(
  asked: Asked,
  request: Request,
  timeoutMs: number,
  rules: VerdictRules<V>,
): Promise<{ readonly verdict: V; readonly votes: readonly Vote[] }> {
  return new Promise((resolve, reject) => {
    const onVerdict = (verdict: V, votes: readonly Vote[]): void => {
      resolve({ verdict, votes });
    };
    new Question<V>(asked, { ...rules, onVerdict, onError: reject }).ask(request, timeoutMs);
  });
}

/** One question to all servers, and the votes on it. */
export class Question<V> {
  readonly #asked: Asked;
  readonly #asker: Asker<V>;
  readonly #votes = youngList<Vote>();
  readonly #pendingRequests = youngList<PendingRequest>();
  #startedAtMs = 0;
  #timeoutMs = 0;
  #isOpen = true;
  #verdict: V | undefined;
  #cancelTimeout: Cancel | undefined;
  #cancelGrace: Cancel | undefined;

  constructor(asked: Asked, asker: Asker<V>) {
    this.#asked = asked;
    this.#asker = asker;
  }

  ask(request: Request, timeoutMs: number): void {
    const { clock, queues } = this.#asked;
    this.#startedAtMs = clock.nowMs();
    this.#timeoutMs = timeoutMs;
    // After a stall of this process the answers may lie here unread: they count.
    this.#cancelTimeout = clock.after(timeoutMs, () => {
      clock.afterInput(() => {
        this.#onTimeout();
      });
    });
    const dueAtMs = this.#startedAtMs + timeoutMs;
    for (let position = 0; position < queues.length; position++) {
      const own = typeof request === 'function' ? request(position) : request;
      const pending = new PendingRequest(own, this.#onReply, position, dueAtMs);
      this.#pendingRequests.push(pending);
      queues[position]?.take(pending);
    }
    this.#consider();
  }

  readonly #onReply = (reply: NodeReply, position: number): void => {
    // The reply comes last: the other way round the copy takes V8 ten times as long.
    const vote = { server: this.#asked.queues[position]?.name ?? '', position, ...reply };
    this.#votes.push(vote);
    if (this.#isOpen) this.#consider();
    else if (this.#verdict !== undefined) this.#asker.onLateVote?.(vote, this.#verdict, this.#votes);
  };

  #consider(): void {
    const { clock, queues } = this.#asked;
    if (!this.#isOpen || this.#pendingRequests.length < queues.length) return;
    try {
      const verdict = this.#asker.verdictOf(this.#votes, queues.length);
      if (verdict === 'undecided') {
        const { graceMs = 0 } = this.#asker;
        const soFarMs = clock.nowMs() - this.#startedAtMs;
        const leftMs = Math.max(GRACE * (soFarMs + 1), graceMs - soFarMs);
        this.#cancelGrace ??= clock.after(leftMs, () => {
          this.#onGraceOver();
        });
      } else if (verdict !== undefined) this.#close(verdict);
    } catch (error) {
      this.#isOpen = false;
      this.#cancelTimers();
      this.#asker.onError(error);
    }
  }

  #onGraceOver(): void {
    if (!this.#isOpen) return;
    const verdict = this.#asker.verdictSoFar?.(this.#votes, this.#asked.queues.length);
    if (verdict !== undefined) this.#close(verdict);
  }

  #close(verdict: V): void {
    this.#isOpen = false;
    this.#verdict = verdict;
    this.#cancelTimers();
    this.#asker.onVerdict(verdict, votesOf(this.#asked.queues, this.#votes));
  }

  #cancelTimers(): void {
    this.#cancelGrace?.();
    this.#cancelTimeout?.();
  }

  #onTimeout(): void {
    if (!this.#isOpen) return;
    const cause = new Error(`no answer within ${Math.round(this.#timeoutMs)} ms`);
    this.#pendingRequests.forEach((pending, position) => {
      if (pending.settle === undefined) return;
      const queue = this.#asked.queues[position];
      this.#votes.push({ server: queue?.name ?? '', position, outcome: 'failed', reason: 'timeout', cause });
      queue?.withdraw(pending);
    });
    this.#consider();
  }
}

/** One vote for each server, in their order. */
function votesOf(queues: readonly NodeQueue[], votes: readonly Vote[]): readonly Vote[] {
  const all = unansweredBy(queues).slice();
  for (const vote of votes) all[vote.position] = vote;
  return all;
}

const unanswered = new WeakMap<readonly NodeQueue[], readonly Vote[]>();

/** What stands for the votes that are not in yet: the same for every question. */
function unansweredBy(queues: readonly NodeQueue[]): readonly Vote[] {
  const present = unanswered.get(queues);
  if (present !== undefined) return present;
  const made = queues.map(({ name }, position) => ({ server: name, position, outcome: 'unanswered' as const }));
  unanswered.set(queues, made);
  return made;
}
