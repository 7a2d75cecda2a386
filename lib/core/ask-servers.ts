import type { NodeQueue } from './node-queue.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { PendingRequest } from './request-queue.js';
import type { Vote } from './vote.js';

export interface Answers<V> {
  readonly verdict: V;
  /** One for each server that was asked, in their order; `unanswered` where the verdict did not wait for it. */
  readonly votes: readonly Vote[];
}

/** How votes become a verdict. With all votes in there must be one. */
export interface VerdictRules<V> {
  /** A verdict; `undefined` for "more votes, please"; `'undecided'` for "more votes would be better, but do not wait long". */
  readonly verdictOf: (votes: readonly Vote[], servers: number) => V | 'undecided' | undefined;
  /** For how long, in milliseconds from the question on, an undecided verdict is waited with. Default: 0. */
  readonly graceMs?: number;
  /** The verdict when an undecided one has been waited with for long enough. */
  readonly verdictSoFar?: (votes: readonly Vote[], servers: number) => V | undefined;
  /** Told of each vote that comes after the verdict, and of all that there are by then. */
  readonly onLateVote?: (vote: Vote, verdict: V, votes: readonly Vote[]) => void;
}

/** How long an undecided verdict waits for more votes, as a share of what those so far have taken. */
const GRACE = 0.5;

type Asked = Pick<Quorum, 'queues' | 'clock'>;

/**
 * Asks every server and settles with the first verdict that no missing vote can change, within
 * `timeoutMs` at the latest. It never waits for the slowest (P4, P5).
 *
 * What has not left by then does not leave any more; what has left goes on behind.
 */
export function askServers<V>(
  asked: Asked,
  request: NodeRequest | ((position: number) => NodeRequest),
  timeoutMs: number,
  rules: VerdictRules<V>,
): Promise<Answers<V>> {
  return new Promise((resolve, reject) => {
    new Question(asked, rules, resolve, reject).ask(request, timeoutMs);
  });
}

/** One question to all servers, and the votes on it. It calls back once: with the verdict, or with what the rules have thrown. */
export class Question<V> {
  readonly #queues: readonly NodeQueue[];
  readonly #clock: Clock;
  readonly #votes: Vote[] = [];
  readonly #pendingRequests: PendingRequest[] = [];
  #startedAtMs = 0;
  #timeoutMs = 0;
  #isOpen = true;
  #verdict: V | undefined;
  #cancelTimeout: Cancel | undefined;
  #cancelGrace: Cancel | undefined;

  constructor(
    { queues, clock }: Asked,
    private readonly rules: VerdictRules<V>,
    private readonly onVerdict: (answers: Answers<V>) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#clock = clock;
  }

  ask(request: NodeRequest | ((position: number) => NodeRequest), timeoutMs: number): void {
    const clock = this.#clock;
    this.#startedAtMs = clock.nowMs();
    this.#timeoutMs = timeoutMs;
    // After a stall of this process the answers may lie here unread: they count.
    this.#cancelTimeout = clock.after(timeoutMs, () => {
      clock.afterInput(this.#onTimeout);
    });
    const dueAtMs = this.#startedAtMs + timeoutMs;
    for (let position = 0; position < this.#queues.length; position++) {
      const own = typeof request === 'function' ? request(position) : request;
      const pending = new PendingRequest(own, this.#onReply, position, dueAtMs);
      this.#pendingRequests.push(pending);
      this.#queues[position]?.take(pending);
    }
    this.#consider();
  }

  readonly #onReply = (reply: NodeReply, position: number): void => {
    const vote = { server: this.#queues[position]?.name ?? '', position, ...reply };
    this.#votes.push(vote);
    if (this.#isOpen) this.#consider();
    else if (this.#verdict !== undefined) this.rules.onLateVote?.(vote, this.#verdict, this.#votes);
  };

  #consider(): void {
    if (!this.#isOpen || this.#pendingRequests.length < this.#queues.length) return;
    try {
      const verdict = this.rules.verdictOf(this.#votes, this.#queues.length);
      if (verdict === 'undecided') {
        const { graceMs = 0 } = this.rules;
        const soFarMs = this.#clock.nowMs() - this.#startedAtMs;
        const leftMs = Math.max(GRACE * (soFarMs + 1), graceMs - soFarMs);
        this.#cancelGrace ??= this.#clock.after(leftMs, this.#onGraceOver);
      } else if (verdict !== undefined) this.#close(verdict);
    } catch (error) {
      this.#isOpen = false;
      this.#cancelTimers();
      this.onError(error);
    }
  }

  readonly #onGraceOver = (): void => {
    if (!this.#isOpen) return;
    const verdict = this.rules.verdictSoFar?.(this.#votes, this.#queues.length);
    if (verdict !== undefined) this.#close(verdict);
  };

  #close(verdict: V): void {
    this.#isOpen = false;
    this.#verdict = verdict;
    this.#cancelTimers();
    this.onVerdict({ verdict, votes: votesOf(this.#queues, this.#votes) });
  }

  #cancelTimers(): void {
    this.#cancelGrace?.();
    this.#cancelTimeout?.();
  }

  readonly #onTimeout = (): void => {
    if (!this.#isOpen) return;
    const cause = new Error(`no answer within ${Math.round(this.#timeoutMs)} ms`);
    this.#pendingRequests.forEach((pending, position) => {
      if (pending.settle === undefined) return;
      const queue = this.#queues[position];
      this.#votes.push({ server: queue?.name ?? '', position, outcome: 'failed', reason: 'timeout', cause });
      queue?.withdraw(pending);
    });
    this.#consider();
  };
}

/** One vote for each server, in their order. */
function votesOf(queues: readonly NodeQueue[], votes: readonly Vote[]): readonly Vote[] {
  const all: Vote[] = queues.map(({ name }, position) => ({ server: name, position, outcome: 'unanswered' }));
  for (const vote of votes) all[vote.position] = vote;
  return all;
}
