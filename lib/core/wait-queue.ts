import { LinkedList } from './linked-list.js';
import type { Clock } from './ports/clock.js';
import type { Claim, Holder } from './ports/lock-node.js';
import { RemoteWindows } from './remote-windows.js';
import { StringMap } from './string-map.js';
import { Turn } from './turn.js';
import type { Vote } from './vote.js';

/** The process that was last known to hold the lock of a queue. */
export interface KnownHolder {
  readonly holder: Omit<Holder, 'remainingMs'>;
  /** On the monotonic clock. */
  readonly untilMs: number;
  readonly votes: readonly Vote[];
}

/** The waiters for one set of keys. */
export class Queue {
  readonly turns = new LinkedList<Turn>();
  known: KnownHolder | undefined;

  constructor(readonly name: string) {}
}

/**
 * The waiters of one process, first in first out (P14). Only the first waiter of a queue asks the servers or subscribes to
 * them. A holder keeps its place until it has released the lock.
 *
 * There is a queue for each key, and one for each set of keys that are locked together: a waiter for two keys must not block a waiter
 * for one of them that is free. Two queues compete as two processes do.
 */
export class WaitQueue {
  lastNumber = 0;
  readonly #queues = new StringMap<Queue>();
  readonly windows: RemoteWindows;

  constructor(private readonly clock: Clock) {
    this.windows = new RemoteWindows(clock);
  }

  enter(claims: readonly Pick<Claim, 'key'>[]): Turn {
    const [first] = claims;
    const name = claims.length === 1 && first !== undefined ? first.key : JSON.stringify(claims.map(({ key }) => key));
    const present = this.#queues.get(name);
    const queue = present ?? new Queue(name);
    const turn = new Turn(queue, ++this.lastNumber, this);
    turn.place = queue.turns.push(turn);
    if (present !== undefined) return turn;
    this.#queues.set(name, queue);
    const window = this.windows.of(name);
    turn.hasWaited = window.untilMs > this.clock.nowMs();
    turn.begin(window);
    return turn;
  }

  /** The waiter behind this one, if this one has its turn. */
  next(turn: Turn): Turn | undefined {
    const { place } = turn;
    return place !== undefined && place.before === undefined ? place.after?.value : undefined;
  }

  /** The waiters behind this one name this holder when their wait is over. */
  noteHolder({ queue }: Turn, known: KnownHolder): void {
    queue.known = known;
  }

  /** No process has a majority of the servers, or too few have answered: what was known before may be over. */
  forgetHolder({ queue }: Turn): void {
    queue.known = undefined;
  }

  /** The process that was last known to hold the lock, if it may hold it still. */
  knownHolder({ queue }: Turn): { readonly holder: Holder; readonly votes: readonly Vote[] } | undefined {
    if (queue.known === undefined) return undefined;
    const { holder, untilMs, votes } = queue.known;
    const remainingMs = untilMs - this.clock.nowMs();
    return remainingMs > 0 ? { holder: { ...holder, remainingMs }, votes } : undefined;
  }

  leave(turn: Turn): void {
    const { queue, place } = turn;
    if (place === undefined) return;
    const wasFirst = place.before === undefined;
    const next = place.after?.value;
    place.list?.remove(place);
    turn.place = undefined;
    if (wasFirst && next === undefined) this.#queues.delete(queue.name);
    else if (wasFirst) next?.begin(this.windows.of(queue.name));
  }
}
