import { StringMap } from '../core/string-map.js';
import { counterLifeMs } from '../core/fencing-number.js';
import type { Claim } from '../core/ports/lock-node.js';
import type { StorePorts } from './memory-store.js';

class Counter {
  constructor(
    readonly number: number,
    readonly expiresAtMs: number,
  ) {}
}

/** How many grants each key has had on one server, for as long as it remembers. */
export class MemoryCounters {
  readonly #counters = new StringMap<Counter>();

  constructor(private readonly ports: Pick<StorePorts, 'clock' | 'startOfCount'>) {}

  of(counter: string, nowMs = this.ports.clock.nowMs()): number | undefined {
    const found = this.#counters.get(counter);
    if (found === undefined || found.expiresAtMs > nowMs) return found?.number;
    this.#counters.delete(counter);
    return undefined;
  }

  /** The number of the next grant of these claims: one more than the highest of their counters; 0 where none is counted. */
  countOn(claims: readonly Claim[], leastStart: number, nowMs: number): number {
    let highest = -Infinity;
    for (const { counter } of claims) {
      if (counter === undefined) continue;
      const number = this.of(counter, nowMs) ?? Math.max(leastStart, this.ports.startOfCount());
      if (number > highest) highest = number;
    }
    if (highest === -Infinity) return 0;
    for (const claim of claims) this.#set(claim, highest + 1, nowMs);
    return highest + 1;
  }

  catchUp(claim: Claim, number: number): void {
    const { counter } = claim;
    if (counter !== undefined && (this.of(counter) ?? 0) < number) this.#set(claim, number);
  }

  /** Remembers the number for longer, if there is one. */
  keep(claim: Claim): void {
    const number = claim.counter === undefined ? undefined : this.of(claim.counter);
    if (number !== undefined) this.#set(claim, number);
  }

  clear(): void {
    this.#counters.clear();
  }

  #set(claim: Claim, number: number, nowMs = this.ports.clock.nowMs()): void {
    if (claim.counter !== undefined)
      this.#counters.set(claim.counter, new Counter(number, nowMs + counterLifeMs(claim)));
  }
}
