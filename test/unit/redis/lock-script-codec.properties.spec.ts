import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Claim, Holder, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { decode, encode, FOREIGN_OWNER, type Marker } from '../../../lib/redis/lock-script-codec.js';
import { serverText } from '../../../lib/redis/server-text.js';

const texts = fc.string({ unit: 'binary', maxLength: 12 });
const tokens = fc.string({ minLength: 1, maxLength: 32 }).filter((token) => !/\s/.test(token));
const numbers = fc.oneof(fc.nat(100), fc.maxSafeNat());
const kinds = fc.constantFrom('acquire', 'confirm', 'extend', 'heal', 'release', 'inspect', 'remove');
const claims: fc.Arbitrary<Claim> = fc.record(
  {
    key: texts,
    ttlMs: fc.oneof(fc.nat(3_200_000_000), fc.double({ min: 0, max: 1e9, noNaN: true })),
    counter: texts,
    retentionMs: fc.nat(3_200_000_000),
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
    fenceStart: numbers,
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
      const [ms, life, channel] = [this.arg(), this.arg(), this.arg()];
      const key = this.key();
      const lifeMs = this.whole(life);
      return { key, ms: this.whole(ms), lifeMs, counter: lifeMs > 0 ? this.key() : undefined, channel };
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
          requests: batch.map(({ kind, token, owner, fence = 0, grantedFence = 0, fenceStart = 0, claims: asked }) => ({
            op: LETTER[kind],
            token,
            owner,
            fence: kind === 'acquire' ? fenceStart : fence,
            grantedFence,
            claims: asked.map(({ key, ttlMs, counter, retentionMs = 0, channel = '' }) => ({
              key,
              // P2: a counter outlives its lock.
              lifeMs: counter === undefined ? 0 : Math.ceil(Math.max(1, 2 * ttlMs, retentionMs)),
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

  const fences = fc.oneof(fc.nat(100), fc.maxSafeNat()).filter((number) => number < 9e15);

  it('P7: names the holder that the server shows, with any owner', () => {
    const shown = fc.record({ token: tokens, fence: fences, owner: texts, pttl: fc.integer({ min: -1, max: 1e12 }) });
    fc.assert(
      fc.property(cases, shown, wires, ([request, index], { token, fence, owner, pttl }, wire) => {
        expect(decode(request, [wire(0), wire(index), wire(pttl), token, wire(fence), owner])).toEqual({
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
    fc.assert(
      fc.property(cases, texts, ([request, index], digest) => {
        expect(decode(request, [0, index, -1, `foreign:${digest}`, 0, ''])).toMatchObject({
          holder: {
            token: `foreign:${digest}`,
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
          cause: new Error(serverText(message)),
        });
        expect(decode(request, [wire(3)])).toMatchObject({ outcome: 'failed', reason: 'untrusted' });
        expect(decode(request, [wire(2)])).toEqual({ outcome: 'absent' });
      }),
    );
  });

  it('P2: is a grant under the number that the server gives, and nothing but the verb asked for', () => {
    fc.assert(
      fc.property(requests, fences, wires, (request, number, wire) => {
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

  const toAcquire: NodeRequest = { kind: 'acquire', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 1 }] };

  it.each([2 ** 53, 9e15, 1e21, -1, 1.5, NaN, Infinity, '1e21', 'text', '', null, undefined, [], {}])(
    'P2: a grant under %p is a failed vote',
    (number) => {
      expect(decode(toAcquire, [1, number])).toMatchObject({ outcome: 'failed', reason: 'refused' });
    },
  );

  it.each([2 ** 53, 9e15, '1e21', -1, 'NaN', null])('P2: a holder under %p is something foreign', (number) => {
    const { holder } = decode(toAcquire, [0, 1, 5, 'u', number, 'owner']) as { holder: Holder };
    expect(holder).toMatchObject({ fence: 0, owner: FOREIGN_OWNER, remainingMs: 5 });
  });

  it.each([undefined, null, 5, 'text', {}, [], [null], ['x'], [7], [1.5]])('P17: %p is a failed vote', (raw) => {
    expect(decode(toAcquire, raw)).toMatchObject({ outcome: 'failed', reason: 'refused' });
  });
});
