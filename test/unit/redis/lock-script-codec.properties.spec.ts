import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JobNote } from '../../../lib/core/ports/job-note.js';
import type { Claim, Holder, NodeRequest } from '../../../lib/core/ports/lock-node.js';
import { encode, type Marker } from '../../../lib/redis/lock-script-codec.js';
import { decode, FOREIGN_OWNER } from '../../../lib/redis/lock-script-reply.js';
import { serverText } from '../../../lib/redis/server-text.js';

const texts = fc.string({ unit: 'binary', maxLength: 12 });
const tokens = fc.string({ minLength: 1, maxLength: 32 }).filter((token) => !/\s/.test(token));
const numbers = fc.oneof(fc.nat(100), fc.maxSafeNat());
const kinds = fc.constantFrom('acquire', 'confirm', 'extend', 'heal', 'release', 'inspect', 'remove', 'steer', 'read');
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
const jobs: fc.Arbitrary<JobNote> = fc.record(
  {
    key: texts,
    start: fc.record({
      trigger: fc.constantFrom('schedule', 'manual', 'catch-up', 'again'),
      tickMs: numbers,
      startedAtMs: fc.oneof(numbers, fc.double()),
    }),
    end: fc.record(
      { outcome: fc.constantFrom('succeeded', 'failed', 'lost'), endedAtMs: numbers, error: texts },
      { requiredKeys: ['outcome', 'endedAtMs'] },
    ),
  },
  { requiredKeys: ['key', 'start'] },
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
    waits: fc.boolean(),
    waited: fc.boolean(),
    job: jobs,
    pause: fc.record({
      version: numbers,
      leftMs: fc.oneof(numbers, fc.constant(Infinity), fc.double({ min: 0 })),
      reason: texts,
    }),
    coveredMs: numbers,
  },
  { requiredKeys: ['kind', 'token', 'owner', 'claims'] },
);
// A marker is a token of ours: never the dash that stands for none, and without the sign that stands before one that must change.
const values = tokens.filter((token) => token !== '-' && !token.startsWith('!'));
const markers: fc.Arbitrary<Marker> = fc.record({
  key: texts,
  expected: fc.option(values, { nil: undefined }),
  lost: fc.boolean(),
  proposal: values,
});

/** Reads a call as the header of the script describes it: KEYS and ARGV, front to back, as bytes. */
class Reader {
  private readonly keys: string[];
  private readonly argv: string[];
  private text = Buffer.alloc(0);

  constructor(call: readonly (string | number)[]) {
    const [, count, ...rest] = call.map(String); // As they are on the wire.
    this.keys = rest.slice(0, Number(count));
    this.argv = rest.slice(Number(count));
  }

  read(): { marker: unknown; requests: unknown[] } {
    const [shown = '', proposal, text, ...owners] = this.argv;
    const lost = shown.startsWith('!');
    const expected = shown.slice(lost ? 1 : 0);
    const marker = shown === '-' ? undefined : { key: this.key(), expected, lost, proposal };
    this.text = Buffer.from(text ?? '');
    const found: unknown[] = [];
    while (this.text.length > 0) found.push(this.request(owners));
    if (this.keys.length > 0) throw new Error(`${this.keys.length} KEYS are left over.`);
    if (new Set(owners).size < owners.length) throw new Error('An owner is there twice.');
    return { marker, requests: found };
  }

  private request(owners: readonly string[]): unknown {
    const [op = '', token, ...numbers] = ['', '', '', '', ''].map(() => this.word());
    const [fence, grantedFence, n] = numbers.map((each) => this.whole(each)) as [number, number, number];
    const isOfJob = numbers[2]?.startsWith('0');
    const found = Array.from({ length: n }, () => {
      const [ms, lifeMs] = [this.whole(this.word()), this.whole(this.word())];
      const channel = this.take(this.whole(this.word(':')));
      return { key: this.key(), ms, lifeMs, counter: lifeMs > 0 ? this.key() : undefined, channel };
    });
    const job = isOfJob ? { text: this.take(this.whole(this.word(':'))), key: this.key() } : undefined;
    const [, letter, whose, flags] = /^([A-Z])(\d+)([a-z]*)$/.exec(op) ?? [];
    return { op: letter, flags, token, owner: owners[Number(whose) - 1], fence, grantedFence, claims: found, job };
  }

