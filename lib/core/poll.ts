import type { NodeReply, NodeRequest } from './ports/lock-node.js';
import type { Quorum } from './quorum.js';
import type { Parcel } from './request-queue.js';
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

/**
 * Asks every server and settles with the first verdict that no missing vote can change, within
 * `timeoutMs` at the latest. It never waits for the slowest (P4, P5).
 *
 * What has not left by then does not leave any more; what has left goes on behind.
 */
export function poll<V>(
  { couriers, clock }: Pick<Quorum, 'couriers' | 'clock'>,
  request: NodeRequest | ((position: number) => NodeRequest),
  timeoutMs: number,
  { judge, judgeAsIs, graceMs = 0, onLateVote }: Judge<V>,
): Promise<Poll<V>> {
  const startedAtMs = clock.nowMs();
  const votes: Vote[] = [];
  const parcels: Parcel[] = [];

  return new Promise((resolve, reject) => {
    let open = true;
    let onLate: (vote: Vote) => void = () => undefined;
    let cancelGrace: (() => void) | undefined;
    // After a stall of this process the answers may lie here unread: they count.
    let cancelTimeout = clock.after(timeoutMs, () => {
      clock.afterInput(onTimeout);
    });

    function close(verdict: V): void {
      open = false;
      onLate = (vote) => onLateVote?.(vote, verdict, votes);
      cancelGrace?.();
      cancelTimeout();
      // Nobody waits any more, but what is still queued must not leave after its time.
      if (votes.length < couriers.length) {
        cancelTimeout = clock.after(startedAtMs + timeoutMs - clock.nowMs(), withdrawAll, 'background');
      }
      resolve({ verdict, votes: [...votes, ...unanswered()].sort((one, other) => one.position - other.position) });
    }

    function unanswered(): Vote[] {
      const answered = new Set(votes.map(({ position }) => position));
      return couriers.flatMap(({ name }, position): Vote[] =>
        answered.has(position) ? [] : [{ server: name, position, outcome: 'unanswered' }],
      );
    }

    function consider(): void {
      if (!open || parcels.length < couriers.length) return;
      try {
        const verdict = judge(votes, couriers.length);
        if (verdict === 'unsure') {
          const soFarMs = clock.nowMs() - startedAtMs;
          cancelGrace ??= clock.after(Math.max(GRACE * (soFarMs + 1), graceMs - soFarMs), onGraceOver);
        } else if (verdict !== undefined) close(verdict);
      } catch (error) {
        open = false;
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
        reject(error);
      }
    }

    function onGraceOver(): void {
      const verdict = judgeAsIs?.(votes, couriers.length);
      if (open && verdict !== undefined) close(verdict);
    }

    function onReply(server: string, position: number, reply: NodeReply): void {
      const vote = { server, position, ...reply };
      votes.push(vote);
      if (open) consider();
      else {
        if (votes.length === couriers.length) cancelTimeout();
        onLate(vote);
      }
    }

    function withdrawAll(): void {
      couriers.forEach((courier, index) => {
        const parcel = parcels[index];
        if (parcel?.settle !== undefined) courier.withdraw(parcel);
      });
    }

    function onTimeout(): void {
      if (!open) return;
      const cause = new Error(`no answer within ${Math.round(timeoutMs)} ms`);
      couriers.forEach((courier, index) => {
        if (parcels[index]?.settle === undefined) return;
        votes.push({ server: courier.name, position: index, outcome: 'failed', reason: 'timeout', cause });
      });
      withdrawAll();
      consider();
    }

    couriers.forEach((courier, position) => {
      const own = typeof request === 'function' ? request(position) : request;
      parcels.push(
        courier.send(own, (reply) => {
          onReply(courier.name, position, reply);
        }),
      );
    });
    consider();
  });
}
