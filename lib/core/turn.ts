import type { Cancellation } from './cancellation.js';
import type { Place } from './linked-list.js';
import type { Clock } from './ports/clock.js';
import type { RemoteWindow } from './remote-windows.js';
import { untilOver } from './wait.js';
import type { Queue, WaitQueue } from './wait-queue.js';

/**
 * A lock is handed over within this process so many times in a row without a release message. Then the release is published, so
 * that waiters of other processes get their chance.
 */
const LONGEST_CHAIN = 5;

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
    readonly queue: Queue,
    private readonly number: number,
    private readonly waitQueue: WaitQueue,
  ) {}

  /** Waits until the turn begins; undefined if the time is over first. Rejects when it is cancelled. */
  beginsWithin(clock: Clock, timeoutMs: number, cancellation?: Cancellation): Promise<RemoteWindow | undefined> {
    return untilOver(clock, timeoutMs, cancellation, (resolve) => {
      this.#onBegin = resolve;
    });
  }

  /** The next waiter of this process, to which the lock can be handed over; undefined when other processes are to have their chance. */
  findSuccessor(): Turn | undefined {
    const next = this.waitQueue.next(this);
    this.#lastNumber ??= this.waitQueue.lastNumber;
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
    this.waitQueue.windows.open(this.queue.name, tripMs);
    this.leave();
  }

  /** Another process has the lock: it used the window. */
  closeRemoteWindow(): void {
    this.waitQueue.windows.close(this.queue.name);
  }

  /** Does nothing when it has left already. */
  leave(): void {
    this.waitQueue.leave(this);
  }
}