  /** Up to a space, which comes after it: between two claims, or at the end, there is only the one before the next word. */
  private word(end = ' '): string {
    if (this.text[0] === 0x20) this.take(1);
    const ends = this.text.findIndex((byte) => byte === 0x20 || byte === end.charCodeAt(0));
    const word = this.take(ends < 0 ? this.text.length : ends);
    if (end === ':') this.take(1);
    return word;
  }

  private take(bytes: number): string {
    const taken = this.text.subarray(0, bytes).toString();
    this.text = this.text.subarray(bytes);
    return taken;
  }

  private whole(text: string | undefined): number {
    if (text === undefined || !/^\d+$/.test(text))
      throw new Error(`${String(text)} is not what Lua reads as a whole number.`);
    return Number(text);
  }

  private key(): string {
    const first = this.keys.shift();
    if (first === undefined) throw new Error('The call ends too early.');
    return first;
  }
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
      steer: 'P',
      read: 'J',
    };
    // What scripts/register.lua.ts reads without looking twice.
    const FORMS = {
      acquire: /^[smca] \d{1,16} \d{1,16} 0 r [!-~]{1,200} -$/,
      release: /^[smca] \d{1,16} \d{1,16} (0 r [!-~]{1,200} -|\d{1,16} [sfl] [!-~]{1,200} [!-~]{1,400})$/,
      steer: /^\d{1,16} (\d{1,15}|1000000000000000|\*) \d{1,16} [!-~]{1,600}$/,
      read: /^$/,
    };
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 4 }), fc.option(markers, { nil: undefined }), (batch, marker) => {
        expect(new Reader(encode('script', batch, marker)).read()).toEqual({
          marker: marker && { ...marker, expected: marker.expected ?? '' },
          requests: batch.map(
            ({
              kind,
              token,
              owner,
              fence = 0,
              grantedFence = 0,
              fenceStart = 0,
              claims: asked,
              waits,
              waited,
              job,
            }) => ({
              op: LETTER[kind],
              flags: kind === 'acquire' ? `${waits ? 'w' : ''}${waited ? 'g' : ''}` : '',
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
              job:
                job && ['acquire', 'release', 'steer', 'read'].includes(kind)
                  ? { key: job.key, text: expect.stringMatching(FORMS[kind as keyof typeof FORMS]) }
                  : undefined,
            }),
          ),
        });
      }),
    );
  });
});

describe('a batch that is sent to one server after the other', () => {
  const release = (key: string): NodeRequest => ({
    ...{ kind: 'release', token: 't', owner: 'o' },
    claims: [{ key, ttlMs: 0, channel: key }],
  });
  const batch = [release('a'), release('b')];
  const wire = (requests: readonly NodeRequest[], keyspace: string): string =>
    encode('script', requests, undefined, keyspace).join('|');

  it('has the channels of the database of each, and the requests of that batch', () => {
    expect(wire(batch, '@0')).toContain('3:a@0');
    expect(wire(batch, '@10')).toContain('4:a@10');
    expect(wire([...batch], '@10')).toBe(wire(batch, '@10'));
    expect(wire([batch[0]!, release('c')], '@10')).toContain('4:c@10');
    expect(wire([batch[1]!, batch[0]!], '@10')).toMatch(/4:b@10.*4:a@10/);
    expect(wire([batch[1]!], '@10')).not.toContain('a@10');
  });

  it('is not another one after a batch that could not be encoded', () => {
    const before = wire(batch, '@0');
    expect(() => wire([{ ...batch[0]!, token: 'no token' }, batch[1]!], '@0')).toThrow('printable ASCII');
    expect(wire(batch, '@0')).toBe(before);
  });
});

