import type { Cancellation } from './cancellation.js';
import { LinkedList, type Place } from './linked-list.js';
import type { Cancel, Clock } from './ports/clock.js';
import type { Claim, Holder } from './ports/lock-node.js';
import type { Vote } from './vote.js';
import { untilOver } from './wait.js';

/**
 * A lock is handed over within this process so many times in a row without a release message. Then the release is published, so
 * that waiters of other processes get their chance.
 */
const LONGEST_CHAIN = 5;

/** The longest remote window. It is longer than ten round trips to a server in the same region. */
const LONGEST_WINDOW_MS = 250;

/** If no waiter of another process used the longest window, there is none for so long: those subscribers may be dead. */
const NO_WINDOW_MS = 10_000;

/** The time after a published release in which waiters of other processes may go first. */
export interface RemoteWindow {
  readonly untilMs: number;
  /** What a round trip takes. */
  readonly tripMs: number;
}

/** The length of the window in round trips: the notification, the acquire, and the notification of their own release. */
const WINDOW_TRIPS = 10;

const NO_WINDOW: RemoteWindow = { untilMs: 0, tripMs: 0 };

interface OpenedWindow extends RemoteWindow {
  /** How many windows in a row no process has used: its waiters may be far away. */
  readonly missed: number;
  /** Until then no window is opened. */
  readonly noneUntilMs: number;
}

/** The process that was last known to hold the lock of a queue. */
export interface KnownHolder {
  readonly holder: Holder;
  readonly votes: readonly Vote[];
}

/** The waiters for one set of keys. */
interface Queue {
  readonly turns: LinkedList<Turn>;
  /** Computed when a waiter needs it. */
  known: (() => KnownHolder) | undefined;
}

/**
 * One waiter's place in the queue. The first waiter has its turn, until it leaves: after it gave up, or after it released the lock.
 */
export class Turn {
  /** Set when the turn has begun: until when waiters of other processes may go first. */
  begun: RemoteWindow | undefined;
  /** The lock was handed over to this waiter without a release message. If it does not take the lock, it must publish the message. */
  mustNotify = false;
  /** It was not the first when it came, or waiters of other processes could go first. */
  hasWaited = true;
  /** Its place in the list, until it leaves. */
  place: Place<Turn> | undefined;
  #onBegin: ((others: RemoteWindow) => void) | undefined;

  /** The number of hand-overs in this chain so far, and of the last waiter that may be part of it: later waiters let other processes go first. */
  #chain = 0;
  #lastNumber: number | undefined;

  constructor(
    readonly queue: string,
    private readonly number: number,
    private readonly room: WaitQueue,
  ) {}

  /** Waits until the turn begins; undefined if the time is over first. Rejects when it is cancelled. */
  beginsWithin(clock: Clock, timeoutMs: number, cancellation?: Cancellation): Promise<RemoteWindow | undefined> {
    return untilOver(clock, timeoutMs, cancellation, (resolve) => {
      this.#onBegin = resolve;
    });
  }

  /** The next waiter of this process, to which the lock can be handed over; undefined when other processes are to have their chance. */
  findSuccessor(): Turn | undefined {
    const next = this.room.next(this);
    this.#lastNumber ??= this.room.lastNumber;
    return next !== undefined && next.number <= this.#lastNumber && this.#chain + 1 < LONGEST_CHAIN ? next : undefined;
  }

  begin(others: RemoteWindow): void {
    this.begun = others;
    this.#onBegin?.(others);
  }

  /** Hands the lock over to the successor. */
  handOver(): void {
    const successor = this.findSuccessor();
    if (successor === undefined) return;
    successor.#chain = this.#chain + 1;
    successor.#lastNumber = this.#lastNumber;
    successor.mustNotify = true;
    this.leave();
  }

  /** Lets waiters of other processes go first, because they received the release message. */
  openRemoteWindow(tripMs: number): void {
    this.room.openRemoteWindow(this.queue, tripMs);
    this.leave();
  }

  /** Another process has the lock: it used the window. */
  closeRemoteWindow(): void {
    this.room.closeRemoteWindow(this.queue);
  }

  /** Does nothing when it has left already. */
  leave(): void {
    this.room.leave(this);
  }
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
  readonly #queues = new Map<string, Queue>();
  readonly #windows = new Map<string, { readonly window: OpenedWindow; readonly cancel: Cancel }>();

  constructor(private readonly clock: Clock) {}

  enter(claims: readonly Pick<Claim, 'key'>[]): Turn {
    const [first] = claims;
    const name = claims.length === 1 && first !== undefined ? first.key : JSON.stringify(claims.map(({ key }) => key));
    const turn = new Turn(name, ++this.lastNumber, this);
    const present = this.#queues.get(name);
    const turns = present?.turns ?? new LinkedList();
    turn.place = turns.push(turn);
    if (present !== undefined) return turn;
    this.#queues.set(name, { turns, known: undefined });
    const window = this.#windowOf(name);
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
  noteHolder({ queue: name }: Turn, known: () => KnownHolder): void {
    const queue = this.#queues.get(name);
    if (queue !== undefined) queue.known = known;
  }

  knownHolder({ queue }: Turn): KnownHolder | undefined {
    const known = this.#queues.get(queue)?.known?.();
    return known !== undefined && known.holder.remainingMs > 0 ? known : undefined;
  }

  leave(turn: Turn): void {
    const { queue, place } = turn;
    if (place === undefined) return;
    const wasFirst = place.before === undefined;
    const next = place.after?.value;
    place.list?.remove(place);
    turn.place = undefined;
    if (wasFirst && next === undefined) this.#queues.delete(queue);
    else if (wasFirst) next?.begin(this.#windowOf(queue));
  }

  /** Each time that no process uses the window the next one is twice as long, up to a limit. Then there is none for a while. */
  openRemoteWindow(queue: string, tripMs: number): void {
    const nowMs = this.clock.nowMs();
    const { window, cancel } = this.#windows.get(queue) ?? {};
    if (window !== undefined && nowMs < window.noneUntilMs) return;
    cancel?.();
    const missed = window?.missed ?? 0;
    const windowMs = Math.min(LONGEST_WINDOW_MS, WINDOW_TRIPS * tripMs * 2 ** missed);
    const isLast = windowMs === LONGEST_WINDOW_MS && missed > 0;
    const next: OpenedWindow = {
      untilMs: nowMs + windowMs,
      tripMs,
      missed: isLast ? 0 : missed + 1,
      noneUntilMs: isLast ? nowMs + NO_WINDOW_MS : nowMs,
    };
    const forget = this.clock.after(NO_WINDOW_MS, () => this.#windows.delete(queue), 'background');
    this.#windows.set(queue, { window: next, cancel: forget });
  }

  closeRemoteWindow(queue: string): void {
    this.#windows.get(queue)?.cancel();
    this.#windows.delete(queue);
  }

  #windowOf(queue: string): RemoteWindow {
    return this.#windows.get(queue)?.window ?? NO_WINDOW;
  }
}
