import { beforeEach, expect, it } from '@jest/globals';
import type { NodeRequest } from '../../lib/core/ports/lock-node.js';
import type { RedisLockNode } from '../../lib/redis/redis-lock-node.js';
import type { Subject } from './lock-node.contract.js';

/** What another program may have written. */
export type Foreign = string | Buffer | { readonly list: string };

/** A server into which a test can write anything. */
export interface HostileSubject extends Subject {
  readonly node: RedisLockNode;
  write(key: string, value: Foreign): Promise<void>;
  /** How large the last reply was, in characters. */
  replied(): number;
}

const claims = [{ key: 'k', ttlMs: 5000, counter: 'n', channel: 'c' }] as const;
const acquire = (token: string, more: Partial<NodeRequest> = {}): NodeRequest => ({
  ...{ kind: 'acquire', token, owner: 'o', claims, fenceStart: 500 },
  ...more,
});
const release = (token: string): NodeRequest => ({
  ...{ kind: 'release', token, owner: 'o', claims: [{ key: 'k', ttlMs: 0 }] },
});
const inspect: NodeRequest = { kind: 'inspect', token: '-', owner: 'o', claims: [{ key: 'k', ttlMs: 0 }] };
const remove = (token: string): NodeRequest => ({
  ...{ kind: 'remove', token, owner: 'o', claims: [{ key: 'k', ttlMs: 0 }] },
});

const MB = 1024 * 1024;

