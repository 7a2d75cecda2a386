import { describe, expect, it } from '@jest/globals';
import { median, quantile, ratios, spreadOf } from '../../../bench/statistics.js';

describe('the statistics of the benchmark', () => {
  it('a quantile lies between two values in proportion, in whatever order they come', () => {
    expect(quantile([40, 10, 30, 20], 0.5)).toBe(25);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it('the 99th of a hundred and one values has one above it', () => {
    const values = Array.from({ length: 101 }, (_, index) => index);
    expect(quantile(values, 0.99)).toBe(99);
  });

  it('of no value there is no median', () => {
    expect(median([])).toBeNaN();
  });

  it('a spread is the median and the quartiles', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4 });
  });

  it('a ratio is to the value of the same round, and left out where that is nothing', () => {
    expect(ratios([2, 9, 5], [1, 3, 0])).toEqual([2, 3]);
    expect(ratios([2, 9, 5], [1])).toEqual([2]);
  });
});
