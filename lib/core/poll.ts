import type { Courier } from './courier.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import { Parcel } from './request-queue.js';
import type { Vote } from './vote.js';

export interface Poll<V> {
  readonly verdict: V;
  /** One for each server that was asked, in their order; `unanswered` where the verdict did not wait for it. */
  readonly votes: readonly Vote[];
}

/** How votes become a verdict. With all votes in there must be one. */
export interface Judge<V> {
  /** A verdict; `undefined` for "more votes, please"; `'unsure'` for "more votes would be better, but do not wait long". */
  readonly judge: (votes: readonly Vote[], servers: number) => V | 'unsure' | undefined;
  /** For how long, in milliseconds from the question on, an unsure judge waits at least. Default: 0. */
  readonly graceMs?: number;
  /** The verdict of an unsure judge who has waited long enough. */
  readonly judgeAsIs?: (votes: readonly Vote[], servers: number) => V | undefined;
  /** Told of each vote that comes after the verdict, and of all that there are by then. */
  readonly onLateVote?: (vote: Vote, verdict: V, votes: readonly Vote[]) => void;
}

/** How long an unsure judge waits for more votes, as a share of what those so far have taken. */
const GRACE = 0.5;

type Asked = Pick<Quorum, 'couriers' | 'clock'>;

/**
 * Asks every server and settles with the first verdict that no missing vote can change, within
 * `timeoutMs` at the latest. It never waits for the slowest (P4, P5).
 *
 * What has not left by then does not leave any more; what has left goes on behind.
 */
export function poll<V>(
  asked: Asked,
  request: NodeRequest | ((position: number) => NodeRequest),
  timeoutMs: number,
  judge: Judge<V>,
): Promise<Poll<V>> {
  return new Promise((resolve, reject) => {
    new Question(asked, judge, resolve, reject).ask(request, timeoutMs);
  });
}

/** One question to all servers, and the votes on it. It calls back once: with the verdict, or with what the judge has thrown. */
export class Question<V> {
  readonly #couriers: readonly Courier[];
  readonly #clock: Clock;
  readonly #votes: Vote[] = [];
  readonly #parcels: Parcel[] = [];
  #startedAtMs = 0;
  #timeoutMs = 0;
  #isOpen = true;
  #verdict: V | undefined;
  #cancelTimeout: Cancel | undefined;
  #cancelGrace: Cancel | undefined;

  constructor(
    { couriers, clock }: Asked,
    private readonly judge: Judge<V>,
    private readonly onVerdict: (poll: Poll<V>) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#couriers = couriers;
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
    for (let position = 0; position < this.#couriers.length; position++) {
      const own = typeof request === 'function' ? request(position) : request;
      const parcel = new Parcel(own, this.#onReply, position, dueAtMs);
      this.#parcels.push(parcel);
      this.#couriers[position]?.take(parcel);
    }
    this.#consider();
  }

  readonly #onReply = (reply: NodeReply, position: number): void => {
    const vote = { server: this.#couriers[position]?.name ?? '', position, ...reply };
    this.#votes.push(vote);
    if (this.#isOpen) this.#consider();
    else if (this.#verdict !== undefined) this.judge.onLateVote?.(vote, this.#verdict, this.#votes);
  };

  #consider(): void {
    if (!this.#isOpen || this.#parcels.length < this.#couriers.length) return;
    try {
      const verdict = this.judge.judge(this.#votes, this.#couriers.length);
      if (verdict === 'unsure') {
        const { graceMs = 0 } = this.judge;
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
    const verdict = this.judge.judgeAsIs?.(this.#votes, this.#couriers.length);
    if (verdict !== undefined) this.#close(verdict);
  };

  #close(verdict: V): void {
    this.#isOpen = false;
    this.#verdict = verdict;
    this.#cancelTimers();
    this.onVerdict({ verdict, votes: votesOf(this.#couriers, this.#votes) });
  }

  #cancelTimers(): void {
    this.#cancelGrace?.();
    this.#cancelTimeout?.();
  }

  readonly #onTimeout = (): void => {
    if (!this.#isOpen) return;
    const cause = new Error(`no answer within ${Math.round(this.#timeoutMs)} ms`);
    this.#parcels.forEach((parcel, position) => {
      if (parcel.settle === undefined) return;
      const courier = this.#couriers[position];
      this.#votes.push({ server: courier?.name ?? '', position, outcome: 'failed', reason: 'timeout', cause });
      courier?.withdraw(parcel);
    });
    this.#consider();
  };
}

/** One vote for each server, in their order. */
function votesOf(couriers: readonly Courier[], votes: readonly Vote[]): readonly Vote[] {
  const all: Vote[] = couriers.map(({ name }, position) => ({ server: name, position, outcome: 'unanswered' }));
  for (const vote of votes) all[vote.position] = vote;
  return all;
}
