import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shardIdentity, shardOf } from '../../../lib/core/shard.js';
import { shardKey } from '../../../lib/client/keys.js';

/** As people write them: the names differ in one digit only, and so do the keys. */
const shards = (count: number): string[] =>
  Array.from({ length: count }, (_, shard) =>
    shardIdentity([1, 2, 3].map((server) => `redis-${shard + 1}-${server}:6379`)),
  );
const KEYS = Array.from({ length: 10_000 }, (_, index) => `order:${index}`);

describe('the shard of a key', () => {
  it.each([
    ['order:1', (index: number) => `order:${index}`],
    ['1:order', (index: number) => `${index}:order`],
    ['a uuid', (index: number) => `0d9e7a52-6c1f-4e0b-9a43-${index.toString(16).padStart(12, '0')}`],
    ['a single character', (index: number) => String.fromCharCode(index)],
  ])('from 4 to 5 shards moves a fifth of 10,000 keys such as %s, and only to the new one', (_, keyOf) => {
    const keys = KEYS.map((_, index) => keyOf(index));
    const added = shards(5);
    for (const fifth of added) {
      const four = added.filter((each) => each !== fifth);
      const moved = keys.filter((key) => four[shardOf(key, four)] !== added[shardOf(key, added)]);
      expect(moved.length).toBeGreaterThan(1800);
      expect(moved.length).toBeLessThan(2200);
      expect(moved.every((key) => added[shardOf(key, added)] === fifth)).toBe(true);
    }
  });

  it.each([2, 3, 5, 8, 16])('is each of %i shards equally often, but for chance', (count) => {
    const listed = shards(count);
    const counts = listed.map(() => 0);
    for (const key of KEYS) counts[shardOf(key, listed)]!++;
    // Five standard deviations of a fair draw: 2.5 percent of the keys with 2 shards.
    const deviation = Math.sqrt(KEYS.length * (1 / count) * (1 - 1 / count));
    for (const each of counts) expect(Math.abs(each - KEYS.length / count)).toBeLessThan(5 * deviation);
  });

  it('does not depend on the order of the shards, nor on that of the servers of one', () => {
    const names = fc.array(fc.string(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(names, { minLength: 1, selector: shardIdentity }), (key, groups) => {
        const listed = groups.map(shardIdentity);
        const turned = groups.map((group) => shardIdentity(group.toReversed())).toReversed();
        expect(turned[shardOf(key, turned)]).toBe(listed[shardOf(key, listed)]);
      }),
    );
  });

  it('tells shards apart by the names of their servers, however these are written', () => {
    expect(shardIdentity(['a', 'b'])).not.toBe(shardIdentity(['a,b']));
    expect(shardIdentity(['a', 'b'])).not.toBe(shardIdentity(['a","b']));
    expect(shardIdentity(['a:1', 'b:1'])).not.toBe(shardIdentity(['a:1', 'b:2']));
  });

  it('is the same in every version: replicas of two versions share their locks while one replaces the other', () => {
    expect(['k', 'order:1', '42', 'ключ', '\u{1f512}', ''].map((key) => shardOf(key, shards(16)))).toEqual([
      15, 8, 4, 6, 2, 2,
    ]);
  });

  it.each([
    ['{42}order', '42'],
    ['stock:{42}:x{7}', '42'],
    ['{}order', '{}order'],
    ['{42', '{42'],
    ['}42{', '}42{'],
    ['{{42}}', '{42'],
    ['order', 'order'],
  ])('is decided by the hash tag alone, as on a Redis Cluster: of %s by %s', (key, decides) => {
    expect(shardKey(key)).toBe(decides);
  });
});
