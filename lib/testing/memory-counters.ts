import { StringMap } from '../core/string-map.js';
import { counterLifeMs } from '../core/fencing-number.js';
import type { Claim } from '../core/ports/lock-node.js';
import type { StorePorts } from './memory-store.js';

interface Counter {
  readonly number: number;
  readonly expiresAtMs: number;
}

/** How many grants each key has had on one server, for as long as it remembers. */
export class MemoryCounters {
  readonly #counters = new StringMap<Counter>();

  constructor(private readonly ports: Pick<StorePorts, 'clock' | 'startOfCount'>) {}

  of(counter: string): number | undefined {
    const found = this.#counters.get(counter);
    if (found === undefined || found.expiresAtMs > this.ports.clock.nowMs()) return found?.number;
    this.#counters.delete(counter);
    return undefined;
  }

  /** The number of the next grant of these claims: one more than the highest of their counters; 0 where none is counted. */
  countOn(claims: readonly Claim[], leastStart: number): number {
    const start = Math.max(leastStart, this.ports.startOfCount());
    let highest = -Infinity;
    for (const { counter } of claims) {
      if (counter !== undefined) highest = Math.max(highest, this.of(counter) ?? start);
    }
    if (highest === -Infinity) return 0;
    for (const claim of claims) this.#set(claim, highest + 1);
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

  #set(claim: Claim, number: number): void {
    if (claim.counter === undefined) return;
    const expiresAtMs = this.ports.clock.nowMs() + counterLifeMs(claim);
    this.#counters.set(claim.counter, { number, expiresAtMs });
  }
}
