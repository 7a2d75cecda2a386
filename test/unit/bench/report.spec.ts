import { describe, expect, it } from '@jest/globals';
import { chartOf } from '../../../bench/report/chart.js';
import { short } from '../../../bench/report/numbers.js';
import { tableOf } from '../../../bench/report/table.js';
import type { Row } from '../../../bench/scenarios/scenario.js';

const COLUMNS = [
  ['raw', 'raw ioredis'],
  ['acquire', 'ours'],
] as const;

const row = (values: Row['values'], rest: Partial<Row> = {}): Row => ({
  ...{ scenario: 'alone', servers: 5, label: 'alone: p50', unit: 'us', better: 'less' },
  ...rest,
  values,
});

describe('the report of the benchmark', () => {
  it('a row shows plain ioredis in its unit, and the others as ratios with their quartiles', () => {
    expect(tableOf([row({ raw: [100, 200, 300], acquire: [200, 200, 450] })], COLUMNS).split('\n')).toEqual([
      '| 5 servers | raw ioredis | ours |',
      '| --- | --- | --- |',
      '| alone: p50, us | 200 (150 to 250) | x 1.50 (1.25 to 1.75) |',
    ]);
  });

  it('a row without plain ioredis shows numbers', () => {
    const table = tableOf([row({ acquire: [12.345] }, { unit: '/s', better: 'more' })], COLUMNS);
    expect(table).toContain('| alone: p50 (more is better) | - | 12.3 |');
  });

  it('each number of servers has a table, the largest first', () => {
    const table = tableOf([row({ raw: [1] }, { servers: 1 }), row({ raw: [1] }, { servers: 3 })], COLUMNS);
    expect(table.match(/^\| (one server|3 servers) /gm)).toEqual(['| 3 servers ', '| one server ']);
  });

  it.each([
    [12_345, '12.3 k'],
    [1234.5, '1235'],
    [56.78, '56.8'],
    [1.234, '1.23'],
    [NaN, '-'],
  ])('%d is written %s', (value, text) => {
    expect(short(value)).toBe(text);
  });

  it('the chart has a dot for each ratio, and what is better when it is more is turned round', () => {
    const slow = chartOf([row({ raw: [1], acquire: [4] })], COLUMNS);
    const few = chartOf([row({ raw: [1], acquire: [0.25] }, { better: 'more' })], COLUMNS);
    const dots = (svg: string): string[] =>
      svg.match(/<circle cx="[\d.]+" cy="[\d.]+" r="4" fill="[^"]+" fill-op/g) ?? [];
    expect(dots(slow)).toHaveLength(1);
    expect(dots(few)).toEqual(dots(slow));
  });
});