describe('what is no request', () => {
  const request: NodeRequest = { kind: 'remove', token: 't', owner: 'o', claims: [{ key: 'k', ttlMs: 0 }] };

  it.each(['a b', 'a\nb', 'é', '\u0000', ' '])(
    'is not written: with the token %j, as a hostile server may show it',
    (token) => {
      expect(() => encode('script', [{ ...request, token }], undefined)).toThrow(
        'a token of printable ASCII was expected',
      );
    },
  );

  it('is not written: without a claim', () => {
    expect(() => encode('script', [{ ...request, claims: [] }], undefined)).toThrow('one claim at least');
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
      fc.property(cases, fc.stringMatching(/^[0-9a-f]{40}$/), ([request, index], digest) => {
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
          acquire: { outcome: 'granted', fence: number, ...(request.job && { pauseVersion: number % 2 }) },
          confirm: { outcome: 'confirmed' },
          extend: { outcome: 'renewed' },
          heal: { outcome: 'renewed' },
          release: { outcome: 'released', heard: number, gone: number % 2 === 1 },
          inspect: { outcome: 'absent' },
          remove: { outcome: 'released', heard: number },
          tell: { outcome: 'told' },
          steer: { outcome: 'steered' },
          read:
            wire === String
              ? { outcome: 'read', register: String(number), nowMs: number % 2, holder: undefined }
              : { outcome: 'failed', reason: 'refused', cause: expect.any(Error) },
        }[request.kind];
        expect(reply).toEqual(expected);
        const short = decode(request, `+${number}`);
        if (request.kind === 'read') expect(short).toMatchObject({ outcome: 'failed', reason: 'refused' });
        else expect(short).toEqual(decode(request, [wire(1), wire(number)]));
      }),
    );
  });

  const job: JobNote = { key: 'j', start: { trigger: 'catch-up', tickMs: 5, startedAtMs: 6 } };
  const both: readonly Claim[] = ['k', 'tick'].map((key) => ({ key, ttlMs: 1 }));
  const ofJob = { token: 't', owner: 'o', claims: both, job } as const;

  it('is a register, with the holder of the lock where there is one, whatever else the server shows', () => {
    const read: NodeRequest = { kind: 'read', ...ofJob };
    expect(decode(read, [1, '0 - 0 -\n', '17'])).toEqual({ outcome: 'read', register: '0 - 0 -\n', nowMs: 17 });
    expect(decode(read, [1, '', 17, '5', 'u', '3', 'owner'])).toEqual({
      ...{ outcome: 'read', register: '', nowMs: 17 },
      holder: { key: 'k', token: 'u', owner: 'owner', fence: 3, remainingMs: 5 },
    });
    expect(decode(read, [1, 'x'.repeat(100_000), 'now'])).toMatchObject({ register: 'x'.repeat(16_384), nowMs: 0 });
    expect(decode(read, [1, '', 17, 5, 'a b', 3, 'owner'])).toMatchObject({ outcome: 'failed', reason: 'refused' });
    expect(decode(read, [1, 7, 17])).toMatchObject({ outcome: 'failed', reason: 'refused' });
  });

  it('is a denial by the register, with its reason and the rest of the pause, or with the owner of the run that there was', () => {
    const acquire: NodeRequest = { kind: 'acquire', ...ofJob };
    const paused = { key: 'j', token: 'paused', owner: 'new database', fence: 7, remainingMs: 100 };
    expect(decode(acquire, [5, '7', '100', 'new%20database'])).toEqual({ outcome: 'denied', holder: paused });
    expect(decode(acquire, [5, 7, -1, '-'])).toEqual({
      outcome: 'denied',
      holder: { ...paused, owner: '', remainingMs: Infinity },
    });
    const covered = { key: 'tick', token: 'covered', owner: 'host:1', fence: 0, remainingMs: 0 };
    expect(decode(acquire, [6, 'host:1'])).toEqual({ outcome: 'denied', holder: covered });
    expect(decode(acquire, [6, '%'])).toEqual({ outcome: 'denied', holder: { ...covered, owner: '%' } });
    for (const other of [
      { ...acquire, job: undefined },
      { ...acquire, kind: 'release' as const },
    ]) {
      expect(decode(other, [5, 7, -1, '-'])).toMatchObject({ outcome: 'failed', reason: 'refused' });
    }
    expect(decode(acquire, [7])).toEqual({
      outcome: 'failed',
      reason: 'refused',
      cause: new Error(
        'the register of its job, "j", is something else than a text. Another program must have written it: delete that key on this server',
      ),
    });
  });

  it.each(['a b', 'a\nb', 'é', '\u0000', ' '])('P17: a holder with the token %j is a failed vote', (token) => {
    const request: NodeRequest = { kind: 'inspect', token: '-', owner: 'o', claims: [{ key: 'k', ttlMs: 0 }] };
    expect(decode(request, [0, 1, 5, token, 7, 'o'])).toMatchObject({ outcome: 'failed', reason: 'refused' });
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

  it.each([
    undefined,
    null,
    5,
    '5',
    '+',
    '+-1',
    '+1e3',
    '+9007199254740992',
    'text',
    {},
    [],
    [null],
    ['x'],
    [7],
    [1.5],
  ])('P17: %p is a failed vote', (raw) => {
    expect(decode(toAcquire, raw)).toMatchObject({ outcome: 'failed', reason: 'refused' });
  });
});
