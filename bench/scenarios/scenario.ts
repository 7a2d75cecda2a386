import type { Bench } from '../bench.js';

/** One thing that is measured, for each contestant. */
export interface Row {
  readonly scenario: string;
  readonly servers: number;
  readonly label: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** By the contestant's name, one value a round. With a `raw` among them the others are shown as ratios to it. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** Where it says nothing else than another one on so many servers, it is left out. */
  readonly onlyOn?: number;
  run(bench: Bench, servers: number): Promise<Row[]>;
}
