import { SeededEntropy } from '../../support/model-quorum.js';

/** A pseudo-random number generator: one seed gives the same numbers again. */
export class Random {
  readonly #entropy: SeededEntropy;

  constructor(seed: number) {
    this.#entropy = new SeededEntropy(seed);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.#entropy.random();
  }

  below(count: number): number {
    return Math.min(count - 1, Math.floor(count * this.#entropy.random()));
  }

  chance(probability: number): boolean {
    return this.#entropy.random() < probability;
  }

  /** One of them, each as often as its weight says. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T {
    const all = Object.entries(weights) as [T, number][];
    let left = this.between(
      0,
      all.reduce((sum, [, weight]) => sum + weight, 0),
    );
    for (const [name, weight] of all) {
      left -= weight;
      if (left < 0) return name;
    }
    return all.at(-1)![0];
  }

  /** Time to the next of events that come by chance, so many milliseconds apart on average. */
  gapMs(meanMs: number): number {
    return -meanMs * Math.log(1 - this.#entropy.random());
  }
}
