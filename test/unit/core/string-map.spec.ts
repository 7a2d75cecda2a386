import { describe, expect, it } from '@jest/globals';
import { StringMap } from '../../../lib/core/string-map.js';

const NAMES = ['order:1', '__proto__', 'constructor', 'hasOwnProperty', '7', ''];

describe('P16: a map of what comes and goes', () => {
  it('has of any name what was set, and nothing before and after', () => {
    const map = new StringMap<{ n: number }>();
    for (const [n, name] of NAMES.entries()) {
      map.delete(name);
      expect([map.has(name), map.get(name)]).toEqual([false, undefined]);
      map.set(name, { n: -1 });
      map.set(name, { n });
    }
    expect(map.keys().sort()).toEqual(NAMES.toSorted());
    expect(map.values().map(({ n }) => n)).toEqual(expect.arrayContaining([0, 1, 2, 3, 4, 5]));
    for (const [n, name] of NAMES.entries()) {
      expect(map.get(name)).toEqual({ n });
      map.delete(name);
      expect([map.has(name), map.values().length]).toEqual([false, NAMES.length - 1 - n]);
    }
  });

  it('is empty when it was cleared', () => {
    const map = new StringMap<object>();
    map.set('a', {});
    map.clear();
    expect([map.has('a'), map.keys(), map.values()]).toEqual([false, [], []]);
  });
});
