import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shardIdentity, shardOf } from '../../../lib/core/shard.js';

const identities = fc.uniqueArray(
  fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }).map(shardIdentity),
  {
    minLength: 2,
    maxLength: 12,
  },
);
const keys = fc.uniqueArray(fc.string({ minLength: 1, unit: 'binary' }), { minLength: 1, maxLength: 50 });

/** The shard by its identity. */
function home(key: string, shards: readonly string[]): string {
  const found = shards[shardOf(key, shards)];
  if (found === undefined) throw new Error(`${JSON.stringify(key)} has no shard.`);
  return found;
}

describe('the shard of any key', () => {
  it('is the same in whatever order shards, and the servers of a shard, are listed', () => {
    const lists = identities.chain((all) => fc.tuple(fc.constant(all), shuffled(all)));
    fc.assert(
      fc.property(lists, keys, ([one, other], all) => {
        for (const key of all) expect(home(key, other)).toBe(home(key, one));
      }),
    );
    const servers = fc.array(fc.string(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        servers.chain((all) => fc.tuple(fc.constant(all), shuffled(all))),
        ([one, other]) => {
          expect(shardIdentity(other)).toBe(shardIdentity(one));
        },
      ),
    );
  });

  it('changes to the shard that is added, or not at all, and back when that goes', () => {
    fc.assert(
      fc.property(identities, fc.nat(), keys, (all, which, many) => {
        const added = all[which % all.length] ?? '';
        const before = all.filter((identity) => identity !== added);
        for (const key of many) expect([home(key, before), added]).toContain(home(key, all));
      }),
    );
  });

  it('is each of them for its part of the keys', () => {
    const hosts = fc.uniqueArray(fc.domain(), { minLength: 2, maxLength: 8 });
    const names = fc.constantFrom(
      (n: number) => `order:${n}`,
      (n: number) => `${n}`,
      (n: number) => `${n}/invoice`,
    );
    fc.assert(
      fc.property(hosts, names, (servers, nameOf) => {
        const shards = servers.map((server) => shardIdentity([server]));
        const counts = new Map(shards.map((shard) => [shard, 0]));
        const keysEach = 500;
        for (let n = 0; n < keysEach * shards.length; n++) {
          const shard = home(nameOf(n), shards);
          counts.set(shard, (counts.get(shard) ?? 0) + 1);
        }
        // Chance alone spreads them by less than 23 from 500: this is beyond six times that.
        for (const count of counts.values()) expect(Math.abs(count - keysEach)).toBeLessThan(140);
      }),
      { numRuns: 40 },
    );
  });
});

function shuffled<T>(all: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });
}
