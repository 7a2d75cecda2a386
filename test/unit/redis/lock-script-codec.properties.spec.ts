import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Claim, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { decode, encode, type Marker } from '../../../lib/redis/lock-script-codec.js';

const texts = fc.string({ unit: 'binary', maxLength: 12 });
const tokens = fc.string({ minLength: 1, maxLength: 32 }).filter((token) => !/\s/.test(token));
const numbers = fc.oneof(fc.nat(100), fc.maxSafeNat());
const kinds = fc.constantFrom('acquire', 'confirm', 'extend', 'heal', 'release', 'inspect', 'remove');
const claims: fc.Arbitrary<Claim> = fc.record(
  {
    key: texts,
    ttlMs: fc.oneof(fc.nat(3_200_000_000), fc.double({ min: 0, max: 1e9, noNaN: true })),
    counter: texts,
    channel: texts,
  },
  { requiredKeys: ['key', 'ttlMs'] },
);
const requests: fc.Arbitrary<NodeRequest> = fc.record(
  {
    kind: kinds,
    token: tokens,
    owner: texts,
    claims: fc.array(claims, { minLength: 1, maxLength: 4 }),
    fence: numbers,
    grantedFence: numbers,
  },
  { requiredKeys: ['kind', 'token', 'owner', 'claims'] },
);
// A marker is a token of ours, and never the dash that stands for none.
const values = tokens.filter((token) => token !== '-');
const markers: fc.Arbitrary<Marker> = fc.record({
  key: texts,
  expected: fc.option(values, { nil: undefined }),
  proposal: values,
});

/** Reads a call as the header of the script describes it: KEYS and ARGV, front to back. */
class Reader {
  private readonly keys: string[];
  private readonly argv: string[];

  constructor(call: readonly (string | number)[]) {
    const [count, ...rest] = call.map(String); // As they are on the wire.
    this.keys = rest.slice(0, Number(count));
    this.argv = rest.slice(Number(count));
  }

  read(): { marker: unknown; requests: unknown[] } {
    const [expected, proposal] = [this.arg(), this.arg()];
    const marker = expected === '-' ? undefined : { key: this.key(), expected, proposal };
    const found: unknown[] = [];
    while (this.argv.length > 0) found.push(this.request());
    if (this.keys.length > 0) throw new Error(`${this.keys.length} KEYS are left over.`);
    return { marker, requests: found };
  }

  private request(): unknown {
    const [op, token, owner, fence, grantedFence, n] = [1, 2, 3, 4, 5, 6].map(() => this.arg());
    const found = Array.from({ length: this.whole(n) }, () => {
      const [ms, counted, channel] = [this.arg(), this.arg(), this.arg()];
      const key = this.key();
      if (counted !== '0' && counted !== '1') throw new Error(`A counter is there (1) or not (0), not ${counted}.`);
      return { key, ms: this.whole(ms), counter: counted === '1' ? this.key() : undefined, channel };
    });
    return { op, token, owner, fence: this.whole(fence), grantedFence: this.whole(grantedFence), claims: found };
  }

  private whole(text: string | undefined): number {
    if (text === undefined || !/^\d+$/.test(text))
      throw new Error(`${String(text)} is not what Lua reads as a whole number.`);
    return Number(text);
  }

  private key(): string {
    return next(this.keys);
  }

  private arg(): string {
    return next(this.argv);
  }
}

function next(list: string[]): string {
  const first = list.shift();
  if (first === undefined) throw new Error('The call ends too early.');
  return first;
}

describe('a call of the lock script', () => {
  it('says all that was asked, in the order of the header, whatever the texts and numbers are', () => {
    const LETTER = {
      acquire: 'A',
      confirm: 'C',
      extend: 'E',
      heal: 'H',
      release: 'R',
      inspect: 'I',
      remove: 'D',
      tell: 'T',
    };
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 4 }), fc.option(markers, { nil: undefined }), (batch, marker) => {
        expect(new Reader(encode(batch, marker)).read()).toEqual({
          marker: marker && { ...marker, expected: marker.expected ?? '' },
          requests: batch.map(({ kind, token, owner, fence = 0, grantedFence = 0, claims: asked }) => ({
            op: LETTER[kind],
            token,
            owner,
            fence,
            grantedFence,
            claims: asked.map(({ key, ttlMs, counter, channel = '' }) => ({
              key,
              // P1: up, because a server must not forget before the deadline.
              ms: Math.ceil(ttlMs),
              counter,
              channel,
            })),
          })),
        });
      }),
    );
  });
});

describe('a reply of the lock script', () => {
  const cases = requests.chain((request) =>
    fc.tuple(fc.constant(request), fc.integer({ min: 1, max: request.claims.length })),
  );
  // As ioredis hands it over: numbers as such, or as text where somebody has set `stringNumbers`.
  const wires = fc.constantFrom<(value: number) => number | string>((value) => value, String);

  it('P7: names the holder that is written in the value, with any owner', () => {
    const written = fc.record({
      token: tokens,
      fence: numbers,
      owner: texts,
      pttl: fc.integer({ min: -1, max: 1e12 }),
    });
    fc.assert(
      fc.property(cases, written, wires, ([request, index], { token, fence, owner, pttl }, wire) => {
        expect(decode(request, [wire(0), wire(index), `${token} ${fence} ${owner}`, wire(pttl)])).toEqual({
          outcome: { acquire: 'denied', inspect: 'seen' }[request.kind as string] ?? 'taken',
          holder: {
            key: request.claims[index - 1]?.key,
            token,
            fence,
            owner,
            remainingMs: pttl < 0 ? Infinity : pttl,
          },
        });
      }),
    );
  });

  it('P7: names as the holder whatever else may be in a key of that name', () => {
    const foreign = texts.filter((text) => !/^\S+ \d+ /.test(text));
    fc.assert(
      fc.property(cases, foreign, ([request, index], value) => {
        expect(decode(request, [0, index, value, -1])).toMatchObject({
          holder: {
            token: value,
            fence: 0,
            owner: 'something that is not a lock of this package',
            remainingMs: Infinity,
          },
        });
      }),
    );
  });

  it('P7: is a failure with the words of the server, or for want of trust, and never a grant', () => {
    fc.assert(
      fc.property(requests, texts, wires, (request, message, wire) => {
        expect(decode(request, [wire(-1), message])).toEqual({
          outcome: 'failed',
          reason: 'refused',
          cause: new Error(message),
        });
        expect(decode(request, [wire(3)])).toMatchObject({ outcome: 'failed', reason: 'untrusted' });
        expect(decode(request, [wire(2)])).toEqual({ outcome: 'absent' });
      }),
    );
  });

  it('P2: is a grant under the number that the server gives, and nothing but the verb asked for', () => {
    fc.assert(
      fc.property(requests, numbers, wires, (request, number, wire) => {
        const reply = decode(request, [wire(1), wire(number), wire(number % 2)]);
        const expected = {
          acquire: { outcome: 'granted', fence: number },
          confirm: { outcome: 'confirmed' },
          extend: { outcome: 'renewed' },
          heal: { outcome: 'renewed' },
          release: { outcome: 'released', heard: number, gone: number % 2 === 1 },
          inspect: { outcome: 'absent' },
          remove: { outcome: 'released', heard: number },
          tell: { outcome: 'told' },
        }[request.kind];
        expect(reply).toEqual(expected);
      }),
    );
  });
});