/** How a server takes what other programs have put into the place of a lock, of its counter, or of the marker. */
export function hostileValuesContract(subject: () => HostileSubject): void {
  const ask = (...requests: NodeRequest[]): ReturnType<Subject['ask']> => subject().ask(requests);
  beforeEach(() => subject().flush());

  it.each<[string, Foreign]>([
    ['2^53', '9007199254740992'],
    ['just above 2^53', '9007199254740993'],
    ['the limit', '9000000000000000'],
    ['just below the limit', '8999999999999999'],
    ['2^63', '9223372036854775808'],
    ['a number of 400 digits', '9'.repeat(400)],
    ['1e21', '1e21'],
    ['1e3', '1e3'],
    ['NaN', 'NaN'],
    ['nan', 'nan'],
    ['Infinity', 'Infinity'],
    ['inf', 'inf'],
    ['a negative one', '-1'],
    ['a signed one', '+1'],
    ['a fraction', '1.5'],
    ['a hexadecimal one', '0x10'],
    ['spaces around it', ' 7 '],
    ['nothing', ''],
    ['text', 'counter'],
    ['a line break', '7\n'],
    ['bytes that are not text', Buffer.from([0xff, 0x00, 0x31])],
    ['a list', { list: '7' }],
  ])('P2: a counter that holds %s fails the vote, by name, and spreads to no other key', async (_, value) => {
    await subject().write('n', value);
    const [reply] = await ask(acquire('t'));
    expect(reply).toMatchObject({ outcome: 'failed', reason: 'refused' });
    expect((reply as { cause: Error }).cause.message).toMatch(
      /^the counter of its fencing tokens, "n", holds .*delete that key/,
    );
    expect(subject().node.warnings).toEqual([{ code: 'fencing-counter', message: expect.stringContaining('"n"') }]);

    const both = { claims: [{ key: 'l', ttlMs: 5000, counter: 'm' }, ...claims] };
    expect(await ask(acquire('t', both), inspect)).toMatchObject([{ outcome: 'failed' }, { outcome: 'absent' }]);
    const other = { claims: [{ key: 'l', ttlMs: 5000, counter: 'm' }] };
    expect(((await ask(acquire('u', other)))[0] as { fence: number }).fence).toBeLessThan(1e15 * 2);

    await subject().write('n', '7');
    expect(await ask(acquire('t'))).toEqual([{ outcome: 'granted', fence: 8 }]);
    expect(subject().node.warnings).toEqual([]);
    await subject().write('n', value);
    expect(await ask(acquire('t', { kind: 'confirm', fence: 9, grantedFence: 8 }))).toMatchObject([
      { outcome: 'failed', reason: 'refused' },
    ]);
    await ask(release('t'));
    expect(await ask(acquire('t', { kind: 'heal', fence: 9 }), inspect)).toMatchObject([
      { outcome: 'failed', reason: 'refused' },
      { outcome: 'absent' },
    ]);
  });

  it.each<[string, Foreign]>([
    ['text', 'held'],
    ['nothing', ''],
    ['a lock without a number', 'token x owner'],
    ['a lock under 2^53', 't 9007199254740992 o'],
    ['a lock under 1e21', 't 1e21 o'],
    ['a line break', 'a\nb'],
    ['bytes that are not text', Buffer.from([0xff, 0xfe, 0x20, 0x31, 0x20, 0x00, 0xc3])],
    ['30 MB', 'x'.repeat(30 * MB)],
    ['1 MB that begin as a lock does', `u 5 ${'x'.repeat(MB)}`],
    ['a token of 1 MB', `${'x'.repeat(MB)} 5 o`],
    ['a list', { list: 'held' }],
  ])('P7: a key that holds %s is held, is told in few words, and is freed by what was shown', async (_, value) => {
    await subject().write('k', value);
    const [denied] = await ask(acquire('t'));
    expect(denied).toMatchObject({ outcome: 'denied', holder: { key: 'k', remainingMs: Infinity } });
    expect(subject().replied()).toBeLessThan(1500);
    const [seen] = await ask(inspect);
    expect(seen).toEqual({ outcome: 'seen', holder: (denied as { holder: unknown }).holder });
    const { token, owner } = (seen as { holder: { token: string; owner: string } }).holder;
    expect(token.length).toBeLessThan(400);
    if (token !== 'u') expect(owner).toBe('something that is not a lock of this package');

    expect(await ask(remove('another'), release('t'))).toMatchObject([{ outcome: 'absent' }, { outcome: 'released' }]);
    expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'denied' }]);
    expect(await ask(remove(token))).toMatchObject([{ outcome: 'released' }]);
    expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'granted' }]);
  });

  it.each<[string, Foreign]>([
    ['text', 'held'],
    ['nothing', ''],
    ['a lock that never expires', 'u 5 o'],
    ['1 MB that begin as a lock does', `u 5 ${'x'.repeat(MB)}`],
    ['a list', { list: 'held' }],
  ])('P14: a waiter writes nothing to a key that holds %s, and its removal is told', async (_, value) => {
    const told: number[] = [];
    const hears: boolean[] = [];
    const cancel = subject().node.listen('c', {
      onHearing: (does) => hears.push(does),
      onReleased: (to) => told.push(to),
    });
    for (let tries = 0; hears.at(-1) !== true && tries < 100; tries++) await subject().pass(10);
    await subject().write('k', value);
    const before = await ask(inspect);
    expect(await ask(acquire('t', { waits: true }))).toMatchObject([{ outcome: 'denied' }]);
    expect(await ask(inspect)).toEqual(before);
    const { token } = (before[0] as { holder: { token: string } }).holder;
    await ask({ ...remove(token), claims });
    for (let tries = 0; told.length === 0 && tries < 10; tries++) await subject().pass(10);
    expect(told).toHaveLength(token === 'u' ? 0 : 1);
    cancel();
  });

  it('P7: the removal of one foreign value leaves another one that has come since', async () => {
    await subject().write('k', 'one');
    const [seen] = await ask(inspect);
    await subject().write('k', 'two');
    const { token } = (seen as { holder: { token: string } }).holder;
    expect(await ask(remove(token))).toEqual([{ outcome: 'absent' }]);
    expect(await ask(acquire('t'))).toMatchObject([{ outcome: 'denied' }]);
  });
}
