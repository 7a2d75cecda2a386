import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counterKey, lockKey, markerKey, readName, registerKey, tickKey, trialKey } from '../../../lib/client/keys.js';

/** What might be mistaken for something else: whatever the names of the other keys are made of. */
const fragments = fc.constantFrom(
  ...[
    '{',
    '}',
    '{}',
    ':',
    '{a}',
    'a',
    'b',
    'fence',
    ':fence',
    'tick',
    ':tick:',
    'job',
    ':job',
    'marker',
    'lock',
    ':redlock:',
    '0',
    '1',
    '["',
    '"]',
    ',',
  ],
);
const hostile = fc.array(fragments, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''));
const keys = fc.oneof(
  { weight: 4, arbitrary: hostile },
  { weight: 1, arbitrary: fc.constantFrom('}', '{}', '}{', '}}') },
  fc.string({ minLength: 1, unit: 'binary' }),
);
const prefixes = fc.oneof(
  { weight: 2, arbitrary: fc.constant('redlock:') },
  fc.constantFrom('', '{', '{a}', '{a}:', 'a', '{a', 'a}', ':'),
  hostile,
);
const instants = fc.constantFrom(0, 1, 10, 1_750_000_000_000);

/** What a key on a server stands for, and its name. */
interface Named {
  readonly what: string;
  readonly name: string;
}

/** Everything that a lock on these keys has on a server, at one of its ticks. */
function namesOf(prefix: string, lock: readonly string[], atMs: number): Named[] {
  const full = lock.toSorted().map((key) => lockKey(prefix, key));
  return [
    { what: 'the marker', name: markerKey(prefix) },
    { what: `the tick ${atMs} of ${JSON.stringify(lock.toSorted())}`, name: tickKey(full, atMs) },
    { what: `the job ${JSON.stringify(lock.toSorted())}`, name: registerKey(full) },
    ...lock.toSorted().flatMap((key): Named[] => [
      { what: `the lock ${JSON.stringify(key)}`, name: lockKey(prefix, key) },
      { what: `the counter of ${JSON.stringify(key)}`, name: counterKey(lockKey(prefix, key)) },
    ]),
  ];
}

