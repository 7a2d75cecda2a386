import { ratios, spreadOf, type Spread } from '../statistics.js';
import type { Row } from '../scenarios/scenario.js';

/** What is shown of one contestant in one row. */
export interface Cell {
  readonly spread: Spread;
  /** To plain ioredis, or a number of its own. */
  readonly kind: 'ratio' | 'number';
}

export function cellOf({ values }: Row, contestant: string): Cell | undefined {
  const own = values[contestant];
  if (own === undefined || own.length === 0) return undefined;
  const { raw } = values;
  if (raw === undefined || contestant === 'raw') return { spread: spreadOf(own), kind: 'number' };
  return { spread: spreadOf(ratios(own, raw)), kind: 'ratio' };
}
