import type { Cancellation, CancelListener } from './cancellation.js';
import { LinkedList, type Place } from './linked-list.js';
import type { Cancel, Clock } from './ports/clock.js';

/** What waits for permits. It is called back once. */
export interface PermitWaiter extends CancelListener {
  /** @param isGranted false: the time was over first, and there is nothing to give back */
  onPermits(isGranted: boolean): void;
}

/** A number of permits that are given out in the order in which they are asked for. */
export class Semaphore {
  readonly #waits = new LinkedList<PermitWait>();
  #free: number;

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    /** How many permits there are. A request for more waits for all of them. */
    private readonly size: number,
  ) {
    this.#free = size;
  }

  /** Takes the permits if they are free and no other request waits for some. */
  tryAcquire(permits: number): boolean {
    if (this.#waits.size > 0) return false;
    const wanted = Math.min(permits, this.size);
    if (wanted > this.#free) return false;
    this.#free -= wanted;
    return true;
  }

  /** Waits for the permits. Calls back before it returns where it need not wait. */
  acquire(permits: number, timeoutMs: number, waiter: PermitWaiter, cancellation?: Cancellation): void {
    if (this.tryAcquire(permits)) {
      waiter.onPermits(true);
      return;
    }
    const wait = new PermitWait(Math.min(permits, this.size), waiter, cancellation, this.#leave);
    wait.place = this.#waits.push(wait);
    wait.begin(this.clock, timeoutMs);
  }

  release(permits: number): void {
    this.#free += Math.min(permits, this.size);
    this.#grant();
  }

  readonly #leave = (place: Place<PermitWait>): void => {
    // One that waits for many permits may have kept those behind it from the few that they want.
    if (this.#waits.remove(place)) this.#grant();
  };

  #grant(): void {
    for (let { first } = this.#waits; first !== undefined; { first } = this.#waits) {
      const { permits } = first.value;
      if (permits > this.#free) return;
      this.#free -= permits;
      this.#waits.remove(first);
      first.value.grant();
    }
  }
}

/** One request that waits for its permits. */
class PermitWait implements CancelListener {
  place: Place<PermitWait> | undefined;
  #cancelTimer: Cancel | undefined;

  constructor(
    readonly permits: number,
    private readonly waiter: PermitWaiter,
    private readonly cancellation: Cancellation | undefined,
    private readonly leave: (place: Place<PermitWait>) => void,
  ) {}

  begin(clock: Pick<Clock, 'after'>, timeoutMs: number): void {
    if (timeoutMs < Infinity) {
      this.#cancelTimer = clock.after(timeoutMs, () => {
        this.#end();
        this.waiter.onPermits(false);
      });
    }
    this.cancellation?.add(this);
  }

  /** Calls back in a turn of its own: what has given the permits back goes on first, and thousands may wait. */
  grant(): void {
    this.#end();
    void Promise.resolve().then(() => {
      this.waiter.onPermits(true);
    });
  }

  onCancelled(reason: unknown): void {
    this.#end();
    this.waiter.onCancelled(reason);
  }

  #end(): void {
    this.#cancelTimer?.();
    this.cancellation?.remove(this);
    if (this.place !== undefined) this.leave(this.place);
  }
}