/** CRC-16/XMODEM bit by bit. Source: Redis cluster specification, "Key distribution model". */
function slotOf(key: string): number {
  const [, tag] = /^[^{]*\{([^}]+)\}/s.exec(key) ?? [];
  let crc = 0;
  for (const byte of Buffer.from(tag ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return crc % 16_384;
}

describe('the keys on a server', () => {
  const locks = fc.uniqueArray(keys, { minLength: 1, maxLength: 3 });

  it('P1, P2, P8: never stand for two things: locks, counters, ticks, jobs and the marker, whatever they are called', () => {
    fc.assert(
      fc.property(prefixes, fc.array(fc.tuple(locks, instants), { minLength: 1, maxLength: 4 }), (prefix, all) => {
        const first = all.flatMap(([lock, atMs]) => namesOf(prefix, lock, atMs));
        // And locks that are called as those keys are, as far as somebody can call a lock so.
        const copies = first.flatMap(({ name }) => {
          const copied = name.startsWith(prefix) ? name.slice(prefix.length) : name;
          return copied === '' ? [] : namesOf(prefix, [copied], 1);
        });
        const meanings = new Map<string, string>();
        for (const { what, name } of [...first, ...copies]) {
          const before = meanings.get(name) ?? what;
          if (before !== what) throw new Error(`${name} is ${before}, and ${what}.`);
          meanings.set(name, what);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('P8: never stand for the ticks of two lists of keys, although one may look like the other when it is read in one go', () => {
    // The same words, cut into keys at different places.
    const cases = prefixes.chain((prefix) => {
      const words = fc.uniqueArray(hostile, { minLength: 2, maxLength: 4 }).map((list) => list.toSorted());
      const cuts = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
      return fc.tuple(fc.constant(prefix), words, cuts, cuts);
    });
    fc.assert(
      fc.property(cases, ([prefix, words, ...two]) => {
        const [one, other] = two.map((cuts) =>
          words
            .slice(1)
            .reduce((text, word, n) => `${text}${cuts[n] ? '\n' : `:${prefix}`}${word}`, words[0] ?? '')
            .split('\n')
            .map((key) => lockKey(prefix, key)),
        );
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(tickKey(one ?? [], 1) === tickKey(other ?? [], 1)).toBe(isSame);
      }),
    );
  });

  it('of a lock are in one slot of a cluster, with its hash tag or without', () => {
    fc.assert(
      fc.property(prefixes, keys, instants, (prefix, key, atMs) => {
        const full = lockKey(prefix, key);
        const companions = [counterKey(full), tickKey([full], atMs), registerKey([full])];
        expect(companions.map(slotOf)).toEqual(companions.map(() => slotOf(full)));
      }),
      { numRuns: 3000 },
    );
  });

  it('keep the hash tag that locks have been given, so that several of them may be one lock on a cluster', () => {
    const tags = fc.string({ minLength: 1 }).filter((tag) => !/[{}]/.test(tag));
    fc.assert(
      fc.property(tags, keys, keys, (tag, one, other) => {
        const [a, b] = [`{${tag}}${one}`, `{${tag}}${other}`].map((key) => lockKey('redlock:', key));
        const names = [a, b, counterKey(a ?? ''), counterKey(b ?? ''), tickKey([a ?? '', b ?? ''], 1)];
        names.push(registerKey([a ?? '', b ?? '']));
        expect(new Set(names.map((name) => slotOf(name ?? '')))).toEqual(new Set([slotOf(tag)]));
      }),
    );
  });

  it('are read back: a lock as its key, a tick and a register as their job, and other companions as neither', () => {
    fc.assert(
      fc.property(prefixes, keys, instants, (prefix, key, atMs) => {
        const full = lockKey(prefix, key);
        expect(readName(prefix, full)).toEqual({ kind: 'lock', key });
        expect(readName(prefix, tickKey([full], atMs))).toEqual({ kind: 'tick', names: [key], which: atMs });
        expect(readName(prefix, registerKey([full]))).toEqual({ kind: 'job', names: [key] });
        expect(readName(prefix, counterKey(full))).toBeUndefined();
        expect([readName(prefix, markerKey(prefix)), readName(prefix, trialKey(prefix))]).toEqual([
          undefined,
          undefined,
        ]);
      }),
      { numRuns: 3000 },
    );
  });

  it('are read back where a job has another name than its keys, and not where another program has written a list of its own', () => {
    const names = ['job', 'a job\n"with" {braces}'].map((name) => lockKey('redlock:', name));
    const name = tickKey(['redlock:{42}a', 'redlock:{42}b'], 'interval', names);
    expect(readName('redlock:', name)).toEqual({
      kind: 'tick',
      names: ['job', 'a job\n"with" {braces}'],
      which: 'interval',
    });
    const job = registerKey(['redlock:{42}a', 'redlock:{42}b'], names);
    expect(readName('redlock:', job)).toEqual({ kind: 'job', names: ['job', 'a job\n"with" {braces}'] });
    expect([readName('shop:', name), readName('shop:', job)]).toEqual([undefined, undefined]);
    for (const list of ['[]', '[1]', '["redlock:"]', '[', '[null]', '["elsewhere:k"]']) {
      expect([list, readName('redlock:', `{42}:tick:1:${list}`)]).toEqual([list, undefined]);
      expect([list, readName('redlock:', `{42}:job:${list}`)]).toEqual([list, undefined]);
    }
  });

  it('have slots as Redis counts them', () => {
    // From the specification: CRC16 of "123456789" is 0x31C3, and what is between the first braces counts alone.
    expect(slotOf('123456789')).toBe(0x31c3);
    expect(slotOf('foo{123456789}bar{zap}')).toBe(0x31c3);
    expect(slotOf('foo{}{123456789}')).not.toBe(0x31c3);
  });
});
